"""A refusal names its place in the language of its reader."""

from __future__ import annotations

import pytest

from xinglin.base.errors import IncorrectError, both_languages, place_words


@pytest.mark.parametrize(
    ("where", "zh"),
    [
        ("line 12", "第 12 行"),
        ("line 12 column 3", "第 12 行第 3 列"),
        ("byte 7", "第 7 字节"),
        ("Patient.birthDate", "Patient.birthDate"),
        ("line", "line"),
        ("base line 2", "base line 2"),
        ("", ""),
    ],
)
def test_a_place_in_a_text_has_words_in_chinese_and_any_other_stays_a_name(where: str, zh: str) -> None:
    assert (place_words(where, "zh"), place_words(where, "en")) == (zh, where)


def test_a_message_begins_with_its_place_in_its_own_language() -> None:
    error = IncorrectError("不是合法的 JSON", "not valid JSON", where="line 2")
    assert error.message("zh") == "第 2 行: 不是合法的 JSON"
    assert error.message("en") == "line 2: not valid JSON"


def test_a_line_in_both_languages_repeats_the_place_only_where_the_words_differ() -> None:
    assert both_languages("line 2", "甲", "a") == "第 2 行: 甲 · line 2: a"
    assert both_languages("Patient.id", "甲", "a") == "Patient.id: 甲 · a"
    assert both_languages("", "甲", "a") == "甲 · a"
