"""Follow-ups to be completed (待补全): a pressure taken at the township clinic that nobody turned into a follow-up yet."""

from __future__ import annotations

from xinglin.synthetic.emission import BASE
from xinglin.synthetic.followups import Visits
from xinglin.synthetic.forms import choice, day, number
from xinglin.synthetic.hospital import Attendance, open_drafts
from xinglin.synthetic.plan import Stream, iso
from xinglin.synthetic.recording import current_episode
from xinglin.synthetic.resources import Contact, blood_pressure, encounter, organization_reference, response, task
from xinglin.synthetic.scene import Scene

_FORM = "hypertension-followup"


def emit_drafts(scene: Scene, attended: list[Attendance], visits: Visits) -> None:
    """Write each draft: Encounter and form in progress, the reading, the task to complete it."""
    random = scene.stream(Stream.DRAFTS)
    for row, when in open_drafts(scene, attended, visits):
        systolic = int(min(max(scene.health.systolic[row] + 6 * random.normal(), 95), 178))
        diastolic = int(min(max(80 + 0.4 * (systolic - 135) + 4 * random.normal(), 50), systolic - 20))
        nurse = scene.township.one_of("nurse", row)
        contact = Contact(
            id=f"F{scene.record[row]}-draft{iso(when).replace('-', '')}", patient=scene.patient(BASE, row), service="followup-hypertension", day=when,
            minute=int(random.integers(500, 1000)), institution=scene.township.code, practitioner=nurse.number, way=1, entered=when,
            episode=current_episode(scene, row, "hypertension"), status="in-progress",
        )  # fmt: skip
        items = [day("visit_date", when), choice(_FORM, "way", "1"), number("systolic", systolic), number("diastolic", diastolic)]
        work = task((f"{contact.id}-todo", "complete-followup"), contact.patient, f"Encounter/{contact.id}", "requested", contact.at)
        work["owner"] = organization_reference(scene.township.code)
        for resource in (encounter(contact), blood_pressure(contact, systolic, diastolic), response(contact, _FORM, items), work):
            scene.emission.put(BASE, "0005-followups", resource)
