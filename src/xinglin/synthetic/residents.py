"""Patients of every source, with each source's own damage; households and mothers of newborns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from xinglin.synthetic.dirt import Particulars, damage
from xinglin.synthetic.emission import BASE, COUNTY_HIS, IMMUNIZATION, SOURCES, TOWNSHIP_HIS
from xinglin.synthetic.numbers import ID_NUMBER, RECORD_NUMBER, phone
from xinglin.synthetic.plan import FAR, Stream, iso
from xinglin.synthetic.resources import Resource, organization_reference
from xinglin.synthetic.scene import Scene

_GENDERS = {1: "male", 2: "female", 0: "unknown", 9: "other"}
_DUPLICATED = 0.021
_PLACEHOLDER = 0.03


def emit_residents(scene: Scene) -> None:
    """Write the Patients of all sources and the truth about them; then households and newborns' mothers."""
    random = scene.stream(Stream.DIRT)
    count = len(scene.people)
    second_file = random.random(count) < _DUPLICATED
    for row in range(count):
        known: list[tuple[str, str]] = []
        for source in SOURCES:
            if _knows(scene, source, row):
                known += emit_copies(random, scene, (source, row), 2 if source == BASE and second_file[row] else 1)
        if known:
            tell_person(scene, row, known)
    _households(scene)
    for row in range(count):
        if scene.people.population.birth[row] >= scene.plan.first_day:
            emit_mother(scene, row)


def emit_copies(random: np.random.Generator, scene: Scene, who: tuple[str, int], copies: int) -> list[tuple[str, str]]:
    """Write a source's Patient of a person (source, row), or two of them by mistake; returns (source, id) of each."""
    source, row = who
    known = []
    for number in range(copies):
        identifier = scene.patient(source, row) + ("D" if number else "")
        copy, damages = damage(random, source, _true(scene, row), f"198000{scene.village:05d}")
        if source == IMMUNIZATION and random.random() < _PLACEHOLDER:
            copy, damages = _unnamed(scene, row, copy), [*damages, "placeholder_name"]
        scene.emission.put(source, "0001-patients", _patient(scene, source, row, (identifier, copy)))
        known.append((source, identifier))
        scene.emission.tallies["copies"] += 1
        scene.emission.tallies["missing_id"] += copy.id_number is None
        if number:
            damages.append("duplicated_file")
            scene.emission.tallies["duplicated"] += 1
        if damages:
            scene.emission.line("truth/damage.ndjson", {"source": source, "id": identifier, "damage": damages})
    return known


def draw_copies(random: np.random.Generator) -> int:
    """Draw how many files the base platform opens for a person: one, or two by mistake."""
    return 1 + int(random.random() < _DUPLICATED)


def tell_person(scene: Scene, row: int, known: list[tuple[str, str]]) -> None:
    """Write the truth about who a source's records are."""
    truth = {"person": int(scene.people.population.person[row]), "id_number": str(scene.people.population.id_number[row]),
             "records": [{"source": s, "id": i} for s, i in known]}  # fmt: skip
    scene.emission.line("truth/persons.ndjson", truth)


def _knows(scene: Scene, source: str, row: int) -> bool:
    return bool(scene.record[row]) if source == BASE else row in scene.seen.get(source, ())


def _true(scene: Scene, row: int) -> Particulars:
    people = scene.people
    number = int(people.phone[row])
    return Particulars(
        people.surname[row], people.given[row], int(people.population.sex[row]), iso(int(people.population.birth[row])),
        str(people.population.id_number[row]), phone(number) if number >= 0 else None,
    )  # fmt: skip


def _unnamed(scene: Scene, row: int, copy: Particulars) -> Particulars:
    """Return a newborn's copy as the delivery room writes it: the mother's name and 之子 or 之女, no ID number yet."""
    mother = int(scene.people.mother[row])
    name = scene.people.name(mother) if mother >= 0 else scene.people.surname[row]
    return replace(copy, surname=name[:1], given=name[1:] + ("之子" if copy.sex == 1 else "之女"), id_number=None)


