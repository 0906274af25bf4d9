"""Enrolments and follow-ups of one village as the base platform (基层公卫系统) holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xinglin.synthetic.cases import NAMES
from xinglin.synthetic.emission import BASE
from xinglin.synthetic.followups import Visits
from xinglin.synthetic.forms import Drug, Filled, followup_items
from xinglin.synthetic.health import Episode
from xinglin.synthetic.plan import FAR, Stream, iso, table
from xinglin.synthetic.resources import (
    Contact,
    Resource,
    blood_pressure,
    coded,
    encounter,
    instant,
    measurement,
    medication,
    organization_reference,
    practitioner_reference,
    response,
    task,
)
from xinglin.synthetic.samples import ROSTER_DAYS, SHEET_DAYS
from xinglin.synthetic.scene import Scene

_REASONS = {1: "连续两次控制不满意", 2: "血压或血糖达到紧急转诊标准"}

_TRACED_LATE = 0.97


def episode_id(scene: Scene, episode: Episode) -> str:
    """Return the id of an enrolment: unique per person, programme and first day."""
    letter = {"hypertension": "h", "diabetes2": "d", "elderly": "e"}[episode.programme]
    return f"E{scene.record[episode.row]}-{letter}{iso(episode.start).replace('-', '')}"


def emit_episode(scene: Scene, episode: Episode) -> None:
    """Write the EpisodeOfCare of an enrolment."""
    period = {"start": iso(episode.start)}
    resource: Resource = {
        "resourceType": "EpisodeOfCare", "id": episode_id(scene, episode), "status": "active" if episode.end == FAR else "finished",
        "type": [coded("programme", episode.programme)], "patient": {"reference": f"Patient/{scene.patient(BASE, episode.row)}"},
        "managingOrganization": organization_reference(scene.township.code), "period": period,
        "careManager": practitioner_reference(scene.township.one_of("responsible_doctor", scene.village).number),
    }  # fmt: skip
    if episode.end < FAR:
        period["end"] = iso(episode.end)
        resource["extension"] = [{"url": "urn:xinglin:ext:exit-reason", "valueCode": episode.reason}]
    scene.emission.put(BASE, "0003-episodes", resource)


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral whose result nobody has asked for: person, ids of the ServiceRequest and of the Task, day it will be asked for (FAR = never)."""

    row: int
    request: str
    task: str
    answered: int


@dataclass(slots=True)
class Desk:
    """What the recording worker has at hand: enrolments by person and form, the drugs each person takes, referrals not yet answered.

    on_paper: the last village sends its last follow-ups as Excel instead.
    """

    scene: Scene
    random: np.random.Generator
    episodes: dict[tuple[int, str], list[Episode]] = field(default_factory=dict)
    drugs: dict[tuple[int, str], list[Drug]] = field(default_factory=dict)
    referrals: list[Referral] = field(default_factory=list)
    on_paper: bool = True


def open_desk(scene: Scene) -> Desk:
    """Return a desk that knows the enrolments of the village."""
    desk = Desk(scene, scene.stream(Stream.RECORDING))
    for episode in scene.episodes:
        desk.episodes.setdefault((episode.row, episode.programme), []).append(episode)
    return desk


def emit_followups(desk: Desk, visits: Visits) -> None:
    """Write the visits: Encounter, readings, the form as filled, medicines, referrals; one set per form."""
    columns = [getattr(visits, name).tolist() for name in ("row", "day", "hypertension", "diabetes")]
    for at, (row, day, hypertension, diabetes) in enumerate(zip(*columns, strict=True)):
        for programme, wanted in (("hypertension", hypertension), ("diabetes2", diabetes)):
            if wanted:
                _emit_one(desk, visits, at, (row, day, programme))


