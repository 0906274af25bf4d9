"""Cells as people leave them: each spelling that is read, each that is told how to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.district import id_number
from xinglin.base.errors import IncorrectError
from xinglin.engines.exchange.upper.catalogue import load_catalogue
from xinglin.engines.exchange.upper.cells import read_cell, word_of

CATALOGUE = load_catalogue()
FIELDS = CATALOGUE.fields


def read(field: str, text: str) -> dict[str, str]:
    return read_cell(FIELDS[field], text, {})


@pytest.mark.parametrize(
    "text", ["2026-11-21", "2026/11/21", "2026.11.21", "20261121", "2026年11月21日", "46347", "46347.0", "2026-11-21 00:00:00", "２０２６－１１－２１", " 2026-11-21 ", "'20261121"]
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert read("visit_date", text) == {"visit_date": "2026-11-21"}


@pytest.mark.parametrize("text", ["2026-02-31", "十一月", "21.11", "2026", "inf", "999999999", "1e999"])
def test_what_is_no_day_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(IncorrectError, match="2026-11-21"):
        read("visit_date", text)


@pytest.mark.parametrize(
    "change", [str.lower, "'{}".format, " {} ".format, lambda text: text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))]
)
def test_an_id_number_is_read_in_spite_of_how_it_came(change: object) -> None:
    for serial in range(1, 30):
        assert read("id_number", change(id_number(serial))) == {"id_number": id_number(serial)}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "says"), [("1.2E+17", "末几位"), ("420999196005120000", "末几位"), ("420999600512001", "15 位"), ("420999196005120019", "校验码"), ("无", "校验码")]
)  # fmt: skip
def test_a_damaged_id_number_is_told_why(text: str, says: str) -> None:
    with pytest.raises(IncorrectError) as refusal:
        read("id_number", text)
    assert says in refusal.value.zh


@pytest.mark.parametrize("text", ["1", "门诊", "1门诊", "1.门诊", "1、门诊", "１", "1.0"])
def test_a_code_is_read_as_digit_word_or_both(text: str) -> None:
    assert read("way", text) == {"way": "1"}


def test_several_codes_and_a_pressure_are_split() -> None:
    assert read("symptoms_hypertension", "头痛头晕、3恶心呕吐;10") == {"symptoms_hypertension": "2,3,10"}
    assert read("blood_pressure", "１３５／８５ mmHg") == {"systolic": "135", "diastolic": "85"}
    assert word_of(FIELDS["symptoms_hypertension"], "2,10", {"10": "99"}) == "头痛头晕,99"


@pytest.mark.parametrize(
    ("field", "text"), [("way", "4"), ("way", "1家庭"), ("weight", "六十"), ("blood_pressure", "135"), ("phone", "12")]
)
def test_what_cannot_be_meant_is_refused(field: str, text: str) -> None:
    with pytest.raises(IncorrectError):
        read(field, text)


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=30) | st.from_regex(r"[\d./eE年月日-]{1,20}", fullmatch=True))
def test_any_text_is_read_or_refused_with_a_sentence(field: str, text: str) -> None:
    try:
        values = read(field, text)
    except IncorrectError as refusal:
        assert refusal.zh
        assert refusal.en
    else:
        assert all(values.values())
        for name, value in values.items():
            again = read_cell(FIELDS[name], word_of(FIELDS[name], value, {}), {})
            assert again in ({name: value}, {})
