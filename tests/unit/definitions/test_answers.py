"""What people type is understood in the ways they type it, and refused with a sentence that says what to write."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from xinglin.base.errors import DefinitionError
from xinglin.definitions import FormContext, Parsed, load_forms, parse_answers, shipped_catalogue, shipped_forms

TODAY = date(2026, 11, 21)
FORM = shipped_forms(TODAY)["hypertension-followup"]
FULL = {
    "visit_date": "20261121", "way": "1", "symptoms": "1", "danger_signs": "1", "systolic": "132", "diastolic": "84",
    "medication_adherence": "1", "adverse_reaction": "1", "doctor": "王",
}  # fmt: skip


def parsed(born: date = date(1968, 3, 1), previous: str | None = None, **raw: str | list[str]) -> Parsed:
    return parse_answers(FORM, FULL | raw, FormContext(TODAY, {"birth_date": born, "previous_outcome_class": previous}))


def kinds(found: Parsed) -> dict[str, str]:
    return {problem.link_id: problem.kind for problem in found.problems}


@pytest.mark.parametrize(
    "text", ["20261120", "2026-11-20", "2026/11/20", "2026.11.20", "2026年11月20日", "２０２６１１２０", " 2026-11-20 ", "2026年11月20"]
)
def test_a_day_is_understood_as_people_write_it(text: str) -> None:
    assert parsed(visit_date=text).answers.get("visit_date") == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "hint"), [("20260231", "没有这一天"), ("20261122", "不能晚于今天"), ("1967-01-01", "不能早于出生日期"), ("昨天", "没有这一天")]
)
def test_a_wrong_day_is_refused(text: str, hint: str) -> None:
    found = parsed(visit_date=text)
    assert not found.can_save
    assert hint in next(problem.words.zh for problem in found.problems if problem.link_id == "visit_date")


def test_words_have_an_end() -> None:
    assert parsed(symptoms_other="长" * 500).can_save
    refused = parsed(symptoms_other="长" * 501)
    assert not refused.can_save and "不超过 500 个字" in refused.problems[0].words.zh


@pytest.mark.parametrize("text", ["24", "24kg/m²", "24 kg/m2", "２４"])
def test_a_number_may_stand_with_its_unit(text: str) -> None:
    found = parsed(bmi_target=text)
    assert found.can_save and found.answers.get("bmi_target") == 24
    assert "kg/m²" in next(problem.words.zh for problem in parsed(bmi_target="2400").problems if problem.link_id == "bmi_target")


@pytest.mark.parametrize("text", ["135/85", "１３５／８５", "135 / 85", "135-85"])
def test_two_numbers_in_one_box_split(text: str) -> None:
    found = parsed(systolic=text, diastolic="").answers
    assert (found.get("systolic"), found.get("diastolic")) == (135, 85)


@pytest.mark.parametrize("text", ["2", "2家庭", "家庭", "２", "2.家庭", "home"])
def test_a_code_is_its_digit_or_its_words(text: str) -> None:
    assert parsed(way=text).answers.get("way") == "2"


@pytest.mark.parametrize("text", ["4", "1家庭", "路上"])
def test_an_unknown_code_is_refused_with_the_choices(text: str) -> None:
    found = parsed(way=text)
    assert next(problem.words.zh for problem in found.problems) == "随访方式：请选 1门诊，2家庭，3电话"


@pytest.mark.parametrize("text", ["2,6", "2、6", "2 6", "２，６", "头痛头晕,心悸胸闷", ["2", "6"]])
def test_several_codes(text: str | list[str]) -> None:
    assert parsed(symptoms=text).answers.get("symptoms") == ("2", "6")


def test_none_stands_alone() -> None:
    assert kinds(parsed(symptoms="1,2"))["symptoms"] == "error"
    assert kinds(parsed(symptoms="2")) == {}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ({"weight": "70.5kg"}, None),
        ({"weight": "70.55"}, "error"),
        ({"weight": "7o"}, "error"),
        ({"weight": "500"}, "error"),
        ({"weight": "130"}, "unusual"),
        ({"weight": "70.50"}, None),
    ],
)
def test_a_number_has_a_range_and_decimals(raw: dict[str, Any], kind: str | None) -> None:
    assert kinds(parsed(**raw)).get("weight") == kind


def test_an_unusual_value_does_not_stop_the_save() -> None:
    found = parsed(weight="130")
    assert found.can_save
    assert found.is_complete


def test_what_is_missing_makes_it_incomplete_not_wrong() -> None:
    found = parsed(doctor="", systolic="", diastolic="")
    assert kinds(found) == {"doctor": "missing", "systolic": "missing", "diastolic": "missing", "outcome_class": "missing"}
    assert found.can_save
    assert not found.is_complete


def test_a_telephone_visit_needs_no_pressure() -> None:
    found = parsed(way="3", systolic="", diastolic="", outcome_class="1")
    assert kinds(found) == {}
    assert found.answers.get("next_visit_date") == date(2027, 2, 21)


@pytest.mark.parametrize(
    ("born", "pressure", "outcome", "following"),
    [
        (date(1968, 3, 1), ("152", "96"), "2", date(2026, 12, 5)),
        (date(1956, 3, 1), ("148", "88"), "1", date(2027, 2, 21)),
        (date(1956, 3, 1), ("150", "88"), "2", date(2026, 12, 5)),
        (date(1968, 3, 1), ("139", "89"), "1", date(2027, 2, 21)),
    ],
)
def test_outcome_and_next_visit_are_computed(born: date, pressure: tuple[str, str], outcome: str, following: date) -> None:
    found = parsed(born, systolic=pressure[0], diastolic=pressure[1]).answers
    assert (found.get("outcome_class"), found.get("next_visit_date")) == (outcome, following)


def test_a_computed_value_is_overruled_only_with_a_reason() -> None:
    without = parsed(outcome_class="4")
    assert kinds(without) == {"outcome_class": "error"}
    with_reason = parsed(outcome_class="4", override_reason_outcome_class="新发心绞痛")
    assert with_reason.is_complete
    assert with_reason.answers.overrides == {"outcome_class": "新发心绞痛"}
    assert with_reason.answers.get("next_visit_date") == date(2026, 12, 5)
    assert with_reason.answers.derived["referral"] == "complication"


def test_two_uncontrolled_visits_propose_a_referral() -> None:
    assert parsed(systolic="150", diastolic="94", previous="2").answers.derived["referral"] == "two_uncontrolled"
    assert parsed(systolic="150", diastolic="94", previous="1").answers.derived["referral"] is None
    assert parsed(systolic="182", diastolic="94").answers.derived["referral"] == "emergency"
    assert parsed(danger_signs="3").answers.derived["is_emergency"] is True


def test_rows_of_a_group_are_read_and_checked() -> None:
    found = parsed(**{"drugs.0.drug_name": "氨氯地平", "drugs.0.drug_dose": "2.5", "drugs.2.drug_times_per_day": "2"})
    assert found.answers.get("drugs") == ({"drug_name": "氨氯地平", "drug_dose": 2.5}, {"drug_times_per_day": 2})
    assert [problem.words.zh for problem in found.problems] == ["药物名称：第 3 行请填写"]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (('link_id = "weight"', 'carry = true\nlink_id = "weight"'), "cannot be carried over"),
        (('type = "date"', 'type = "day"'), "type must be one of"),
        (('codes = ["1门诊"', 'codes = ["门诊"'), "digit first"),
        (("body_mass_index(weight, height)", "body_mass_index(weight)"), "takes 2 arguments"),
        (('section = "signs"', 'section = "sign"'), "no section"),
        (('pair = "diastolic"', 'pair = "lower"'), "no item lower"),
        (('birth_date = "date"', 'birth_date = "day"'), "write the kind"),
        (('en = "visit date"\n', ""), "needs en"),
        (('computed = "body_mass_index(weight, height)"', 'colour = "red"'), "no field colour"),
        (("least = 40", "least = 400"), "ranges must be"),
        (('link_id = "symptoms_other"', 'link_id = "other_signs"'), "stands twice"),
        (('[[check]]\nlink_id = "diastolic"', '[[check]]\nlink_id = "nobody"'), "there is no item nobody"),
        (('[[check]]\nlink_id = "diastolic"', '[[check]]\nlinkid = "diastolic"'), "needs link_id, when"),
    ],
)
def test_a_wrong_form_is_refused_when_loaded(tmp_path: Path, change: tuple[str, str], hint: str) -> None:
    folder = Path(__file__).parents[3] / "src/xinglin/modules/chronic_disease/forms"
    text = (folder / "hypertension-followup.toml").read_text(encoding="utf-8")
    assert change[0] in text
    file = tmp_path / "form.toml"
    file.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as refusal:
        load_forms([file], shipped_catalogue().edition(TODAY))
    assert hint in refusal.value.en
    assert refusal.value.where.startswith("form.toml:")


@pytest.mark.parametrize(
    ("typed", "link_id", "hint"),
    [
        ({"systolic": "80", "diastolic": "120"}, "diastolic", "低于收缩压"),
        ({"visit_date": "20260301"}, "visit_date", "早于纳入管理"),
        ({"next_visit_date": "20261101", "override_reason_next_visit_date": "外出"}, "next_visit_date", "晚于此次随访"),
    ],
)
def test_answers_that_contradict_each_other_are_refused(typed: dict[str, str], link_id: str, hint: str) -> None:
    context = FormContext(TODAY, {"birth_date": date(1968, 3, 1), "enrolled_on": date(2026, 3, 2)})
    assert parse_answers(FORM, FULL, context).can_save
    found = parse_answers(FORM, FULL | typed, context)
    assert [problem.link_id for problem in found.problems if problem.kind == "error"] == [link_id]
    assert hint in next(problem.words.zh for problem in found.problems if problem.link_id == link_id)


def test_nobody_is_visited_after_death() -> None:
    died = FormContext(TODAY, {"birth_date": date(1968, 3, 1), "death_date": date(2026, 5, 12)})
    assert parse_answers(FORM, FULL | {"visit_date": "20260511"}, died).can_save
    assert kinds(parse_answers(FORM, FULL, died))["visit_date"] == "error"
