"""高血压、2型糖尿病随访: what is due when, why, and when a referral is proposed; the yearly examination; who is to be enrolled.

Source: 国家基本公共卫生服务规范（第三版）, 高血压、2型糖尿病、老年人健康管理服务规范 (from memory, unverified).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.spec.chronic_disease.people import TODAY, A, edition
from xinglin.engines.rules import calculate

ENROLLED = date(2026, 2, 1)
HTN, DM = "hypertension-followup", "diabetes2-followup"


def due(person: A, definition: str = HTN) -> tuple[Any, Any, Any]:
    told = person.says(definition)
    return told["due_from"], told["due_by"], told["state_why"]


def test_刚纳入_当天起可访_三个月内首访() -> None:
    assert due(A().enrolled(TODAY)) == (TODAY, date(2027, 2, 21), "first")


def test_控制满意_三个月后随访_提前十四天可访() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 9, 1), (128, 80))
    assert due(person) == (date(2026, 11, 17), date(2026, 12, 1), "routine")
    assert person.says(HTN)["lost_after"] == date(2027, 3, 1)


def test_五十八岁_152_96_不满意_两周内随访_当天上清单() -> None:
    assert due(A(born=date(1968, 3, 1)).enrolled(ENROLLED).visited(TODAY, (152, 96))) == (TODAY, date(2026, 12, 5), "recheck")


def test_连续两次不满意_建议转诊_两周内追踪() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 11, 7), (152, 96)).visited(TODAY, (150, 94))
    assert due(person) == (TODAY, date(2026, 12, 5), "referral")
    assert person.explained(HTN).changes[0].zh == "连续两次控制不满意：建议转诊，2026-12-05 前追踪结果"


def test_隔一次达标不算连续() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 10, 1), (152, 96)).visited(date(2026, 10, 14), (130, 80)).visited(TODAY, (150, 94))
    assert due(person)[2] == "recheck"


@pytest.mark.parametrize("first", [(152, 96), None])
def test_不满意后电话随访没有测量_两周内随访不变_直到测得满意(first: tuple[float, float] | None) -> None:
    person = A().enrolled(ENROLLED)
    if first is not None:
        person.visited(date(2026, 10, 20), first, outcome="2")
    person.visited(date(2026, 11, 7), (150, 94), outcome="2")
    person.visited(TODAY, way="3", outcome="1", next_visit=date(2027, 2, 21))
    assert due(person) == (TODAY, date(2026, 12, 5), "referral" if first else "recheck")
    person.visited(date(2026, 12, 3), way="3", outcome="1", next_visit=date(2027, 3, 3))
    assert person.says(HTN, date(2026, 12, 3))["due_by"] == date(2026, 12, 17)
    person.visited(date(2026, 12, 10), (132, 80), outcome="1", next_visit=date(2027, 3, 10))
    assert person.says(HTN, date(2026, 12, 10))["due_by"] == date(2027, 3, 10)


def test_须两周内随访的_表上写得更晚也以两周为限_写得更早照写() -> None:
    seen = A().enrolled(ENROLLED).visited(TODAY, (152, 96), outcome="2", next_visit=date(2027, 2, 21))
    assert due(seen) == (TODAY, date(2026, 12, 5), "recheck")
    assert due(A().enrolled(ENROLLED).visited(TODAY, (152, 96), outcome="2", next_visit=date(2026, 11, 28)))[1] == date(2026, 11, 28)


def test_医生有理由改判满意的_不再追两周() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 11, 7), (142, 88), outcome="1", next_visit=date(2027, 2, 7))
    person.visited(TODAY, way="3", outcome="1", next_visit=date(2027, 2, 21))
    assert due(person)[1:] == (date(2027, 2, 21), "routine")


def test_糖尿病_不满意后电话随访没有测血糖_两周内随访不变() -> None:
    person = A().enrolled(ENROLLED, programme="diabetes2").visited(date(2026, 11, 7), glucose=8.1, outcome="2")
    person.visited(TODAY, way="3", glucose=None, outcome="1", next_visit=date(2027, 2, 21))
    assert due(person, DM) == (TODAY, date(2026, 12, 5), "recheck")


@pytest.mark.parametrize("pressure", [(180, 100), (150, 110)])
def test_危急血压_紧急转诊_两周内追踪(pressure: tuple[float, float]) -> None:
    assert due(A().enrolled(ENROLLED).visited(TODAY, pressure)) == (TODAY, date(2026, 12, 5), "emergency")
    assert due(A().enrolled(ENROLLED).visited(TODAY, (179, 109)))[2] == "recheck"


def test_危险体征也是紧急() -> None:
    assert due(A().enrolled(ENROLLED).visited(TODAY, (130, 80), danger="2"))[2] == "emergency"
    assert due(A().enrolled(ENROLLED).visited(TODAY, (130, 80), danger="1"))[2] == "routine"


def test_不良反应两周内随访() -> None:
    assert due(A().enrolled(ENROLLED).visited(TODAY, (128, 80), adverse="2"))[1:] == (date(2026, 12, 5), "recheck")


def test_医生改选的分类优先() -> None:
    assert due(A().enrolled(ENROLLED).visited(TODAY, (128, 80), outcome="4"))[1:] == (date(2026, 12, 5), "referral")
    assert due(A().enrolled(ENROLLED).visited(TODAY, (128, 80), outcome="2"))[1:] == (date(2026, 12, 5), "recheck")


def test_预约日期优先于规则() -> None:
    assert due(A().enrolled(ENROLLED).visited(TODAY, (128, 80), next_visit=date(2027, 1, 10)))[1] == date(2027, 1, 10)


def test_死亡_迁出_不再列入() -> None:
    assert A(died=date(2026, 5, 1)).enrolled(ENROLLED).says(HTN)["applies"] is False
    assert A().enrolled(ENROLLED).left(TODAY, "moved_out").says(HTN)["applies"] is False
    assert A().says(HTN)["applies"] is False


@pytest.mark.parametrize(
    ("glucose", "why", "by"),
    [
        (6.9, "routine", date(2027, 2, 21)),
        (7.0, "recheck", date(2026, 12, 5)),
        (16.7, "emergency", date(2026, 12, 5)),
        (3.9, "emergency", date(2026, 12, 5)),
        (4.0, "routine", date(2027, 2, 21)),
    ],
)
def test_空腹血糖的界值(glucose: float, why: str, by: date) -> None:
    person = A().enrolled(ENROLLED, programme="diabetes2").visited(TODAY, glucose=glucose)
    assert due(person, DM)[1:] == (by, why)
    assert person.counted("管理人群血糖控制率") == (int(glucose < 7.0), 1, None)


@pytest.mark.parametrize(("born", "is_due"), [(date(1961, 12, 31), True), (date(1962, 1, 1), False)])
def test_当年满六十五岁列入老年人体检(born: date, is_due: bool) -> None:
    assert A(born=born).says("annual-examination")["applies"] is is_due


def test_老年人体检_填写完整才计入健康管理率() -> None:
    person = A(born=date(1950, 1, 1))
    assert person.counted("elderly-health-management-rate") == (0, 1, None)
    assert person.examined(date(2026, 3, 1), complete=False).counted("elderly-health-management-rate") == (0, 1, None)
    assert person.explained("elderly-health-management-rate").changes[0].zh == "已体检，体检表未填写完整：补全即计入"
    assert person.examined(date(2026, 4, 1)).counted("elderly-health-management-rate") == (1, 1, None)
    assert person.says("annual-examination")["due_from"] == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("code", "verification", "born", "is_listed"),
    [
        ("I10.x00x002", "confirmed", date(1980, 1, 1), True),
        ("I15.0", "confirmed", date(1980, 1, 1), True),
        ("I20", "confirmed", date(1980, 1, 1), False),
        ("I10", "provisional", date(1980, 1, 1), False),
        ("I10", "entered-in-error", date(1980, 1, 1), False),
        ("I10", "confirmed", date(1992, 1, 1), False),
    ],
)
def test_确诊未纳入的列出(code: str, verification: str, born: date, is_listed: bool) -> None:
    person = A(born=born).row(
        "condition", code=code, verification_status=verification, clinical_status="active", recorded_on=date(2026, 5, 1)
    )
    assert person.says("hypertension-enrolment")["applies"] is is_listed
    assert person.enrolled(date(2026, 6, 1)).says("hypertension-enrolment")["applies"] is False


def test_疑似高血压_非同日三次偏高即转诊() -> None:
    person = A().visited(date(2026, 11, 1), (146, 88), kind="outpatient")
    assert person.says("hypertension-suspected")["state_why"] == "measure_again"
    person.visited(date(2026, 11, 8), (150, 92), kind="outpatient").visited(date(2026, 11, 8), (150, 92), kind="outpatient")
    assert person.says("hypertension-suspected")["state_why"] == "measure_again"
    assert person.visited(date(2026, 11, 15), (142, 88), kind="outpatient").says("hypertension-suspected")["state_why"] == "refer"
    assert person.visited(date(2026, 11, 18), (128, 80), kind="outpatient").says("hypertension-suspected")["applies"] is False


def test_转诊任务未完成的列入追踪() -> None:
    person = A().row("task", kind="referral-result", status="requested", authored_on=date(2026, 11, 10), due_on=date(2026, 11, 24))
    assert (person.says("referral-tracking")["applies"], person.says("referral-tracking")["due_by"]) == (True, date(2026, 11, 24))
    assert person.changed("task", status="completed").says("referral-tracking")["applies"] is False


def test_待补全随访列入清单() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 11, 20), (152, 96), status="in-progress")
    assert person.says("followup-to-complete")["applies"] is True
    assert due(person)[2] == "first"


@pytest.mark.parametrize(
    ("total", "told"), [(0, "1"), (3, "1"), (4, "2"), (8, "2"), (9, "3"), (18, "3"), (19, "4"), (37, "4"), (None, None)]
)
def test_自理能力分级的界值(total: int | None, told: str | None) -> None:
    assert calculate(edition().get("self-care-class"), {"total": total}, TODAY) == told


def test_体质指数保留一位() -> None:
    assert calculate(edition().get("body-mass-index"), {"weight_kg": 70.5, "height_cm": 165}, TODAY) == 25.9


def test_没有填完的体检待补全_填完即消() -> None:
    begun = A(born=date(1985, 3, 1)).examined(date(2026, 11, 10), complete=False, status="in-progress")
    told = begun.says("examination-to-complete")
    assert (told["applies"], told["due_from"], told["due_by"]) == (True, date(2026, 11, 10), date(2026, 11, 24))
    assert not A(born=date(1985, 3, 1)).examined(date(2026, 11, 10), complete=False).says("examination-to-complete")["applies"]
    elder = A(born=date(1950, 3, 1)).examined(date(2026, 6, 1), complete=False)
    assert (told := elder.says("examination-to-complete"))["applies"] and told["due_by"] == date(2026, 12, 31)
    assert not elder.examined(date(2026, 7, 1)).says("examination-to-complete")["applies"]


def test_到期后门诊测过血压_列为待补全_随访后即消() -> None:
    seen = A().enrolled(ENROLLED).visited(date(2026, 8, 10), (132, 82))
    assert not seen.says("hypertension-from-reading")["applies"]
    seen.visited(date(2026, 10, 20), (136, 84), kind="outpatient", way=None)
    assert not seen.says("hypertension-from-reading", date(2026, 10, 21))["applies"], "not due yet"
    seen.visited(date(2026, 11, 15), (152, 96), kind="outpatient", way=None)
    told = seen.says("hypertension-from-reading")
    assert (told["applies"], told["due_from"], told["due_by"], told["state_last_systolic"]) == (
        True,
        date(2026, 11, 15),
        date(2026, 11, 29),
        152,
    )
    assert not seen.says("hypertension-from-reading", date(2026, 11, 30))["applies"], "too long ago"
    assert not seen.visited(date(2026, 11, 15), (152, 96)).says("hypertension-from-reading")["applies"]


def test_两周内须随访的_门诊测过即可补全_没有纳入的不列() -> None:
    urgent = A().enrolled(ENROLLED).visited(date(2026, 11, 12), (152, 96), outcome="2")
    assert urgent.visited(date(2026, 11, 16), (138, 84), kind="outpatient", way=None).says("hypertension-from-reading")["applies"]
    assert not A().visited(date(2026, 11, 16), (138, 84), kind="outpatient", way=None).says("hypertension-from-reading")["applies"]


def test_到期后门诊测过空腹血糖_列为待补全() -> None:
    seen = A().enrolled(ENROLLED, programme="diabetes2").visited(date(2026, 8, 10), glucose=6.2)
    seen.visited(date(2026, 11, 15), glucose=7.4, kind="outpatient", way=None)
    assert seen.says("diabetes2-from-reading")["applies"] and seen.says("diabetes2-from-reading")["state_last_glucose"] == 7.4