def _contact(desk: Desk, visits: Visits, at: int, who: tuple[int, int, str]) -> Contact:
    scene = desk.scene
    row, day, programme = who
    covering = [e for e in desk.episodes[row, programme] if e.start <= day] or desk.episodes[row, programme]
    place = scene.township if visits.by_town[at] else scene.clinic
    worker = place.one_of("responsible_doctor" if visits.by_town[at] else "village_doctor", 0 if visits.by_town[at] == 2 else scene.village)
    entered = int(visits.entered[at])
    return Contact(
        id=f"F{scene.record[row]}-{programme[0]}{iso(day).replace('-', '')}{visits.minute[at] % 60:02d}", patient=scene.patient(BASE, row),
        service=f"followup-{programme}", day=day, minute=int(visits.minute[at]), institution=place.code, practitioner=worker.number,
        way=int(visits.way[at]), entered=entered, episode=episode_id(scene, covering[-1]),
    )  # fmt: skip


def _emit_one(desk: Desk, visits: Visits, at: int, who: tuple[int, int, str]) -> None:
    scene, (row, day, programme) = desk.scene, who
    contact = _contact(desk, visits, at, who)
    systolic, diastolic, weight = int(visits.systolic[at]), int(visits.diastolic[at]), float(visits.weight[at])
    glucose = float(visits.glucose[at]) if programme == "diabetes2" else 0.0
    outcome = int((visits.h_class if programme == "hypertension" else visits.d_class)[at])
    drugs = _drugs(desk, (row, programme), outcome) if visits.adherence[at] < 3 else []
    refer = int(visits.refer[at])
    if _goes_on_paper(desk, visits, at, who):
        scene.emission.sheet.append(_line(scene, contact, (systolic, diastolic, weight), (visits, at, drugs)))
        return
    if _is_on_roster(desk, visits, at, who):
        scene.emission.roster.append(_line(scene, contact, (systolic, diastolic, weight), (visits, at, drugs)))
    made: list[Resource] = [encounter(contact)]
    if systolic:
        made.append(blood_pressure(contact, systolic, diastolic))
    if contact.way != 3:
        made += [measurement(contact, "8867-4", int(visits.heart_rate[at])), measurement(contact, "29463-7", weight)]
    if glucose:
        made.append(measurement(contact, "14771-0", glucose))
    filled = Filled(
        day=day, way=contact.way, symptoms=_symptoms(desk, programme, outcome), systolic=systolic, diastolic=diastolic, weight=weight,
        height=float(scene.health.height[row]), heart_rate=int(visits.heart_rate[at]), glucose=glucose, cigarettes=10 if scene.health.smoker[row] else 0,
        salt=1 + (row + at) % 2, adherence=int(visits.adherence[at]), adverse=int(visits.adverse[at]), outcome=outcome, drugs=tuple(drugs),
        next_day=int(visits.next_day[at]), refer_to=scene.hospital.name, refer_reason=_REASONS.get(refer, ""),
        doctor=_name_of(scene, contact.practitioner), turn=row + at,
    )  # fmt: skip
    made.append(response(contact, f"{programme}-followup", followup_items(f"{programme}-followup", filled)))
    made += [medication(contact, serial, drug) for serial, drug in enumerate(drugs)]
    for resource in made:
        scene.emission.put(BASE, "0005-followups", resource)
    if visits.case[at]:
        truth = {"case": NAMES[int(visits.case[at])], "source": BASE, "encounter": contact.id, "patient": contact.patient, "day": iso(day)}
        scene.emission.line("truth/authenticity.ndjson", truth)
    if refer and (programme == "hypertension" or not visits.hypertension[at]):
        _refer(desk, row, contact, refer)


def _goes_on_paper(desk: Desk, visits: Visits, at: int, who: tuple[int, int, str]) -> bool:
    """Return whether the visit is one of those that the last village sends as Excel instead."""
    scene = desk.scene
    last = scene.village == len(scene.world.places.villages) - 1
    plain = who[2] == "hypertension" and not visits.diabetes[at] and not visits.refer[at] and not visits.case[at]
    return desk.on_paper and last and plain and who[1] > scene.plan.last_day - SHEET_DAYS


def _is_on_roster(desk: Desk, visits: Visits, at: int, who: tuple[int, int, str]) -> bool:
    """Return whether the visit is one of those that the upper-level platform lists: measured ones of the days that were reported."""
    since, until = (desk.scene.plan.last_day - days for days in ROSTER_DAYS)
    return desk.on_paper and who[2] == "hypertension" and bool(visits.systolic[at]) and since <= who[1] <= until


