"""管理人群血压控制率: who is controlled, by the latest follow-up reading and the age on that day.

Source: 国家基本公共卫生服务规范（第三版）, 高血压患者健康管理服务规范, 工作指标 (from memory, unverified).
"""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.chronic_disease.people import A
from xinglin.definitions import shipped_catalogue
from xinglin.engines.rules import calculate

ENROLLED = date(2025, 3, 1)
RATE = "管理人群血压控制率"


@pytest.mark.parametrize(
    ("age", "pressure", "is_controlled"),
    [
        (40, (139, 89), True),
        (40, (140, 88), False),
        (40, (139, 90), False),
        (70, (149, 89), True),
        (70, (150, 88), False),
        (70, (148, 90), False),
        (70, (148, 88), True),
        (64, (145, 80), False),
        (65, (145, 80), True),
    ],
)
def test_血压达标的界值_按年龄(age: int, pressure: tuple[float, float], is_controlled: bool) -> None:
    person = A(born=date(2026 - age, 6, 1)).enrolled(ENROLLED).visited(date(2026, 6, 1), pressure)
    assert person.counted(RATE) == (int(is_controlled), 1, None)


def test_年龄不明_收缩压在两个界值之间的不下结论() -> None:
    day = date(2026, 6, 1)
    rule = shipped_catalogue().edition(day).get("hypertension-controlled")
    assert [calculate(rule, {"systolic": systolic, "diastolic": 80}, day) for systolic in (139, 145, 150)] == [True, None, False]


def test_年龄按随访当日而不是统计日() -> None:
    person = A(born=date(1961, 9, 1)).enrolled(ENROLLED).visited(date(2026, 8, 31), (145, 80))
    assert person.counted(RATE) == (0, 1, None)
    assert person.visited(date(2026, 9, 1), (145, 80)).counted(RATE) == (1, 1, None)


def test_看最近一次随访的血压() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 2, 1), (128, 80)).visited(date(2026, 5, 1), (152, 96))
    assert person.counted(RATE) == (0, 1, None)
    assert person.visited(date(2026, 5, 15), (136, 84)).counted(RATE) == (1, 1, None)


def test_补录的较早随访不改变最近一次() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 5, 1), (128, 80)).visited(date(2026, 2, 1), (180, 100), entered_on=date(2026, 11, 1))
    assert person.counted(RATE) == (1, 1, None)


def test_同一天两次测量_后测的算() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 5, 1), (152, 96)).visited(date(2026, 5, 1), (138, 84))
    assert person.counted(RATE) == (1, 1, None)


def test_年内没有随访算未控制_并记为不明() -> None:
    person = A().enrolled(ENROLLED).visited(date(2025, 12, 31), (120, 80))
    assert person.counted(RATE) == (0, 1, None)
    assert person.says(RATE)["unknown"] == 1


def test_门诊血压不是随访血压() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 5, 1), (120, 80), kind="outpatient")
    assert person.counted(RATE) == (0, 1, None)


@pytest.mark.parametrize("status", ["in-progress", "entered-in-error"])
def test_待补全和作废的随访不算(status: str) -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 5, 1), (120, 80), status=status)
    assert person.counted(RATE) == (0, 1, None)
    assert person.changed("encounter", status="finished").counted(RATE) == (1, 1, None)


def test_死亡之后的随访不算_死亡者剔除() -> None:
    person = A(died=date(2026, 5, 2)).enrolled(ENROLLED).visited(date(2026, 5, 20), (120, 80))
    assert person.counted(RATE) == (0, 0, "died")
    assert person.says("高血压随访人次")["numerator"] == 0
    assert person.counted(RATE, date(2026, 5, 1)) == (0, 1, None)


def test_迁出后剔除_注明原因_迁回重新计入() -> None:
    person = A().enrolled(ENROLLED).visited(date(2026, 2, 1), (120, 80)).left(date(2026, 4, 1), "moved_out")
    assert person.counted(RATE) == (0, 0, "moved_out")
    assert person.enrolled(date(2026, 9, 1)).counted(RATE) == (1, 1, None)


def test_档案标为迁出而登记未终止的_也剔除_不在应访清单() -> None:
    person = (
        A()
        .enrolled(ENROLLED)
        .visited(date(2026, 2, 1), (120, 80))
        .changed("patient", residence_status="moved_out", moved_out_on=date(2026, 6, 1))
    )
    assert person.counted(RATE) == (0, 0, "moved_out")
    assert person.says("hypertension-followup")["applies"] is False
    assert person.counted(RATE, date(2026, 5, 31)) == (1, 1, None)


@pytest.mark.parametrize(
    ("reason", "counted"), [("diagnosis_corrected", (0, 0, "diagnosis_corrected")), ("lost", (0, 1, None)), ("declined", (0, 1, None))]
)
def test_诊断更正剔除_失访和拒绝留在分母(reason: str, counted: tuple[int, int, str | None]) -> None:
    assert A().enrolled(ENROLLED).left(date(2026, 4, 1), reason).counted(RATE) == counted


def test_去年已终止的不在本年对象内() -> None:
    assert A().enrolled(ENROLLED).left(date(2025, 12, 31), "lost").says(RATE)["population"] == 0
    assert A().says(RATE)["population"] == 0


def test_并档的登记不重复计算() -> None:
    person = A().enrolled(ENROLLED, status="finished", end_date=date(2026, 3, 1), exit_reason="merged")
    assert person.says(RATE)["population"] == 0


def test_说明为什么未达标和怎样达标() -> None:
    told = A(born=date(1968, 3, 1)).enrolled(ENROLLED).visited(date(2026, 5, 1), (152, 96)).explained(RATE)
    assert told.verdict.zh == "管理人群血压控制率：未达到"
    assert told.verdict.en == "BP control rate, managed patients: not met"
    assert told.changes[0].zh == "最近一次血压 152/96（当时 58 岁）未达标：2 周内随访，复测达标后计入"
    assert "age 58" in told.changes[0].en
    assert [sentence.is_met for sentence in told.sentences] == [True, False]
    assert len(told.evidence) == 2
    assert A().enrolled(ENROLLED).visited(date(2026, 5, 1), (122, 76)).explained(RATE).changes == ()
