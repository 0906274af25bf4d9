"""A measure counts what a scope sees, group by group, and every number opens into the people behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import xinglin.modules.chronic_disease
from tests.generative.made_people import TODAY, connect, make_people
from xinglin.base.errors import IncorrectError, NotFoundError, UnavailableError
from xinglin.definitions import Question, load, reference
from xinglin.engines.rules import MemberQuery, ResultGround, Rules, SqlTexts, wilson
from xinglin.engines.security import Security

CATALOGUE = load([Path(xinglin.modules.chronic_disease.__file__).parent / "definitions"])
PEOPLE = make_people(7, 120)
HOUSE = Security.system_scope()
TOWN = 420999101000


class TableColumns:
    """The lake as one DuckDB; a scope with areas sees the persons of those areas."""

    def __init__(self) -> None:
        self._duck = connect(PEOPLE)
        self.asked: list[str] = []

    async def query(self, scope: Any, sql: str, parameters: Any = (), *, as_known_on: int | None = None) -> tuple[Any, int]:
        self.asked.append(sql)
        if not scope.is_house:
            low, high = scope.areas[0]
            sql = sql.replace(
                "person_link",
                f"(select * from person_link where person in (select person from person_scope where area between {low} and {high}))",
            )
        return self._duck.sql(sql, params=parameters or None).to_arrow_table(), 5


def rules(columns: Any) -> Rules:
    return Rules(CATALOGUE, ResultGround(None, columns, None, SqlTexts(), HOUSE, 1))  # type: ignore[arg-type]


def meant(definition_id: str, output: str) -> dict[int, Any]:
    definition = CATALOGUE.edition(TODAY).get(definition_id)
    return {person: reference(definition.outputs[output], Question(rows, TODAY)) for person, rows in PEOPLE.items()}


async def test_the_total_is_the_sum_of_what_the_reference_says_of_each_person() -> None:
    found = await rules(TableColumns()).measure(HOUSE, "hypertension-control-rate", TODAY)
    assert found.total.numerator == sum(meant("hypertension-control-rate", "numerator").values()) > 0
    assert found.total.denominator == sum(meant("hypertension-control-rate", "denominator").values()) > found.total.numerator
    reasons = list(meant("hypertension-control-rate", "reason").values())
    assert found.total.exclusions == {reason: reasons.count(reason) for reason in ("died", "moved_out", "diagnosis_corrected")}
    assert found.total.interval == wilson(found.total.numerator, found.total.denominator)
    assert (found.seq, found.as_of) == (5, TODAY)


@pytest.mark.parametrize("group_by", ["town", "village", "institution", "practitioner"])
async def test_groups_add_up_to_the_total(group_by: Any) -> None:
    found = await rules(TableColumns()).measure(HOUSE, "管理人群血压控制率", TODAY, group_by)
    assert sum(row.denominator for row in found.rows) == found.total.denominator
    assert sum(row.numerator for row in found.rows) == found.total.numerator
    assert len({row.group for row in found.rows}) == len(found.rows) > 1


async def test_a_scope_counts_only_whom_it_sees() -> None:
    door = rules(TableColumns())
    town = HOUSE.narrowed(areas=[(TOWN, TOWN + 999)])
    inside = await door.measure(town, "hypertension-managed", TODAY)
    everyone = await door.measure(HOUSE, "hypertension-managed", TODAY, "town")
    of_town = next(row for row in everyone.rows if row.group == TOWN)
    assert 0 < inside.total.numerator == of_town.numerator < everyone.total.numerator
    page = await door.members(town, "hypertension-managed", TODAY, MemberQuery("numerator"))
    assert page.total == inside.total.numerator
    assert all(person % 3 == 0 for person in (member.person for member in page.members))


async def test_members_come_with_the_rows_that_count() -> None:
    door = rules(TableColumns())
    page = await door.members(HOUSE, "hypertension-visits", TODAY, MemberQuery("numerator", size=10))
    definition = CATALOGUE.edition(TODAY).get("hypertension-visits")
    assert len(page.members) == min(10, page.total) > 0
    for member in page.members:
        assert member.evidence == reference(definition.outputs["evidence_0"], Question(PEOPLE[member.person], TODAY))
        assert member.numerator > 0


async def test_the_parts_of_a_number_fit_together() -> None:
    door = rules(TableColumns())
    total = (await door.measure(HOUSE, "hypertension-standard-rate", TODAY)).total
    parts = {
        part: (await door.members(HOUSE, "hypertension-standard-rate", TODAY, MemberQuery(part))).total
        for part in ("numerator", "denominator", "gap", "excluded")
    }  # type: ignore[arg-type]
    assert parts == {
        "numerator": total.numerator,
        "denominator": total.denominator,
        "gap": total.denominator - total.numerator,
        "excluded": sum(total.exclusions.values()),
    }


async def test_a_measure_is_computed_once_for_all_who_ask() -> None:
    columns = TableColumns()
    door = rules(columns)
    await door.measure(HOUSE, "records", TODAY)
    heavy = sum("layer_0" in sql for sql in columns.asked)
    await door.measure(HOUSE.narrowed(areas=[(TOWN, TOWN + 999)]), "records", TODAY, "village")
    assert heavy == 1 == sum("layer_0" in sql for sql in columns.asked)


async def test_wrong_questions_are_refused_with_what_to_write() -> None:
    door = rules(TableColumns())
    with pytest.raises(NotFoundError, match="hypertension-control-rate"):
        await door.measure(HOUSE, "hypertension-control", TODAY)
    with pytest.raises(IncorrectError, match="not a measure"):
        await door.measure(HOUSE, "hypertension-followup", TODAY)
    with pytest.raises(IncorrectError, match="village"):
        await door.measure(HOUSE, "records", TODAY, "street")  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match="engine process"):
        await rules(None).measure(HOUSE, "records", TODAY)


def test_where_tells_file_clause_sql_and_page() -> None:
    found = rules(None).where("管理人群血压控制率", TODAY)
    assert found.place == "src/xinglin/modules/chronic_disease/definitions/hypertension-control-rate.toml:1"
    assert "$as_of" in found.sql
    assert "管理人群血压控制率" in found.clause
    assert found.page == "/measures/hypertension-control-rate"
    assert found.is_verified is False
