"""What definitions read of a record: tables, and the codes to which every reading of a table is limited."""

from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.definitions import Reads, load, shipped_catalogue

HEAD = """id = "m"
kind = "measure"
zh = "某"
en = "some"
source = "某规范"
status = "local"
verified = false
population = "exists(patient)"
"""


def reads(folder: Path, numerator: str, more: str = "") -> Reads:
    (folder / "m.toml").write_text(f'{HEAD}numerator = "{numerator}"\n{more}', encoding="utf-8")
    return load([folder]).reads


@pytest.mark.parametrize(
    ("numerator", "column", "codes"),
    [
        ("exists(answer where link_id = 'a')", "link_id", {"a"}),
        ("exists(answer where link_id in ['a', 'b'] and code = '1')", "code", {"1"}),
        ("exists(answer where link_id = 'a') and exists(answer where link_id = 'b')", "link_id", {"a", "b"}),
        ("exists(answer where link_id = 'a' and code = '1') and exists(answer where link_id = 'b')", "link_id", {"a", "b"}),
        ("exists(answer where link_id = 'a' or link_id = 'b')", "link_id", {"a", "b"}),
        ("count(answer where link_id = 'a' and authored_on <= as_of) >= 2", "link_id", {"a"}),
    ],
)
def test_a_table_is_limited_where_every_reading_of_it_is(tmp_path: Path, numerator: str, column: str, codes: set[str]) -> None:
    found = reads(tmp_path, numerator)
    assert found.tables == {"patient", "answer"}
    assert found.limits == {("answer", (column, frozenset(codes)))}


@pytest.mark.parametrize(
    "numerator",
    [
        "exists(answer)",
        "exists(answer where link_id = 'a') and exists(answer)",
        "exists(answer where link_id = 'a' or code = '1')",
        "exists(answer where not (link_id = 'a'))",
        "exists(answer where link_id != 'a')",
        "exists(answer where link_id = 'a') and exists(answer where code = '1')",
        "count(answer where authored_on <= as_of) > 0",
    ],
)
def test_it_is_read_whole_where_one_reading_asks_for_more(tmp_path: Path, numerator: str) -> None:
    assert reads(tmp_path, numerator).limits == frozenset()


def test_named_rows_are_followed_to_their_table(tmp_path: Path) -> None:
    limited = reads(tmp_path, "exists(all where link_id = 'a')", '[let]\nall = "answer"\n')
    assert limited.limits == {("answer", ("link_id", frozenset({"a"})))}
    whole = reads(tmp_path, "exists(all where link_id = 'a') and exists(all)", '[let]\nall = "answer"\n')
    assert whole.limits == frozenset()


def test_a_table_that_references_lead_to_is_read_whole(tmp_path: Path) -> None:
    found = reads(tmp_path, "exists(answer where link_id = 'a' and encounter.kind = 'x') and exists(encounter where kind = 'y')")
    assert found.tables == {"patient", "answer", "encounter"}
    assert found.limits == {("answer", ("link_id", frozenset({"a"})))}


def test_what_ships_reads_few_answers_and_one_measurement() -> None:
    found = shipped_catalogue().reads
    limits = dict(found.limits)
    assert "medication" not in found.tables
    assert limits["measurement"] == ("code", frozenset({"14771-0"}))
    assert limits["answer"][0] == "link_id" and "outcome_class" in limits["answer"][1]


def test_advice_is_asked_of_the_record_too(tmp_path: Path) -> None:
    advice = '[[advice]]\nwhen = "exists(answer where code = \'1\') and not exists(task)"\nzh = "请"\nen = "do"\n'
    found = reads(tmp_path, "exists(answer where link_id = 'a')", advice)
    assert found.tables == {"patient", "answer", "task"} and not found.limits
