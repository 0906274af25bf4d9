"""How fast the lake is: extraction per core, a bulk refresh, the refresh after one saved form, and questions.

`python -m bench.lake [--residents N]` prints a JSON object; each function returns one.  Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import orjson

from xinglin.base.clock import SystemClock
from xinglin.engines.lake import Fact, Lake, LakeService, ReaderOptions, extract, load_views
from xinglin.engines.security import Scopes

ZONE = ZoneInfo("Asia/Shanghai")
LOINC = "http://loinc.org"
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Entry:
    seq: int
    kind: str
    rid: int | None
    ver: int
    rtype: str | None
    person: int | None
    site: int
    body: bytes | None
    area: int | None = None
    institution: int | None = None


class _Feed:
    """A feed in memory of made-up residents with follow-ups."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []

    def put(self, resource: Resource) -> None:
        kind = resource["resourceType"]
        rid = crc32(f"{kind}/{resource['id']}".encode())
        self.entries.append(_Entry(len(self.entries) + 1, "resource", rid, 1, kind, None, 1, orjson.dumps(resource)))

    def place(self, number: int) -> None:
        patient = crc32(f"Patient/p{number}".encode())
        self.entries.append(_Entry(len(self.entries) + 1, "link", patient, 1, None, number, 1, None))
        area = 420999101000 + number % 40
        self.entries.append(_Entry(len(self.entries) + 1, "scope", None, 1, None, number, 1, None, area))

    async def rids(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return {key: crc32("/".join(key).encode()) for key in keys}

    async def feed(self, after: int, limit: int) -> Sequence[_Entry]:
        return self.entries[after : after + limit]

    async def head(self) -> int:
        return len(self.entries)

    async def wait(self, after: int, timeout_s: float) -> bool:
        return len(self.entries) > after


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _observation(number: str, who: str, visit: str, day: date, **content: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": number,
        "meta": {"versionId": "1", "lastUpdated": "2026-11-21T00:00:00.000Z"},
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "subject": {"reference": f"Patient/{who}"},
        "encounter": {"reference": f"Encounter/{visit}"},
        "effectiveDateTime": f"{day.isoformat()}T09:30:00+08:00",
        "performer": [{"reference": "Organization/o1"}],
        **content,
    }


def _pressure(number: str, who: str, visit: str, day: date, systolic: int) -> Resource:
    parts = [("8480-6", systolic), ("8462-4", systolic - 50)]
    component = [{"code": {"coding": [{"system": LOINC, "code": c}]}, "valueQuantity": _quantity(v, "mm[Hg]")} for c, v in parts]
    return _observation(number, who, visit, day, code={"coding": [{"system": LOINC, "code": "85354-9"}]}, component=component)


def _glucose(number: str, who: str, visit: str, day: date, value: float) -> Resource:
    code = {"coding": [{"system": LOINC, "code": "14771-0"}]}
    return _observation(number, who, visit, day, code=code, valueQuantity=_quantity(value, "mmol/L"))


def _form(number: str, who: str, visit: str, day: date) -> Resource:
    coded = ["way", "symptoms", "salt", "salt_target", "psychological", "compliance_behaviour", "medication_adherence", "outcome_class"]
    counted = [
        "systolic",
        "diastolic",
        "weight",
        "height",
        "bmi",
        "heart_rate",
        "smoking",
        "drinking",
        "exercise_times",
        "exercise_minutes",
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": number,
        "questionnaire": "urn:xinglin:form:hypertension-followup|1",
        "status": "completed",
        "subject": {"reference": f"Patient/{who}"},
        "encounter": {"reference": f"Encounter/{visit}"},
        "authored": f"{day.isoformat()}T09:40:00+08:00",
        "item": [{"linkId": name, "answer": [{"valueCoding": {"system": f"urn:xinglin:cs:f:{name}", "code": "1"}}]} for name in coded]
        + [{"linkId": name, "answer": [{"valueDecimal": 60.5}]} for name in counted]
        + [{"linkId": "next_visit_date", "answer": [{"valueDate": (day + timedelta(days=90)).isoformat()}]}],
    }


def _encounter(number: str, who: str, day: date) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": number,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"coding": [{"system": "urn:xinglin:cs:service", "code": "followup-hypertension"}]}],
        "subject": {"reference": f"Patient/{who}"},
        "participant": [{"individual": {"reference": "Practitioner/d1"}}],
        "period": {"start": f"{day.isoformat()}T09:30:00+08:00"},
        "serviceProvider": {"reference": "Organization/o1"},
        "extension": [{"url": "urn:xinglin:ext:followup-way", "valueCoding": {"code": "1"}}],
    }


def _patient(number: int) -> Resource:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "gender": "female" if number % 2 else "male",
        "birthDate": f"{1940 + number % 60}-05-06",
        "address": [{"extension": [{"url": "urn:xinglin:ext:division", "valueCode": str(420999101000 + number % 40)}]}],
        "managingOrganization": {"reference": "Organization/o1"},
    }


