"""Follow-ups to be completed (待补全): a pressure taken at the township clinic that nobody turned into a follow-up yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinglin.synthetic.emission import BASE
from xinglin.synthetic.followups import Visits
from xinglin.synthetic.forms import choice, day, number
from xinglin.synthetic.hospital import Attendance, open_drafts
from xinglin.synthetic.plan import Stream, iso
from xinglin.synthetic.recording import current_episode
from xinglin.synthetic.resources import Contact, blood_pressure, encounter, organization_reference, response, task
from xinglin.synthetic.scene import Scene

FORM = "hypertension-followup"
STAGE = "0005-followups"


@dataclass(frozen=True, slots=True)
class Draft:
    """A follow-up to be completed: person, day, id of its Encounter, pressure, who took it."""

    row: int
    day: int
    id: str
    systolic: int
    diastolic: int
    nurse: str


def emit_drafts(scene: Scene, attended: list[Attendance], visits: Visits) -> list[Draft]:
    """Write the drafts that stand open on the day of data and return them."""
    random = scene.stream(Stream.DRAFTS)
    return [emit_draft(random, scene, row, when) for row, when in open_drafts(scene, attended, visits)]


def emit_draft(random: np.random.Generator, scene: Scene, row: int, when: int) -> Draft:
    """Write a draft: Encounter and form in progress, the reading, the task to complete it."""
    systolic = int(min(max(scene.health.systolic[row] + 6 * random.normal(), 95), 178))
    diastolic = int(min(max(80 + 0.4 * (systolic - 135) + 4 * random.normal(), 50), systolic - 20))
    nurse = scene.township.one_of("nurse", row)
    contact = Contact(
        id=f"F{scene.record[row]}-draft{iso(when).replace('-', '')}", patient=scene.patient(BASE, row), service="followup-hypertension", day=when,
        minute=int(random.integers(500, 1000)), institution=scene.township.code, practitioner=nurse.number, way=1, entered=when,
        episode=current_episode(scene, row, "hypertension"), status="in-progress",
    )  # fmt: skip
    items = [day("visit_date", when), choice(FORM, "way", "1"), number("systolic", systolic), number("diastolic", diastolic)]
    work = task((f"{contact.id}-todo", "complete-followup"), contact.patient, f"Encounter/{contact.id}", "requested", contact.at)
    work["owner"] = organization_reference(scene.township.code)
    for resource in (encounter(contact), blood_pressure(contact, systolic, diastolic), response(contact, FORM, items), work):
        scene.emission.put(BASE, STAGE, resource)
    return Draft(row, when, contact.id, systolic, diastolic, nurse.name)
