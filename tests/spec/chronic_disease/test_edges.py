"""The edges of the norm: values on a limit, birthdays, ends of a year, days that count or no longer count, and what is not known.

Source: 国家基本公共卫生服务规范（第三版）, 高血压、2型糖尿病、老年人健康管理服务规范 (from memory, unverified).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.spec.chronic_disease.people import TODAY, A

ENROLLED = date(2025, 3, 1)
SEEN = date(2026, 6, 1)
HTN, DM = "hypertension-followup", "diabetes2-followup"
RATE, GLUCOSE_RATE = "hypertension-control-rate", "diabetes2-glucose-control-rate"
YEAR, PROGRESS, MANAGED = "hypertension-standard-rate", "hypertension-standard-progress", "hypertension-managed"
ELDERLY, EXAMINATION = "elderly-health-management-rate", "annual-examination"


def judged(person: A, measure: str = RATE) -> tuple[Any, Any]:
    told = person.says(measure)
    return told["numerator"], told["unknown"]


def why(person: A, definition: str = HTN, as_of: date = TODAY) -> tuple[Any, Any]:
    told = person.says(definition, as_of)
    return told["due_by"], told["state_why"]


def diabetic(**born: Any) -> A:
    return A(**born).enrolled(ENROLLED, programme="diabetes2")


class Test血压:
    @pytest.mark.parametrize(
        ("age", "pressure", "controlled"),
        [
            (40, (139.9, 89.9), 1),
            (40, (140, 90), 0),
            (40, (130, 90), 0),
            (65, (149.9, 89.9), 1),
            (65, (150, 90), 0),
            (65, (150, 80), 0),
            (65, (140, 90), 0),
            (90, (149, 89), 1),
        ],
    )
    def test_恰在界值上不达标(self, age: int, pressure: tuple[float, float], controlled: int) -> None:
        assert judged(A(born=date(2026 - age, 6, 1)).enrolled(ENROLLED).visited(SEEN, pressure)) == (controlled, 0)

    @pytest.mark.parametrize(("day", "controlled"), [(date(2025, 2, 28), 0), (date(2025, 3, 1), 1)])
    def test_二月二十九日出生_平年三月一日满六十五岁(self, day: date, controlled: int) -> None:
        leapling = A(born=date(1960, 2, 29)).enrolled(date(2024, 3, 1)).visited(day, (145, 80))
        assert leapling.counted(RATE, date(2025, 12, 31)) == (controlled, 1, None)

    @pytest.mark.parametrize(
        ("pressure", "told"),
        [((None, 92), (0, 0)), ((152, None), (0, 0)), ((138, None), (0, 1)), ((None, 80), (0, 1)), ((None, None), (0, 1))],
    )
    def test_缺一项_另一项超标即不达标_否则不明(self, pressure: tuple[float | None, float | None], told: tuple[int, int]) -> None:
        assert judged(A().enrolled(ENROLLED).visited(SEEN, pressure)) == told

    def test_缺一项的说明怎样补全(self) -> None:
        told = A().enrolled(ENROLLED).visited(SEEN, (138, None)).explained(RATE)
        assert [words.zh for words in told.changes] == ["最近一次血压 138/无 下不了结论（缺一项或年龄不明）：补全后计入"]

    @pytest.mark.parametrize(("pressure", "told"), [((139, 80), (1, 0)), ((145, 80), (0, 1)), ((150, 80), (0, 0)), ((145, 95), (0, 0))])
    def test_出生日期不明_只有两个界值之间的不明(self, pressure: tuple[float, float], told: tuple[int, int]) -> None:
        assert judged(A(born=None).enrolled(ENROLLED).visited(SEEN, pressure)) == told  # type: ignore[arg-type]

    def test_后来没有数值的测量_不盖过先前的(self) -> None:
        person = A().enrolled(ENROLLED).visited(SEEN, (130, 80)).visited(date(2026, 9, 1), (None, None))
        assert judged(person) == (1, 0)

    @pytest.mark.parametrize(("day", "told"), [(date(2025, 12, 31), (0, 1)), (date(2026, 1, 1), (1, 0)), (TODAY, (1, 0))])
    def test_年内_从一月一日到统计日(self, day: date, told: tuple[int, int]) -> None:
        assert judged(A().enrolled(ENROLLED).visited(day, (130, 80))) == told
        later = A().enrolled(ENROLLED).visited(date(2026, 11, 22), (130, 80))
        assert judged(later) == (0, 1), "after the day of data"

    def test_作废的血压不算(self) -> None:
        person = A().enrolled(ENROLLED).visited(SEEN, (130, 80)).changed("blood_pressure", status="entered-in-error")
        assert judged(person) == (0, 1)


class Test血糖:
    @pytest.mark.parametrize(("glucose", "told"), [(6.9, (1, 0)), (6.99, (1, 0)), (7.0, (0, 0)), (7.1, (0, 0)), (3.5, (1, 0))])
    def test_空腹血糖七点零不达标(self, glucose: float, told: tuple[int, int]) -> None:
        assert judged(diabetic().visited(SEEN, glucose=glucose), GLUCOSE_RATE) == told

    def test_年内没有血糖_不明(self) -> None:
        assert judged(diabetic().visited(SEEN, glucose=None, kind="followup-diabetes2"), GLUCOSE_RATE) == (0, 1)
        assert judged(diabetic().visited(date(2025, 12, 31), glucose=6.0), GLUCOSE_RATE) == (0, 1)

    def test_别的单位的数不当作毫摩尔(self) -> None:
        person = diabetic().visited(SEEN, glucose=6.2).visited(date(2026, 11, 20), glucose=108, unit="mg/dL")
        assert judged(person, GLUCOSE_RATE) == (1, 0)
        assert why(person, DM)[1] != "emergency"
        seen = diabetic().visited(date(2026, 8, 10), glucose=6.2).visited(TODAY, glucose=130, unit="mg/dL", kind="outpatient", way=None)
        assert not seen.says("diabetes2-from-reading")["applies"]

    @pytest.mark.parametrize(
        ("glucose", "told"), [(16.6, "recheck"), (16.7, "emergency"), (4.0, "routine"), (3.9, "emergency"), (3.8, "emergency")]
    )
    def test_紧急界值(self, glucose: float, told: str) -> None:
        assert why(diabetic().visited(TODAY, glucose=glucose), DM)[1] == told

    def test_糖尿病随访的危急血压也紧急(self) -> None:
        for pressure, told in (((180, 80), "emergency"), ((170, 110), "emergency"), ((179, 109), "routine")):
            person = diabetic().visited(TODAY, pressure, glucose=6.0)
            assert why(person, DM)[1] == told


class Test何时再访:
    @pytest.mark.parametrize(
        ("seen", "due"),
        [
            (date(2025, 11, 30), date(2026, 2, 28)),
            (date(2026, 1, 31), date(2026, 4, 30)),
            (date(2025, 12, 31), date(2026, 3, 31)),
            (date(2026, 2, 28), date(2026, 5, 28)),
        ],
    )
    def test_三个月后的同一天_那月没有的取月末(self, seen: date, due: date) -> None:
        assert A().enrolled(ENROLLED).visited(seen, (130, 80)).says(HTN)["due_by"] == due
        assert diabetic().visited(seen, glucose=6.0).says(DM)["due_by"] == due

    def test_两周是十四天_跨年跨闰日(self) -> None:
        assert why(A().enrolled(ENROLLED).visited(TODAY, (140, 80))) == (date(2026, 12, 5), "recheck")
        person = A().enrolled(date(2023, 3, 1)).visited(date(2024, 2, 20), (140, 80))
        assert person.says(HTN, date(2024, 2, 21))["due_by"] == date(2024, 3, 5)

    def test_一次随访测两次不满意_不算连续两次(self) -> None:
        person = (
            A()
            .enrolled(ENROLLED)
            .visited(TODAY, (152, 96))
            .row("blood_pressure", encounter=3, status="final", taken_on=TODAY, systolic_mmhg=150, diastolic_mmhg=94)
        )
        assert why(person) == (date(2026, 12, 5), "recheck")

    def test_同一天两次随访都不满意_算连续两次_与随访表一致(self) -> None:
        assert why(A().enrolled(ENROLLED).visited(TODAY, (152, 96)).visited(TODAY, (150, 94)))[1] == "referral"
        assert why(diabetic().visited(TODAY, glucose=8.0).visited(TODAY, glucose=7.5), DM)[1] == "referral"
        assert why(diabetic().visited(date(2026, 11, 20), glucose=8.0).visited(TODAY, glucose=7.5), DM)[1] == "referral"

    def test_一周内两次都不满意_建议转诊(self) -> None:
        person = A().enrolled(ENROLLED).visited(date(2026, 11, 16), (152, 96)).visited(TODAY, (150, 94))
        assert why(person) == (date(2026, 12, 5), "referral")

    def test_上次纳入时的不满意_不与这次连续(self) -> None:
        person = A().enrolled(ENROLLED).visited(date(2026, 2, 1), (152, 96)).left(date(2026, 3, 1), "moved_out").enrolled(date(2026, 9, 1))
        assert why(person.visited(TODAY, (150, 94)))[1] == "recheck"

    @pytest.mark.parametrize("pressure", [(142, 88), (146, 92)])
    def test_两次都由医生改判满意的_不建议转诊(self, pressure: tuple[float, float]) -> None:
        person = A().enrolled(ENROLLED).visited(date(2026, 8, 7), pressure, outcome="1").visited(TODAY, pressure, outcome="1")
        assert why(person) == (date(2027, 2, 21), "routine")
        once = A().enrolled(ENROLLED).visited(date(2026, 8, 7), pressure, outcome="1").visited(TODAY, pressure, outcome="2")
        assert why(once) == (date(2026, 12, 5), "recheck")

    def test_并发症建议转诊_不良反应第二次才建议(self) -> None:
        assert why(A().enrolled(ENROLLED).visited(TODAY, (128, 80), outcome="4")) == (date(2026, 12, 5), "referral")
        person = A().enrolled(ENROLLED).visited(date(2026, 11, 7), (128, 80), outcome="3")
        assert why(person, as_of=date(2026, 11, 7))[1] == "recheck"
        person.visited(TODAY, (128, 80), outcome="3")
        assert why(person) == (date(2026, 12, 5), "referral")
        assert [words.zh for words in person.explained(HTN).changes] == ["不良反应难以控制：建议转诊，2026-12-05 前追踪结果"]
        assert why(diabetic().visited(TODAY, glucose=6.0, outcome="4"), DM)[1] == "referral"

    @pytest.mark.parametrize(("definition", "danger"), [(HTN, "7"), (HTN, "8"), (DM, "11"), (DM, "12")])
    def test_不能处理的其他疾病也紧急转诊(self, definition: str, danger: str) -> None:
        person = A().enrolled(ENROLLED).visited(TODAY, (128, 80), danger=danger)
        if definition == DM:
            person = diabetic().visited(TODAY, glucose=6.0, danger=danger)
        assert why(person, definition) == (date(2026, 12, 5), "emergency")

    def test_缺血压的随访没有结论_按常规再访(self) -> None:
        assert why(A().enrolled(ENROLLED).visited(TODAY, (None, None))) == (date(2027, 2, 21), "routine")

    def test_转诊结果没有期限的_从转诊日起十四天(self) -> None:
        person = A().row("task", kind="referral-result", status="requested", authored_on=date(2026, 11, 10))
        assert person.says("referral-tracking")["due_by"] == date(2026, 11, 24)


class Test年内:
    def test_十月一日纳入欠一季_九月三十日纳入欠两季(self) -> None:
        assert A().enrolled(date(2026, 10, 1)).counted(PROGRESS) == (0, 1, None)
        assert A().enrolled(date(2026, 9, 30)).counted(PROGRESS) == (0, 2, None)
        assert A().enrolled(date(2025, 12, 31)).counted(PROGRESS) == (0, 4, None)

    def test_折算_第四季度纳入一次即够_一月一日纳入要四次(self) -> None:
        for enrolled, told in ((date(2026, 10, 1), 1), (date(2026, 9, 30), 0), (date(2026, 1, 1), 0)):
            person = A().enrolled(enrolled).examined(date(2026, 11, 2)).visited(date(2026, 11, 2), (130, 80))
            assert person.counted(f"{YEAR}.pro_rata") == (told, 1, None)

    def test_跨年的一周两次_各归各年(self) -> None:
        person = A().enrolled(ENROLLED).visited(date(2025, 12, 30), (130, 80)).visited(date(2026, 1, 2), (130, 80))
        assert person.says("hypertension-visits")["numerator"] == 1
        assert person.says("hypertension-visits", date(2025, 12, 31))["numerator"] == 1

    def test_方式不明的随访_面对面不算_含电话的算(self) -> None:
        person = A().enrolled(ENROLLED).visited(SEEN, (130, 80), way=None)  # type: ignore[arg-type]
        for measure, (face, every) in ((PROGRESS, (0, 1)), ("hypertension-visits", (0, 1))):
            assert person.says(f"{measure}.face_to_face")["numerator"] == face
            assert person.says(f"{measure}.any_way")["numerator"] == every

    def test_死亡当天的随访算_之后的不算(self) -> None:
        person = A(died=SEEN).enrolled(ENROLLED).visited(SEEN, (130, 80)).visited(date(2026, 6, 2), (130, 80))
        assert person.says("hypertension-visits")["numerator"] == 1
        assert person.counted(YEAR, date(2026, 5, 31)) == (0, 1, None)
        assert person.counted(YEAR, SEEN) == (0, 0, "died")

    @pytest.mark.parametrize("measure", [RATE, YEAR, PROGRESS])
    def test_往年死亡或迁出的_不列在今年的剔除里(self, measure: str) -> None:
        for died, in_population in ((date(2025, 12, 31), 0), (date(2026, 1, 1), 1)):
            assert A(died=died).enrolled(date(2024, 3, 1)).says(measure)["population"] == in_population
        for moved, in_population in ((date(2025, 12, 31), 0), (date(2026, 1, 1), 1)):
            person = A().enrolled(date(2024, 3, 1)).changed("patient", residence_status="moved_out", moved_out_on=moved)
            assert person.says(measure)["population"] == in_population

    def test_往年迁出又迁回的照常计入(self) -> None:
        person = A().enrolled(date(2024, 3, 1)).left(date(2025, 5, 1), "moved_out").enrolled(date(2026, 4, 1))
        person.changed("patient", residence_status="resident", moved_out_on=None)
        assert person.counted(PROGRESS) == (0, 3, None)
        assert person.says(MANAGED)["numerator"] == 1

    def test_终止日在一月一日的还在本年对象内(self) -> None:
        assert A().enrolled(ENROLLED).left(date(2026, 1, 1), "lost").says(RATE)["population"] == 1
        assert A().enrolled(ENROLLED).left(date(2025, 12, 31), "lost").says(RATE)["population"] == 0


class Test老年人:
    @pytest.mark.parametrize(
        ("born", "is_elderly"),
        [(date(1961, 12, 31), True), (date(1962, 1, 1), False), (date(1960, 2, 29), True), (date(1961, 1, 1), True), (None, False)],
    )
    def test_当年十二月三十一日满六十五岁(self, born: date | None, is_elderly: bool) -> None:
        person = A(born=born)  # type: ignore[arg-type]
        assert person.counted(ELDERLY) == (0, int(is_elderly), None)
        assert person.says(EXAMINATION)["applies"] is is_elderly

    @pytest.mark.parametrize(("day", "told"), [(date(2025, 12, 31), 0), (date(2026, 1, 1), 1), (TODAY, 1), (date(2026, 11, 22), 0)])
    def test_本年的体检才算(self, day: date, told: int) -> None:
        assert A(born=date(1950, 1, 1)).examined(day).counted(ELDERLY) == (told, 1, None)

    def test_往年去世的老人不列在今年的剔除里(self) -> None:
        assert A(born=date(1940, 1, 1), died=date(2025, 12, 31)).says(ELDERLY)["population"] == 0
        assert A(born=date(1940, 1, 1), died=date(2026, 1, 1)).counted(ELDERLY) == (0, 0, "died")

    def test_不满六十五岁的患者每年也要体检_去年的不抵今年(self) -> None:
        person = A().enrolled(ENROLLED).examined(date(2025, 12, 31))
        told = person.says(EXAMINATION)
        assert (told["applies"], told["due_from"], told["due_by"], told["state_why"]) == (
            True,
            date(2026, 1, 1),
            date(2026, 12, 31),
            "hypertension",
        )
        assert person.examined(date(2026, 1, 1)).says(EXAMINATION)["due_from"] == date(2027, 1, 1)
        assert person.left(date(2026, 5, 1), "lost").says(EXAMINATION)["applies"] is False


class Test发现患者:
    @pytest.mark.parametrize(("pressure", "is_listed"), [((140, 89), True), ((139, 90), True), ((139, 89), False), ((None, 90), True)])
    def test_一百四十或九十即偏高(self, pressure: tuple[float | None, float | None], is_listed: bool) -> None:
        assert A().visited(date(2026, 11, 1), pressure, kind="outpatient").says("hypertension-suspected")["applies"] is is_listed

    @pytest.mark.parametrize(("born", "is_listed"), [(date(1991, 11, 21), True), (date(1991, 11, 22), False), (None, False)])
    def test_满三十五岁当天起(self, born: date | None, is_listed: bool) -> None:
        person = A(born=born).visited(date(2026, 11, 1), (150, 95), kind="outpatient")  # type: ignore[arg-type]
        assert person.says("hypertension-suspected")["applies"] is is_listed
        diagnosed = A(born=born).row("condition", code="I10", verification_status="confirmed", clinical_status="active")  # type: ignore[arg-type]
        assert diagnosed.says("hypertension-enrolment")["applies"] is is_listed

    @pytest.mark.parametrize(
        ("verification", "lists"), [("provisional", (True, False)), ("refuted", (True, False)), ("confirmed", (False, True))]
    )
    def test_初步诊断还列在疑似_确诊后列入应纳入(self, verification: str, lists: tuple[bool, bool]) -> None:
        person = A()
        for day in (1, 8, 15):
            person.visited(date(2026, 11, day), (150, 95), kind="outpatient")
        person.row("condition", code="I10", verification_status=verification, clinical_status="active", recorded_on=date(2026, 11, 16))
        told = (person.says("hypertension-suspected")["applies"], person.says("hypertension-enrolment")["applies"])
        assert told == lists
