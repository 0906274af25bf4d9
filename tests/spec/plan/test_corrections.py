"""Corrections survive a re-read, a lost one is told, and a re-upload shows what changed."""

from __future__ import annotations

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.modules.plan.reading import (
    ACCEPT,
    ADD,
    CHANGE,
    REMOVE,
    Correction,
    Reading,
    apply_corrections,
    compare_readings,
    read_document,
)

TEXT = """河东县“十四五”卫生健康规划
一、目标
指标名称 2020年 2025年
卫生单位创建数（%） 150
婴儿死亡率（‰） 3.1 ≤3
签约率（%） 70 80
二、任务
（一）强基层。到2025年，建成社区医院3个。
"""


def read(text: str = TEXT) -> Reading:
    return read_document(text.encode(), "plan.txt")


def test_an_accepted_guess_is_sure_after_a_re_read_of_a_moved_text() -> None:
    guess = next(one for one in read().indicators if not one.sure)
    moved = read("前言\n\n" + TEXT)
    accepted = apply_corrections(moved, [Correction(guess.fingerprint, ACCEPT)])
    one = next(one for one in accepted.indicators if one.fingerprint == guess.fingerprint)
    assert (one.sure, one.reasons, one.from_line) == (True, (), guess.from_line + 2)
    assert "确认" in one.note


def test_a_change_is_laid_over_and_the_rules_are_asked_again() -> None:
    reading = read()
    cells, infant, *_ = reading.indicators
    assert "share-above-100" in {finding.rule for finding in reading.findings}
    changed = apply_corrections(
        reading, [Correction(cells.fingerprint, CHANGE, {"unit": "个"}), Correction(infant.fingerprint, CHANGE, {"base_value": 2.0})]
    )
    assert changed.indicators[0].unit == "个"
    assert [(base.year, base.value) for base in changed.indicators[1].bases] == [(2020, 2.0)]
    assert [finding.rule for finding in changed.findings] == ["target-looser-than-base"]
    assert apply_corrections(reading, []) == reading


def test_a_row_may_be_removed_and_a_missed_one_added() -> None:
    reading = read()
    changes = {"name": "急救满足率", "target_value": 96, "target_op": ">=", "target_year": 2025, "from_line": 8, "to_line": 8}
    made = apply_corrections(reading, [Correction(reading.indicators[2].fingerprint, REMOVE), Correction("own-1", ADD, changes)])
    assert [one.name for one in made.indicators] == ["卫生单位创建数", "婴儿死亡率", "社区医院", "急救满足率"]


def test_a_correction_of_a_row_that_changed_is_told_not_lost() -> None:
    contract = next(one for one in read().indicators if one.name == "签约率")
    correction = Correction(contract.fingerprint, CHANGE, {"unit": "%"})
    made = apply_corrections(read(TEXT.replace("70 80", "70 85")), [correction])
    assert any(contract.fingerprint in notice for notice in made.notices)
    assert not apply_corrections(read(), [correction]).notices


@pytest.mark.parametrize(
    "correction",
    [
        Correction("x", "delete"),
        Correction("x", CHANGE, {"colour": 1}),
        Correction("x", CHANGE, {"target_op": "=>"}),
        Correction("x", CHANGE, {"target_value": "80"}),
        Correction("x", CHANGE, {"fingerprint": "y"}),
        Correction("x", ADD, {"name": "某率"}),
    ],
)
def test_a_wrong_correction_is_refused_in_words(correction: Correction) -> None:
    with pytest.raises(IncorrectError) as caught:
        apply_corrections(read(), [correction])
    assert caught.value.zh


def test_a_re_upload_with_one_number_changed_shows_the_difference() -> None:
    old = read()
    assert compare_readings(old, read("前言\n" + TEXT)) == []
    (one,) = compare_readings(old, read(TEXT.replace("70 80", "70 85")))
    assert (one.kind, one.name, one.field, one.old, one.new, one.old_line, one.new_line) == (
        "changed",
        "签约率",
        "target_value",
        80,
        85,
        6,
        6,
    )
    gone = compare_readings(old, read(TEXT.replace("婴儿死亡率（‰） 3.1 ≤3\n", "")))
    assert [(one.kind, one.name, one.old_line) for one in gone] == [("removed", "婴儿死亡率", 5)]
    assert [one.kind for one in compare_readings(read(TEXT.replace("婴儿死亡率（‰） 3.1 ≤3\n", "")), old)] == ["added"]


def test_rows_of_the_same_text_have_their_own_fingerprints() -> None:
    text = "河东县“十四五”规划\n指标	2020年	2025年\n床位（张）	5	6\n其中：基层（张）	1	2\n医师（人）	2	3\n其中：基层（张）	1	2\n"
    prints = [one.fingerprint for one in read(text).indicators]
    assert len(set(prints)) == len(prints) == 4


def test_a_correction_survives_a_row_put_before_its_own() -> None:
    head = "河东县“十四五”规划\n序号\t指标\t2020年\t2025年\n"
    before = read(head + "1\t签约率（%）\t70\t80\n")
    after = read(head + "1\t建档率（%）\t90\t95\n2\t签约率（%）\t70\t80\n")
    made = apply_corrections(after, [Correction(before.indicators[0].fingerprint, CHANGE, {"kind": "binding"})])
    assert [one.kind for one in made.indicators] == [None, "binding"]
