"""高血压患者规范管理: 全年 (at least 4 visits and an examination) and 进度 (done ÷ due by the day of data), each in its named variants.

Source: 国家基本公共卫生服务规范（第三版）, 高血压患者健康管理服务规范, 工作指标 (from memory, unverified); pro-rata by quarter is local.
"""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.chronic_disease.people import A

EARLIER = date(2024, 3, 1)
YEAR = "hypertension-standard-rate"
PROGRESS = "hypertension-standard-progress"
QUARTERS = (date(2026, 1, 20), date(2026, 4, 20), date(2026, 7, 20), date(2026, 10, 20))


def four_visits(last_way: str = "1") -> A:
    person = A().enrolled(EARLIER).examined(date(2026, 6, 1))
    for day, way in zip(QUARTERS, ("1", "2", "1", last_way), strict=True):
        person.visited(day, (130, 80), way=way)
    return person


def test_四次面对面随访加一次体检即规范管理() -> None:
    assert four_visits().counted(YEAR) == (1, 1, None)


def test_第四次是电话_面对面不变_含电话加一() -> None:
    person = four_visits(last_way="3")
    assert person.counted(f"{YEAR}.face_to_face") == (0, 1, None)
    assert person.counted(f"{YEAR}.any_way") == (1, 1, None)
    assert person.counted(f"{PROGRESS}.face_to_face") == (3, 4, None)
    assert person.counted(f"{PROGRESS}.any_way") == (4, 4, None)
    assert (person.says("hypertension-visits.face_to_face")["numerator"], person.says("hypertension-visits.any_way")["numerator"]) == (3, 4)


def test_没有体检不算规范管理() -> None:
    person = A().enrolled(EARLIER)
    for day in QUARTERS:
        person.visited(day, (130, 80))
    assert person.counted(YEAR) == (0, 1, None)
    assert person.explained(YEAR).changes[0].zh == "再完成 1 次健康体检即达标"
    assert person.examined(date(2026, 11, 1)).counted(YEAR) == (1, 1, None)


def test_差一次随访_说明再完成一次即达标() -> None:
    person = A().enrolled(EARLIER).examined(date(2026, 6, 1))
    for day in QUARTERS[:3]:
        person.visited(day, (130, 80))
    told = person.explained(YEAR)
    assert told.changes[0].zh == "再完成 1 次随访即达标"
    assert told.changes[0].en == "follow-up visits still needed: 1"
    assert person.visited(date(2026, 11, 20), (130, 80)).explained(YEAR).changes == ()


def test_十月纳入_进度只欠第四季度_全年仍要四次() -> None:
    person = A().enrolled(date(2026, 10, 8)).examined(date(2026, 10, 9)).visited(date(2026, 10, 9), (130, 80))
    assert person.counted(PROGRESS) == (1, 1, None)
    assert person.counted(YEAR) == (0, 1, None)
    assert person.counted(f"{YEAR}.pro_rata") == (1, 1, None)


@pytest.mark.parametrize(
    ("as_of", "owed"), [(date(2026, 3, 31), 1), (date(2026, 4, 1), 2), (date(2026, 9, 30), 3), (date(2026, 12, 31), 4)]
)
def test_进度的应访次数按季度累计(as_of: date, owed: int) -> None:
    assert A().enrolled(EARLIER).counted(PROGRESS, as_of) == (0, owed, None)


def test_一周两次随访_不同日各算一次_同一天算一次() -> None:
    person = A().enrolled(EARLIER).visited(date(2026, 5, 4), (152, 92)).visited(date(2026, 5, 8), (138, 86))
    assert person.counted(PROGRESS) == (2, 4, None)
    assert person.counted(f"{PROGRESS}.each_quarter") == (1, 4, None)
    assert person.visited(date(2026, 5, 8), (136, 84)).counted(PROGRESS) == (2, 4, None)


def test_多访不超过应访() -> None:
    person = A().enrolled(EARLIER)
    for day in range(1, 8):
        person.visited(date(2026, 1, day), (130, 80))
    assert person.counted(PROGRESS, date(2026, 2, 1)) == (1, 1, None)


def test_五月死亡_剔除并注明() -> None:
    person = A(died=date(2026, 5, 10)).enrolled(EARLIER).visited(date(2026, 2, 1), (130, 80))
    assert person.counted(YEAR) == (0, 0, "died")
    assert person.counted(PROGRESS) == (0, 0, "died")
    assert person.explained(YEAR).verdict.zh == "高血压患者规范管理率（面对面）：剔除（死亡）"


def test_迁出后迁回_从迁回的季度起应访() -> None:
    person = A().enrolled(EARLIER).visited(date(2026, 2, 1), (130, 80)).left(date(2026, 3, 1), "moved_out")
    assert person.counted(PROGRESS) == (0, 0, "moved_out")
    person.enrolled(date(2026, 8, 15)).visited(date(2026, 8, 20), (130, 80))
    assert person.counted(PROGRESS) == (2, 2, None)


def test_终止登记写错的_作废后不计() -> None:
    person = A().enrolled(EARLIER, status="entered-in-error")
    assert person.says(YEAR)["population"] == 0


def test_在管人数_当天迁出即减一() -> None:
    person = A().enrolled(EARLIER)
    assert person.says("hypertension-managed")["numerator"] == 1
    assert person.left(date(2026, 11, 21), "moved_out").says("hypertension-managed")["numerator"] == 0
