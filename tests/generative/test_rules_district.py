"""On a generated district too, every definition says the same for everyone at once and for each person; and its numbers are not empty."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.generative.made_people import connect
from xinglin.definitions import LAKE, Question, reference, shipped_catalogue
from xinglin.engines.lake import Fact, load_views, rows_of
from xinglin.engines.rules import Closures, Frame, compile_sql
from xinglin.synthetic import Plan, generate

AS_OF = date(2026, 11, 21)
ID_NUMBER = "urn:oid:2.16.156.10011.1.3"
EDITION = shipped_catalogue().edition(AS_OF)
SHIPPED = [item.id for item in EDITION.of_kind("measure", "programme", "worklist")]
People = dict[int, dict[str, list[dict[str, Any]]]]


class Numbers:
    """Gives each (type, id) a number."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, str], int] = {}

    def one(self, key: tuple[str, str]) -> int:
        return self.given.setdefault(key, len(self.given) + 1)

    async def rids(self, keys: Any) -> dict[Any, int]:
        return {key: self.one(key) for key in keys}


def _read(folder: Path, numbers: Numbers) -> tuple[list[Fact], dict[int, int]]:
    """Return the facts of every source and source patient → person (by ID number, else alone)."""
    facts, persons, by_number = [], {}, {}
    for file in sorted(folder.glob("*/*.ndjson")):
        if "truth" in file.parts or "damaged" in file.name:
            continue
        for line in file.read_bytes().splitlines():
            resource = orjson.loads(line)
            rid = numbers.one((resource["resourceType"], resource["id"]))
            facts.append(Fact(rid, 1, len(facts) + 1, 1, resource))
            if resource["resourceType"] == "Patient":
                known = [item["value"] for item in resource.get("identifier", ()) if item.get("system") == ID_NUMBER]
                persons[rid] = by_number.setdefault(known[0], rid) if known else rid
    return facts, persons


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    folder = tmp_path_factory.mktemp("district")
    generate(Plan(residents=400, seed=5, as_of=AS_OF, years=2, workers=1), folder)
    numbers = Numbers()
    facts, persons = _read(folder, numbers)
    tables = asyncio.run(rows_of(load_views(ZoneInfo("Asia/Shanghai")), facts, numbers))
    found: People = defaultdict(lambda: {name: [] for name in LAKE})
    for name in LAKE:
        for row in tables[name]:
            patient = row["rid"] if name == "patient" else row["patient"]
            if patient in persons:
                found[persons[patient]][name].append(row | {"seq": row["known_from"]})
    return dict(found)


def plain(value: Any) -> Any:
    return tuple(plain(item) for item in value) if isinstance(value, list | tuple) else value


def test_every_definition_agrees_on_every_person_of_the_district(people: People) -> None:
    connection, closures = connect(people), Closures()
    frames = {person: Frame(Question(rows, AS_OF)) for person, rows in people.items()}
    # The reference is slow by design (it computes everything again for every row), so it judges people with fewer rows.
    sample = [person for person in sorted(people) if sum(map(len, people[person].values())) < 120][::40]
    for name in SHIPPED:
        definition = EDITION.get(name)
        rows = connection.sql(compile_sql(definition.outputs), params={"as_of": AS_OF}).to_arrow_table().to_pylist()
        by_person = {row.pop("person"): {output: plain(value) for output, value in row.items()} for row in rows}
        assert by_person.keys() == people.keys()
        for person, frame in frames.items():
            quick = {output: plain(value) for output, value in closures.evaluate(definition.outputs, frame).items()}
            assert by_person[person] == quick, name
        for person in sample:
            question = Question(people[person], AS_OF)
            assert by_person[person] == {output: plain(reference(node, question)) for output, node in definition.outputs.items()}, name


@pytest.mark.parametrize(
    "name",
    ["hypertension-control-rate", "hypertension-standard-progress", "hypertension-visits", "elderly-health-management-rate", "records"],
)
def test_its_numbers_are_neither_empty_nor_full(people: People, name: str) -> None:
    closures, definition = Closures(), EDITION.get(name)
    told = [closures.evaluate(definition.outputs, Frame(Question(rows, AS_OF))) for rows in people.values()]
    assert sum(item["numerator"] for item in told) > 0
    if definition.unit != "count":
        assert sum(item["numerator"] for item in told) < sum(item["denominator"] for item in told)
