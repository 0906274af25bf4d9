"""Write the whole record of one village."""

from __future__ import annotations

from xinglin.synthetic.emission import Emission
from xinglin.synthetic.followups import follow_up
from xinglin.synthetic.population import Population
from xinglin.synthetic.recording import emit_episodes, emit_followups
from xinglin.synthetic.residents import emit_residents
from xinglin.synthetic.scene import World, open_scene


def write_village(world: World, village: int, population: Population) -> Emission:
    """Return everything the sources hold about a village's residents, with the truth kept aside."""
    scene = open_scene(world, village, population)
    visits = follow_up(world.plan, village, scene.people, (scene.health, scene.episodes, scene.clinic.traits))
    emit_episodes(scene)
    emit_followups(scene, visits)
    emit_residents(scene)
    return scene.emission