def _patient(scene: Scene, source: str, row: int, copy: tuple[str, Particulars]) -> Resource:
    identifier, held = copy
    keeper = {BASE: scene.township, COUNTY_HIS: scene.hospital, TOWNSHIP_HIS: scene.township, IMMUNIZATION: scene.township}[source]
    identifiers: list[Resource] = []
    if held.id_number:
        identifiers.append({"system": ID_NUMBER, "value": held.id_number})
    if source == BASE:
        record = scene.record[row]
        identifiers.append(
            {"system": RECORD_NUMBER, "value": record if not identifier.endswith("D") else f"{record[:12]}{50000 + int(record[12:]):05d}"}
        )
    else:
        identifiers.append({"system": f"urn:xinglin:id:mrn:{keeper.code}", "value": identifier[1:]})
    resource: Resource = {
        "resourceType": "Patient", "id": identifier, "identifier": identifiers,
        "name": [{"use": "official", "text": held.surname + held.given, "family": held.surname, "given": [held.given]}],
        "gender": _GENDERS[held.sex], "birthDate": held.birth, "address": [_address(scene, source, row)],
        "managingOrganization": organization_reference(keeper.code),
    }  # fmt: skip
    if held.phone:
        resource["telecom"] = [{"system": "phone", "value": held.phone, "use": "mobile"}]
    if source == BASE:
        _base_only(scene, row, resource)
    return resource


def _address(scene: Scene, source: str, row: int) -> Resource:
    places, people = scene.world.places, scene.people
    village = places.villages[scene.village]
    address: Resource = {
        "extension": [{"url": "urn:xinglin:ext:division", "valueCode": f"{village.code:012d}"}],
        "use": "home", "text": f"{places.towns[village.town].name}{village.name}{people.group[row]}组{people.door[row]}号",
    }  # fmt: skip
    if source != BASE:
        return address
    arrive, leave, back = (int(getattr(people.population, name)[row]) for name in ("arrive", "leave", "back"))
    period: dict[str, Any] = {}
    if back <= scene.plan.last_day:
        period["start"] = iso(back)
    elif arrive > 0:
        period["start"] = iso(arrive)
    if leave <= scene.plan.last_day < back:
        period["end"] = iso(leave)
    if period:
        address["period"] = period
    return address


def _base_only(scene: Scene, row: int, resource: Resource) -> None:
    people, last = scene.people, scene.plan.last_day
    population = people.population
    away = int(population.leave[row]) <= last < int(population.back[row])
    resource["extension"] = [
        {"url": "urn:xinglin:ext:ethnicity", "valueCode": f"{people.ethnicity[row]:02d}"},
        {"url": "urn:xinglin:ext:payment", "valueCode": str(people.payment[row])},
        {"url": "urn:xinglin:ext:residence-type", "valueCode": "1" if population.registered[row] else "2"},
        {"url": "urn:xinglin:ext:residence-status", "valueCode": "moved_out" if away else "resident"},
        {"url": "urn:xinglin:ext:record-opened-on", "valueDate": iso(int(people.opened[row]))},
    ]
    death = int(population.death[row])
    if death < FAR:
        resource["deceasedDateTime"] = iso(death)


def _households(scene: Scene) -> None:
    people = scene.people
    members: dict[int, list[int]] = {}
    for row, household in enumerate(people.household.tolist()):
        if scene.record[row]:
            members.setdefault(household, []).append(row)
    for household, rows in members.items():
        emit_household(scene, household, rows)


def emit_household(scene: Scene, household: int, rows: list[int]) -> None:
    """Write a household of two and more who have a record (`rows`, in order)."""
    if len(rows) > 1:
        head = int(scene.people.head[rows[0]])
        head = head if scene.record[head] else rows[0]
        scene.emission.put(BASE, "0002-households", {
            "resourceType": "Group", "id": f"G{scene.code}{household:05d}", "type": "person", "actual": True, "code": {"coding": [{"system": "urn:xinglin:cs:group", "code": "household"}]},
            "extension": [{"url": "urn:xinglin:ext:household-head", "valueReference": {"reference": f"Patient/{scene.patient(BASE, head)}"}}],
            "quantity": len(rows), "member": [{"entity": {"reference": f"Patient/{scene.patient(BASE, row)}"}} for row in rows],
        })  # fmt: skip


def emit_mother(scene: Scene, row: int) -> None:
    """Write who the mother of a child is, where both have a record."""
    people = scene.people
    mother = int(people.mother[row])
    if mother >= 0 and scene.record[row] and scene.record[mother]:
        scene.emission.put(BASE, "0002-households", {
            "resourceType": "RelatedPerson", "id": f"M{scene.record[row]}", "active": True, "patient": {"reference": f"Patient/{scene.patient(BASE, row)}"},
            "identifier": [{"system": ID_NUMBER, "value": str(people.population.id_number[mother])}],
            "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH", "display": "mother"}]}],
            "name": [{"use": "official", "text": people.name(mother)}], "gender": "female",
        })  # fmt: skip
