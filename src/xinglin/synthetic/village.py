"""Write the whole record of one village."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from xinglin.synthetic.cases import add_cases, crowd
from xinglin.synthetic.children import Dose, emit_immunizations
from xinglin.synthetic.contracts import Round, emit_contracts
from xinglin.synthetic.drafts import Draft, emit_drafts
from xinglin.synthetic.emission import BASE, Emission
from xinglin.synthetic.examinations import Campaign, Examination, emit_examinations, examine
from xinglin.synthetic.followups import State, Visits, follow_up
from xinglin.synthetic.hospital import Reception, attend, emit_attendances
from xinglin.synthetic.plan import FAR, Stream
from xinglin.synthetic.population import Population
from xinglin.synthetic.recording import Desk, emit_episode, emit_followups, open_desk
from xinglin.synthetic.residents import emit_residents
from xinglin.synthetic.scene import Scene, World, open_scene
from xinglin.synthetic.tally import tally


@dataclass(slots=True)
class Standing:
    """A village on the day of data: what is written, and what is under way.

    visits: as recorded; late: visits to be entered after the day of data; state: when the next ones are; desk, reception: what the workers know;
    drafts: follow-ups to be completed; campaign, contracts: the year's examinations and signings; doses: (row, day, dose) still to come.
    """

    scene: Scene
    visits: Visits
    late: Visits
    state: State
    desk: Desk
    reception: Reception
    drafts: list[Draft]
    campaign: Campaign
    contracts: Round
    doses: list[tuple[int, int, Dose]]


def write_village(world: World, village: int, population: Population) -> Emission:
    """Return everything the sources hold about a village's residents, with the truth kept aside."""
    return stand(world, village, population, Emission()).scene.emission


def stand(world: World, village: int, population: Population, emission: Emission) -> Standing:
    """Write a village's record to `emission` and return how the village stands on the day of data."""
    scene = open_scene(world, village, population, emission)
    drawn = [e for e in scene.episodes if scene.people.population.story[e.row] == 0]
    visits, late, state = follow_up(scene.plan, scene.village, scene.people, (scene.health, drawn, scene.clinic.traits))
    visits = joined(crowd(scene, visits), scene.scripted.visits)
    attended = attend(scene, visits)
    visits = add_cases(scene, visits)
    examined, campaign = examine(scene)
    examined += [Examination(row, day, True) for row, day in scene.scripted.examinations]
    for episode in scene.episodes:
        emit_episode(scene, episode)
    contracts = emit_contracts(scene)
    desk = open_desk(scene)
    emit_followups(desk, visits)
    drafts = emit_drafts(scene, attended, visits)
    emit_examinations(scene, examined)
    reception = Reception(scene, scene.stream(Stream.HOSPITAL_RECORDS))
    emit_attendances(reception, attended)
    doses = emit_immunizations(scene)
    emit_residents(scene)
    tally(scene, visits, examined)
    _tell_stories(scene)
    return Standing(scene, visits, late, state, desk, reception, drafts, campaign, contracts, doses)


def joined(*parts: Visits) -> Visits:
    """Return visits together, in order of day."""
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