def _save_form(feed: _Feed, visit: int, who: str, day: date, random: Random) -> None:
    name = f"e{visit}"
    feed.put(_encounter(name, who, day))
    feed.put(_pressure(f"b{visit}", who, name, day, random.randint(105, 180)))
    feed.put(_glucose(f"g{visit}", who, name, day, round(random.uniform(4, 12), 1)))
    feed.put(_form(f"q{visit}", who, name, day))


def made_feed(residents: int, visits: int) -> _Feed:
    """Return a feed of residents, each with some follow-up visits of four resources."""
    feed, random, first = _Feed(), Random(1), date(2025, 1, 1)
    for number in range(residents):
        feed.put(_patient(number))
        feed.place(number)
        for visit in range(visits):
            day = first + timedelta(days=90 * visit + number % 90)
            _save_form(feed, number * visits + visit, f"p{number}", day, random)
    return feed


def extraction(count: int = 20_000) -> dict[str, float]:
    """Return resources per second of one core, body bytes to Arrow columns, by kind of resource."""
    views, day = load_views(ZONE), date(2026, 11, 21)
    kinds: dict[str, Callable[[], Resource]] = {
        "blood_pressure": lambda: _pressure("b", "p1", "e1", day, 140),
        "measurement": lambda: _glucose("g", "p1", "e1", day, 6.1),
        "encounter": lambda: _encounter("e1", "p1", day),
        "form": lambda: _form("q", "p1", "e1", day),
        "patient": lambda: _patient(1),
    }
    found = {}
    warm = extract(views, [Fact(1, 1, 1, 1, make()) for make in kinds.values()])
    for table in warm.rows_by_table:
        warm.arrow(table, {})  # the first conversion of a process loads what Arrow needs
    for name, make in kinds.items():
        body = orjson.dumps(make())
        started = time.perf_counter()
        for at in range(0, count, 5_000):
            work = extract(views, (Fact(rid, 1, rid, 1, orjson.loads(body)) for rid in range(at, at + 5_000)))
            rids = dict.fromkeys(work.keys(), 1)
            for table in work.rows_by_table:
                work.arrow(table, rids)
        found[f"{name}_per_s"] = round(count / (time.perf_counter() - started))
    return found


async def _timed(work: Any) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


QUESTIONS = {
    "latest_pressure_by_village_s": """
        with latest as (
            select patient, max_by(systolic_mmhg, taken_at) as systolic from blood_pressure where status = 'final' group by patient
        ) select s.area, count(*) filter (systolic < 140) as under, count(*) as n
        from latest join person_link l using (patient) join person_scope s using (person) group by s.area order by s.area""",
    "visits_by_month_s": """
        select date_trunc('month', start_date) as month, count(*) from encounter
        where kind = 'followup-hypertension' and status = 'finished' group by month order by month""",
    "answers_of_one_form_s": "select link_id, code, avg(number), count(*) from answer group by link_id, code order by all",
    "one_patient_s": "select * from blood_pressure where patient = (select min(patient) from blood_pressure)",
}


async def _river(folder: Path, residents: int, visits: int, saves: int) -> dict[str, float]:
    feed, clock, house = made_feed(residents, visits), SystemClock(ZONE), Scopes.system_scope()
    service = LakeService(Lake(folder, load_views(ZONE), clock), feed, clock, ReaderOptions(ZONE))
    total = len(feed.entries)
    bulk = await _timed(service.refresh())
    found: dict[str, float] = {"entries": total, "bulk_s": bulk, "bulk_entries_per_s": total / bulk, "fold_s": await _timed(service.fold())}
    for name, sql in QUESTIONS.items():
        await service.query(house, sql)
        found[name] = min([await _timed(service.query(house, sql)) for _ in range(5)])
    times, asked, random = [], [], Random(2)
    for save in range(saves):
        _save_form(feed, residents * visits + save, f"p{save % residents}", date(2026, 11, 21), random)
        times.append(await _timed(service.refresh()))
        asked.append(await _timed(service.query(house, QUESTIONS["latest_pressure_by_village_s"])))
    found |= {"refresh_one_form_s": sorted(times)[saves // 2], "refresh_one_form_most_s": max(times)}
    found |= {"question_after_refresh_s": sorted(asked)[saves // 2], "small_files_question_s": asked[-1]}
    before = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    found |= {"parquet_mb": before / 1e6}
    await service.stop()
    return found


def river(residents: int = 5_000, visits: int = 8, saves: int = 15) -> dict[str, float]:
    """Return the times of a bulk refresh, folding, questions, and of the refresh after one saved form of four resources."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: round(value, 4) for name, value in asyncio.run(_river(Path(folder) / "lake", residents, visits, saves)).items()}


def main() -> None:
    """Print every figure as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=5_000)
    residents = parser.parse_args().residents
    started = datetime.now(UTC)
    print(json.dumps({"at": started.isoformat(), "extraction": extraction(), "river": river(residents)}, indent=2))


if __name__ == "__main__":
    main()
