"""Records of ours as a sheet of the upper-level platform would show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError
from xinglin.engines.exchange.upper.model import NO_DAY, Catalogue, Kind, OurRecord
from xinglin.engines.security import Scope, scope_condition
from xinglin.engines.store import Page, Store, Stored

MOST_RECORDS: Final = 20_000
_PAGE: Final = "1000"
_IDS: Final = 400
_NO_FORMS: Final[Mapping[str, dict[str, str]]] = {}
_WAYS: Final = {"AMB": "1", "HH": "2", "VR": "3"}
_FOLLOWUP_WAY: Final = "urn:xinglin:ext:followup-way"
_PERSON: Final = """
select r.person, r.name, r.sex, r.birth_date, r.id_number, r.phone, r.record_number, r.area, d.name as area_name, r.death_date,
       i.code as institution_code, i.name as institution_name, r.patients, r.changed_at
from resident r left join institution i on i.rid = r.institution left join division d on d.area = r.area
"""
_TOO_MANY: Final = (
    f"这段时间的记录超过 {MOST_RECORDS} 条，请缩短时间或分机构办理",
    f"over {MOST_RECORDS} records in this time; choose a shorter one or one institution",
)


class Records:
    """Reads the record inside a scope; what is read through the store's search is audited there."""

    def __init__(self, database: Database, store: Store, catalogue: Catalogue, zone: ZoneInfo) -> None:
        self._database = database
        self._store = store
        self._catalogue = catalogue
        self._zone = zone

    async def of_period(self, scope: Scope, kind: Kind, first: date, last: date) -> list[OurRecord]:
        """Return the records whose day lies in first..last (residents: whose record changed then).

        Raises: IncorrectError for more than MOST_RECORDS.
        """
        if not kind.service:
            return await self._residents(scope, (first, last))
        # A visit may have no end, which for a search is one that goes on: so what begins after the day before and before the day after.
        found = await self._search(scope, "Encounter", [*self._visits(kind), *_begun("date", (first, last))])
        forms = await self._forms_of_days(scope, (first, last)) if len(found) > _IDS else {}
        return [record for record in await self._visited(scope, kind, found, forms) if first <= record.day <= last]

    async def of_rids(self, scope: Scope, kind: Kind, rids: Sequence[int]) -> list[OurRecord]:
        """Return the records of rids (Encounters, or Patients for residents) that the scope sees and that are of the kind."""
        if not kind.service:
            return await self._residents(scope, None, rids=rids)
        own = [own_id for rtype, own_id in (await self._store.keys(rids)).values() if rtype == "Encounter"]
        found: list[Stored] = []
        for chunk in _chunks(own):
            found += await self._search(scope, "Encounter", [*self._visits(kind), ("_id", ",".join(chunk))])
        return await self._visited(scope, kind, found)

    async def persons_of(self, scope: Scope, id_numbers: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Return ID number → (person, name) of the residents the scope sees."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select r.id_number, r.person, r.name from resident r where r.id_number = any($1::text[]) and {scope_condition(scope, 'r.person')}",
                sorted(set(id_numbers)),
            )
        return {row["id_number"]: (row["person"], row["name"]) for row in rows}

    @staticmethod
    def _visits(kind: Kind) -> list[tuple[str, str]]:
        return [("type", f"urn:xinglin:cs:service|{kind.service}"), ("status", "finished"), ("_count", _PAGE)]

    async def _search(self, scope: Scope, rtype: str, query: Sequence[tuple[str, str]], *, most: int = MOST_RECORDS) -> list[Stored]:
        found: list[Stored] = []
        cursor: str | None = None
        while True:
            page: Page = await self._store.search(scope, rtype, [*query, *([("_cursor", cursor)] if cursor else [])])
            found.extend(page.entries)
            if len(found) > most:
                raise IncorrectError(*_TOO_MANY)
            if (cursor := page.next_cursor) is None:
                return found

    async def _residents(self, scope: Scope, days: tuple[date, date] | None, rids: Sequence[int] = ()) -> list[OurRecord]:
        since = datetime.combine(days[0], datetime.min.time(), self._zone) if days else None
        until = datetime.combine(days[1] + timedelta(days=1), datetime.min.time(), self._zone) if days else None
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"""{_PERSON} where {scope_condition(scope, "r.person")} and ($1::timestamptz is null or r.changed_at >= $1)
                and ($2::timestamptz is null or r.changed_at < $2) and ($3::bigint[] is null or r.person in
                (select person from person_link where patient = any($3) and to_seq is null)) order by r.person limit $4""",
                since, until, list(rids) if days is None else None, MOST_RECORDS + 1,
            )  # fmt: skip
        if len(rows) > MOST_RECORDS:
            raise IncorrectError(*_TOO_MANY)
        return [
            OurRecord(row["patients"][0], "resident", row["person"], 0, NO_DAY, resident_values(row)) for row in rows if row["patients"]
        ]

    async def _visited(
        self, scope: Scope, kind: Kind, found: Sequence[Stored], known: Mapping[str, dict[str, str]] = _NO_FORMS
    ) -> list[OurRecord]:
        visits = [(one, orjson.loads(one.body)) for one in found]
        forms = {**known, **await self._forms(scope, [one.id for one in found if one.id not in known])}
        readings = await self._readings(scope, [one.id for one in found if one.id not in forms])
        people = await self._people([_tail(body.get("subject")) for _, body in visits])
        records = []
        for stored, body in visits:
            person = people.get(_tail(body.get("subject")))
            day = _day(body, self._zone)
            if person is not None and day is not None:
                filled = forms.get(stored.id) or readings.get(stored.id, {})
                values = self._visit_values(kind, (body, day), filled) | resident_values(person)
                records.append(OurRecord(stored.rid, kind.code, person["person"], stored.version, day, values))
        return records

    async def _people(self, patients: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"""select n.id as patient_id, q.* from ident n join person_link l on l.patient = n.rid and l.to_seq is null
                join ({_PERSON}) q on q.person = l.person where n.rtype = 'Patient' and n.id = any($1::text[])""",
                sorted(set(patients)),
            )
        return {row["patient_id"]: row for row in rows}

    async def _forms(self, scope: Scope, encounters: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return Encounter id → linkId → canonical text of the form filled at it."""
        forms: dict[str, dict[str, str]] = {}
        for chunk in _chunks(encounters):
            named = ",".join(f"Encounter/{own}" for own in chunk)
            for stored in await self._search(scope, "QuestionnaireResponse", [("encounter", named), ("_count", _PAGE)]):
                body = orjson.loads(stored.body)
                forms[_tail(body.get("encounter"))] = dict(answers(body.get("item") or ()))
        return forms

    async def _forms_of_days(self, scope: Scope, days: tuple[date, date]) -> dict[str, dict[str, str]]:
        """Return the forms filled in some days as `_forms` does; faster than asking for each visit, but late ones are not among them."""
        asked = [*_begun("authored", days), ("_count", _PAGE)]
        found = await self._search(scope, "QuestionnaireResponse", asked, most=4 * MOST_RECORDS)
        bodies = [orjson.loads(stored.body) for stored in found]
        return {_tail(body.get("encounter")): dict(answers(body.get("item") or ())) for body in bodies if body.get("encounter")}

    async def _readings(self, scope: Scope, encounters: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return Encounter id → linkId → value of the readings taken at it, for visits that came without a form."""
        by_loinc = {field.loinc: field.link for field in self._catalogue.fields.values() if field.loinc}
        found: dict[str, dict[str, str]] = {}
        for chunk in _chunks(encounters):
            named = ",".join(f"Encounter/{own}" for own in chunk)
            for stored in await self._search(scope, "Observation", [("encounter", named), ("_count", _PAGE)]):
                body = orjson.loads(stored.body)
                values = found.setdefault(_tail(body.get("encounter")), {})
                for part in (body, *(body.get("component") or ())):
                    codes = [coding.get("code") for coding in (part.get("code") or {}).get("coding") or ()]
                    value = (part.get("valueQuantity") or {}).get("value")
                    link = next((by_loinc[code] for code in codes if code in by_loinc), None)
                    if link and value is not None:
                        values[link] = plain_number(value)
        return found

    def _visit_values(self, kind: Kind, visit: tuple[Mapping[str, Any], date], form: Mapping[str, str]) -> dict[str, str]:
        body, day = visit
        values = {field.name: form[field.link] for field in self._catalogue.fields_of(kind) if field.of == "form" and form.get(field.link)}
        values[kind.day_field] = day.isoformat()
        way = next((one["valueCoding"].get("code") for one in body.get("extension") or () if one.get("url") == _FOLLOWUP_WAY), None)
        if way or kind.service.startswith("followup"):
            values["way"] = str(way or _WAYS.get((body.get("class") or {}).get("code", ""), ""))
        return {name: value for name, value in values.items() if value}


def resident_values(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a resident's facts as canonical text."""
    plain = {
        name: row[name]
        for name in ("name", "id_number", "phone", "record_number", "area", "area_name", "institution_code", "institution_name")
    }
    plain |= {"sex": row["sex"], "birth_date": row["birth_date"], "death_date": row["death_date"]}
    return {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in plain.items() if value not in (None, "")}


def answers(items: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Yield (linkId, canonical text) of a form's items; several coded answers are joined by commas."""
    for item in items:
        given = [text for answer in item.get("answer") or () if (text := _answer(answer))]
        if given:
            yield str(item.get("linkId")), ",".join(sorted(given, key=lambda code: (len(code), code)) if len(given) > 1 else given)


def _answer(answer: Mapping[str, Any]) -> str:
    if "valueCoding" in answer:
        return str(answer["valueCoding"].get("code", ""))
    for name in ("valueDecimal", "valueInteger"):
        if name in answer:
            return plain_number(answer[name])
    if "valueQuantity" in answer:
        return plain_number(answer["valueQuantity"].get("value", 0))
    return str(answer.get("valueDate") or answer.get("valueString") or "")


def plain_number(value: Any) -> str:
    """Return a JSON number as plain decimal text.

    >>> plain_number(72.50), plain_number(80)
    ('72.5', '80')
    """
    number = Decimal(str(value)).normalize()
    return format(number, "f") if number else "0"


def _day(body: Mapping[str, Any], zone: ZoneInfo) -> date | None:
    text = str((body.get("period") or {}).get("start", ""))
    if "T" in text:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(zone).date()
    return date.fromisoformat(text) if len(text) == 10 else None


def _begun(parameter: str, days: tuple[date, date]) -> list[tuple[str, str]]:
    one = timedelta(days=1)
    return [(parameter, f"sa{(days[0] - one).isoformat()}"), (parameter, f"lt{(days[1] + one).isoformat()}")]


def _tail(reference: Mapping[str, Any] | None) -> str:
    return str((reference or {}).get("reference", "")).rsplit("/", 1)[-1]


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _IDS] for start in range(0, len(ids), _IDS))
