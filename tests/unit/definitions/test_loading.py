"""Definition files are checked when they are read: each fault names file, line and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from xinglin.base.errors import DefinitionError, NotFoundError
from xinglin.definitions import Catalogue, Question, load, reference, reference_pages, shipped_catalogue

HEAD = """id = "{id}"
kind = "{kind}"
zh = "某"
en = "some"
source = "某规范"
status = "local"
verified = false
"""
MEASURE = HEAD.format(id="m", kind="measure")
RATE = MEASURE + 'population = "exists(episode)"\nnumerator = "exists(encounter)"\n'
Writer = Callable[..., Catalogue]


@pytest.fixture
def written(tmp_path: Path) -> Writer:
    def write(*texts: str) -> Catalogue:
        for number, text in enumerate(texts):
            (tmp_path / f"d{number}.toml").write_text(text, encoding="utf-8")
        return load([tmp_path])

    return write


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        (RATE.replace('source = "某规范"\n', ""), "d0.toml:1", "source is missing"),
        (RATE.replace('kind = "measure"', 'kind = "rate"'), "d0.toml:2", "must be one of"),
        (RATE.replace("verified = false", 'verified = "no"'), "d0.toml:7", "true or false"),
        (RATE.replace("exists(encounter)", "exists(encountr)"), "d0.toml:9:8", "there is no encountr"),
        (RATE.replace("exists(encounter)", "as_of"), "d0.toml:9", "must be a bool / number"),
        (MEASURE, "d0.toml:1", "needs population and numerator"),
        (RATE + "colour = 3\n", "d0.toml:10", "no field colour"),
        (RATE + '[let]\na = "b"\nb = "a"\n', "d0.toml:11", "define each other"),
        (RATE + '[let]\nstatus = "1"\n', "d0.toml:11", "choose another"),
        (RATE + '[[exclusion]]\nreason = "x"\nzh = "x"\nen = "x"\n', "d0.toml:10", "needs when"),
        (RATE + '[code_set.x]\ncodes = ["1"]\n', "d0.toml:10", "needs codes and source"),
        (RATE + 'uses = ["nothing"]\n', "d0.toml:10", "there are no terms nothing"),
        (RATE + '[[advice]]\nwhen = "true"\nzh = "{n} 次"\nen = "x"\n', "d0.toml:10", "not defined"),
        (RATE + '[[variant]]\nid = "v"\nparameters = { limit = 3 }\n', "d0.toml:10", "no parameter limit"),
        (RATE + "evidence = ['exists(episode)']\n", "d0.toml:10", "list of rows"),
        (RATE + '[classes]\na = "甲"\n', "d0.toml:11", "write {"),
        ("id = ", "d0.toml", "not valid TOML"),
    ],
)
def test_a_fault_is_found_when_loading(written: Writer, text: str, where: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        written(text)
    assert refusal.value.where == where
    assert hint in refusal.value.en
    assert written(RATE).edition(date(2026, 1, 1)).get("m").kind == "measure"


def test_a_classification_may_only_answer_with_its_classes(written: Writer) -> None:
    text = (
        HEAD.format(id="c", kind="classification")
        + "value = \"if x > 1 then 'a' else 'b' end\"\n[inputs]\nx = 'number'\n[classes]\na = { zh = '甲', en = 'a' }\n"
    )
    with pytest.raises(DefinitionError, match="no class b"):
        written(text)


def test_a_rule_of_2021_and_its_successor_of_2025_stand_side_by_side(written: Writer) -> None:
    limit = HEAD.format(id="high", kind="calculator") + 'value = "systolic >= {limit}"\n[inputs]\nsystolic = "number"\n'
    old = limit.format(limit=140).replace('status = "local"', 'status = "local"\neffective_from = 2021-01-01\neffective_to = 2024-12-31')
    new = limit.format(limit=130).replace('status = "local"', 'status = "local"\neffective_from = 2025-01-01')
    measure = MEASURE.replace('status = "local"', 'status = "local"\neffective_from = 2021-01-01') + (
        'population = "exists(blood_pressure)"\nnumerator = "high(latest(blood_pressure).systolic_mmhg)"\n'
    )
    catalogue = written(old, new, measure)
    rows = {"blood_pressure": [{"rid": 1, "seq": 1, "taken_on": date(2024, 6, 1), "systolic_mmhg": 135}]}
    before, after = (catalogue.edition(day).get("m") for day in (date(2024, 12, 31), date(2025, 1, 1)))
    assert reference(before.outputs["numerator"], Question(rows, date(2024, 12, 31))) == 0
    assert reference(after.outputs["numerator"], Question(rows, date(2025, 1, 1))) == 1
    assert before.hash != after.hash
    with pytest.raises(NotFoundError):
        catalogue.edition(date(2020, 1, 1)).get("m")


def test_two_vintages_must_not_overlap(written: Writer) -> None:
    with pytest.raises(DefinitionError, match="overlap"):
        written(RATE, RATE.replace('status = "local"', 'status = "local"\neffective_from = 2025-01-01'))


def test_variants_differ_in_parameters_and_the_default_answers_to_the_base_name(written: Writer) -> None:
    catalogue = written(
        MEASURE
        + 'population = "true"\nnumerator = "exists(encounter where way in ways)"\n[parameter.ways]\nvalue = ["1"]\n'
        + '[[variant]]\nid = "near"\nzh = "近"\nen = "near"\n[[variant]]\nid = "any"\nzh = "任"\nen = "any"\ndefault = true\nparameters = { ways = ["1", "3"] }\n'
    )
    edition = catalogue.edition(date(2026, 1, 1))
    rows = {"encounter": [{"rid": 1, "seq": 1, "way": "3"}]}
    told = {name: reference(edition.get(name).outputs["numerator"], Question(rows, date(2026, 1, 1))) for name in ("m.near", "m.any", "m")}
    assert told == {"m.near": 0, "m.any": 1, "m": 1}
    assert [item.id for item in edition.of_kind("measure")] == ["m.any", "m.near"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("规范管理率", ["高血压患者规范管理率（hypertension-standard-rate", "2型糖尿病患者规范管理率（diabetes2-standard-rate"]),
        ("人群血压控制率", ["管理人群血压控制率（hypertension-control-rate）"]),
        ("hypertension-contol-rate", ["管理人群血压控制率（hypertension-control-rate）"]),
        ("BP Control", ["管理人群血压控制率（hypertension-control-rate）"]),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: list[str]) -> None:
    with pytest.raises(NotFoundError) as refusal:
        shipped_catalogue().edition(date(2026, 1, 1)).get(name)
    assert all(text in refusal.value.zh for text in nearest)
    assert refusal.value.zh.count("（") <= 8


def test_a_variant_answers_to_the_title_its_page_shows() -> None:
    edition = shipped_catalogue().edition(date(2026, 1, 1))
    assert edition.get("高血压患者规范管理率（含电话）").id == "hypertension-standard-rate.any_way"


def test_every_shipped_definition_has_source_and_says_whether_it_was_checked() -> None:
    sources = list(shipped_catalogue().sources)
    assert len(sources) > 20
    for source in sources:
        assert source.data["source"]
        assert source.data["kind"] == "terms" or source.data["clause"]
        assert source.data["verified"] is False or source.data["status"] == "national"


def test_the_reference_pages_are_current() -> None:
    folder = Path(__file__).parents[3] / "docs" / "reference"
    pages = reference_pages()
    stale = [name for name, text in pages.items() if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `xinglin docs`"
    assert {f"definitions/{path.name}" for path in (folder / "definitions").glob("*.md")} == set(pages)
