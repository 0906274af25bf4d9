"""Follow-ups that only the upper-level platform has, as entries of a message: nobody types them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from xinglin.base.database import Database
from xinglin.base.ids import uuid5_of
from xinglin.engines.exchange.door import Exchange
from xinglin.engines.exchange.model import Entry, State, Submission
from xinglin.engines.exchange.upper.model import SOURCE, Catalogue, Field, Kind, TheirRow
from xinglin.engines.security import Scope

_CLASSES: Final = {"1": "AMB", "2": "HH", "3": "VR"}
_WAY_SYSTEM: Final = "urn:oid:2.16.156.10011.2.3.1.183"
_PANEL: Final = ("systolic", "diastolic")
_LABORATORY: Final = frozenset({"fasting_glucose", "hba1c", "haemoglobin", "creatinine", "total_cholesterol", "triglycerides"})
_UCUM: Final = "http://unitsofmeasure.org"
Resource = dict[str, Any]


def entries_of(catalogue: Catalogue, kind: Kind, row: TheirRow, who: tuple[str, str | None]) -> list[Entry]:
    """Return Encounter, form and readings of a row; the same row gives the same ids, so taking it twice changes nothing.

    who: ("Patient/id", "Organization/id" of the managing institution or None).
    """
    stem = f"{kind.code}|{row.id_number}|{row.day.isoformat()}"
    encounter = _encounter(kind, row, (stem, who))
    about = {"subject": {"reference": who[0]}, "encounter": {"reference": f"Encounter/{encounter['id']}"}}
    fields = {field.name: field for field in catalogue.fields_of(kind)}
    made = [encounter, _form(kind, row, (stem, about), fields), *_readings(row, (stem, about), fields)]
    return [Entry(resource, f"urn:uuid:{resource['id']}") for resource in made]


def _id(stem: str, part: str) -> str:
    return uuid5_of(SOURCE, f"{stem}|{part}")


def _encounter(kind: Kind, row: TheirRow, origin: tuple[str, tuple[str, str | None]]) -> Resource:
    stem, (patient, organization) = origin
    way = row.values.get("way", "")
    resource: Resource = {
        "resourceType": "Encounter", "id": _id(stem, "encounter"), "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": _CLASSES.get(way, "AMB")},
        "type": [{"coding": [{"system": "urn:xinglin:cs:service", "code": kind.service}]}],
        "subject": {"reference": patient}, "period": {"start": row.day.isoformat(), "end": row.day.isoformat()},
    }  # fmt: skip
    if organization:
        resource["serviceProvider"] = {"reference": organization}
    if way:
        resource["extension"] = [{"url": "urn:xinglin:ext:followup-way", "valueCoding": {"system": _WAY_SYSTEM, "code": way}}]
    return resource


def _form(kind: Kind, row: TheirRow, origin: tuple[str, Resource], fields: Mapping[str, Field]) -> Resource:
    stem, about = origin
    items = []
    for name, value in row.values.items():
        field = fields.get(name)
        if field is not None and field.of in ("form", "visit"):
            items.append({"linkId": field.link, "answer": _answers(kind, field, value)})
    return {
        "resourceType": "QuestionnaireResponse", "id": _id(stem, "form"), "status": "completed", "questionnaire": f"urn:xinglin:form:{kind.code}|1",
        **about, "authored": row.day.isoformat(), "item": items,
    }  # fmt: skip


def _answers(kind: Kind, field: Field, value: str) -> list[Resource]:
    if field.kind in ("code", "codes"):
        system = f"urn:xinglin:cs:{kind.code}:{field.link}"
        return [{"valueCoding": {"system": system, "code": code}} for code in value.split(",")]
    if field.kind == "number":
        return [{"valueDecimal": float(value)}]
    return [{"valueDate": value}] if field.kind == "date" else [{"valueString": value}]


def _readings(row: TheirRow, origin: tuple[str, Resource], fields: Mapping[str, Field]) -> list[Resource]:
    made = []
    if all(row.values.get(name) for name in _PANEL):
        parts = [
            {"code": _loinc(fields[name].loinc), "valueQuantity": _quantity(fields[name], row.values[name], "mmHg")} for name in _PANEL
        ]
        made.append(_observation(row, origin, ("85354-9", "vital-signs")) | {"component": parts})
    for name, value in row.values.items():
        field = fields.get(name)
        if field is not None and field.loinc and name not in _PANEL:
            category = "laboratory" if name in _LABORATORY else "vital-signs"
            made.append(_observation(row, origin, (field.loinc, category)) | {"valueQuantity": _quantity(field, value, field.unit)})
    return made


def _observation(row: TheirRow, origin: tuple[str, Resource], what: tuple[str, str]) -> Resource:
    stem, about = origin
    category = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": what[1]}]}
    return {
        "resourceType": "Observation", "id": _id(stem, what[0]), "status": "final", "category": [category], "code": _loinc(what[0]),
        **about, "effectiveDateTime": row.day.isoformat(),
    }  # fmt: skip


def _loinc(code: str) -> Resource:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def _quantity(field: Field, value: str, unit: str) -> Resource:
    return {"value": float(value), "unit": unit, "system": _UCUM, "code": field.unit}


async def take_rows(
    rooms: tuple[Exchange, Database], scope: Scope, what: tuple[Catalogue, Kind], rows: Sequence[tuple[TheirRow, int]]
) -> tuple[int, list[tuple[str, str]]]:
    """Send each row (row, person) through the exchange as a message of its own; returns how many stand now, and why others do not."""
    exchange, database = rooms
    places = await _places(database, [person for _, person in rows])
    taken, refusals = 0, []
    for row, person in rows:
        entries = entries_of(*what, row, places[person])
        content = orjson.dumps([entry.resource for entry in entries])
        message_id = f"upper-{what[1].code}-{row.batch_no}-{row.line}"
        receipt = await exchange.submit(scope, Submission(SOURCE, message_id, content, entries, kind="form"))
        if receipt.state in (State.STORED, State.UNCHANGED):
            taken += 1
        else:
            refusals += [(problem.zh, problem.en) for problem in receipt.problems[:1]]
    return taken, refusals


async def _places(database: Database, persons: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Return person → references to the source Patient that belongs to the managing institution (else the first) and to that institution."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            """select r.person, n.id as patient, o.id as organization from resident r
               join ident n on n.rid = coalesce((select k.patient from patient_key k where k.patient = any(r.patients)
                 and k.institution = r.institution order by k.patient limit 1), r.patients[1])
               left join ident o on o.rid = r.institution and o.rtype = 'Organization' where r.person = any($1::bigint[])""",
            list(persons),
        )
    return {
        row["person"]: (f"Patient/{row['patient']}", f"Organization/{row['organization']}" if row["organization"] else None) for row in rows
    }
