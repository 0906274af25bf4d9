"""Resident identity numbers."""

from __future__ import annotations

from datetime import date

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.engines.identity import check_digit, checked_id_number, read_id_number


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), 2),
        ("440524188001010014", date(1880, 1, 1), 1),
        ("11010519491231002x", date(1949, 12, 31), 2),
    ],
)
def test_the_published_numbers_pass(number: str, born: date, sex: int) -> None:
    facts = read_id_number(number)
    assert (facts.birth_date, facts.sex) == (born, sex)


def test_any_changed_digit_fails() -> None:
    number = "11010519491231002X"
    for place in range(17):
        changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        assert checked_id_number(changed) is None


def test_fifteen_digits_become_eighteen() -> None:
    facts = read_id_number("110105491231002")
    assert facts.number == "11010519491231002" + check_digit("11010519491231002")


@pytest.mark.parametrize("text", ["", "123", "4205241880010100XX", "420524188013010011", "1.2E+17", "四二〇"])
def test_a_wrong_number_says_what_to_write_and_never_repeats_it(text: str) -> None:
    with pytest.raises(IncorrectError) as refusal:
        read_id_number(text)
    assert text == "" or text not in refusal.value.zh + refusal.value.en


def test_full_width_digits_and_a_leading_apostrophe_are_read() -> None:
    assert checked_id_number("'１１０１０５１９４９１２３１００２Ｘ") == "11010519491231002X"