def _line(scene: Scene, contact: Contact, readings: tuple[int, int, float], seen: tuple[Visits, int, list[Drug]]) -> dict[str, Any]:
    """Return a visit as a line of a sheet."""
    visits, at, drugs = seen
    row = int(visits.row[at])
    return {
        "town": scene.world.places.villages[scene.village].town, "name": scene.people.name(row), "id_number": str(scene.people.population.id_number[row]), "day": contact.day, "way": contact.way,
        "systolic": readings[0], "diastolic": readings[1], "weight": readings[2], "heart_rate": int(visits.heart_rate[at]),
        "adherence": int(visits.adherence[at]), "outcome": int(visits.h_class[at]), "next_day": int(visits.next_day[at]),
        "drug": drugs[0] if drugs else ("", 0, 0.0, ""), "doctor": _name_of(scene, contact.practitioner),
    }  # fmt: skip


def _name_of(scene: Scene, number: str) -> str:
    return next(p.name for p in (*scene.clinic.staff, *scene.township.staff) if p.number == number)


def _symptoms(desk: Desk, programme: str, outcome: int) -> tuple[str, ...]:
    if desk.random.random() > (0.25 if outcome > 1 else 0.05):
        return ("1",)
    return ("2",) if programme == "hypertension" or desk.random.random() < 0.5 else ("2", "4")


def _drugs(desk: Desk, key: tuple[int, str], outcome: int) -> list[Drug]:
    """Return the medicines in use after the visit; after a bad one a second or third is sometimes added."""
    shelf = [
        (str(n), int(t), float(d), str(u))
        for n, t, d, u in table("clinical")["hypertension_drugs" if key[1] == "hypertension" else "diabetes_drugs"]
    ]
    if key not in desk.drugs:
        weights = np.array([10, 5, 5, 3, 2, 2][: len(shelf)], dtype=float)
        desk.drugs[key] = [shelf[int(desk.random.choice(len(shelf), p=weights / weights.sum()))]]
    taken = desk.drugs[key]
    if outcome == 2 and len(taken) < 3 and desk.random.random() < 0.2:
        taken.append(next(drug for drug in shelf if drug not in taken))
    return list(taken)


def _refer(desk: Desk, row: int, contact: Contact, refer: int) -> None:
    """Write the referral and the task to ask for its result within 14 days. Source: 国家基本公共卫生服务规范（第三版）, unverified."""
    scene, age = desk.scene, desk.scene.plan.last_day - contact.day
    traced, late = desk.random.random() < scene.township.traits.traced, desk.random.random() < _TRACED_LATE
    done = (age > 10 and traced) or (age > 75 and late)
    request = f"{contact.id}-ref"
    scene.emission.put(BASE, "0006-referrals", {
        "resourceType": "ServiceRequest", "id": request, "status": "completed" if done else "active", "intent": "order",
        "category": [coded("request", "referral")], "priority": "urgent" if refer == 2 else "routine", "code": {"text": "转上级医院"},
        "subject": {"reference": f"Patient/{contact.patient}"}, "encounter": {"reference": f"Encounter/{contact.id}"}, "authoredOn": contact.at,
        "requester": practitioner_reference(contact.practitioner), "performer": [organization_reference(scene.hospital.code)],
        "reasonCode": [{"text": _REASONS[refer]}],
    })  # fmt: skip
    follow = task(
        (f"{contact.id}-res", "referral-result"),
        contact.patient,
        f"ServiceRequest/{request}",
        "completed" if done else "requested",
        contact.at,
    )
    follow["restriction"] = {"period": {"end": iso(contact.day + 14)}}
    follow["owner"] = organization_reference(contact.institution)
    if done:
        follow["lastModified"] = instant(contact.day + (11 if traced else 40), 600)
    else:
        desk.referrals.append(Referral(row, request, str(follow["id"]), contact.day + 11 if traced else contact.day + 76 if late else FAR))
    scene.emission.put(BASE, "0006-referrals", follow)


def current_episode(scene: Scene, row: int, programme: str) -> str | None:
    """Return the id of the person's active enrolment in a programme, or None."""
    return next((episode_id(scene, e) for e in scene.episodes if (e.row, e.programme, e.end) == (row, programme, FAR)), None)
