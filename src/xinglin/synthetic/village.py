"""Write the whole record of one village."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from xinglin.synthetic.cases import add_cases, crowd
from xinglin.synthetic.children import emit_immunizations
from xinglin.synthetic.contracts import emit_contracts
from xinglin.synthetic.drafts import emit_drafts
from xinglin.synthetic.emission import BASE, Emission
from xinglin.synthetic.examinations import Examination, emit_examinations, examine
from xinglin.synthetic.followups import Visits, follow_up
from xinglin.synthetic.hospital import attend, emit_attendances
from xinglin.synthetic.plan import FAR
from xinglin.synthetic.population import Population
from xinglin.synthetic.recording import emit_episodes, emit_followups
from xinglin.synthetic.residents import emit_residents
from xinglin.synthetic.scene import Scene, World, open_scene
from xinglin.synthetic.tally import tally


def write_village(world: World, village: int, population: Population) -> Emission:
    """Return everything the sources hold about a village's residents, with the truth kept aside."""
    scene = open_scene(world, village, population)
    visits = _visits(scene)
    attended = attend(scene, visits)
    visits = add_cases(scene, visits)
    examined = examine(scene) + [Examination(row, day, True) for row, day in scene.scripted.examinations]
    emit_episodes(scene)
    emit_contracts(scene)
    emit_followups(scene, visits)
    emit_drafts(scene, attended, visits)
    emit_examinations(scene, examined)
    emit_attendances(scene, attended)
    emit_immunizations(scene)
    emit_residents(scene)
    tally(scene, visits, examined)
    _tell_stories(scene)
    return scene.emission


def _visits(scene: Scene) -> Visits:
    """Return the visits as simulated, with the busy day, and as scripted."""
    drawn = [e for e in scene.episodes if scene.people.population.story[e.row] == 0]
    visits = crowd(scene, follow_up(scene.plan, scene.village, scene.people, (scene.health, drawn, scene.clinic.traits)))
    parts = (visits, scene.scripted.visits)
    whole = Visits(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Visits)))
    return whole.take(np.lexsort((whole.minute, whole.row, whole.day)))


def _tell_stories(scene: Scene) -> None:
    village = scene.world.places.villages[scene.village]
    for row, story in scene.scripted.stories.items():
        scene.emission.stories.append({
            "id": story.id, "name": scene.people.name(row), "sex": story.sex, "age": story.age,
            "id_number": str(scene.people.population.id_number[row]), "record_number": scene.record[row], "source": BASE,
            "patient": scene.patient(BASE, row), "died": story.died < FAR, "village": village.name, "area": f"{village.code:012d}",
            "town": scene.world.places.towns[village.town].name, "clinic": scene.clinic.code, "township": scene.township.code,
            "zh": story.zh, "en": story.en,
        })  # fmt: skip
