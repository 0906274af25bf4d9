"""The rules that say whose a source record is, one case each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from xinglin.engines.identity.keys import PatientKey, key_of
from xinglin.engines.identity.linking import (
    REVIEW_ELSEWHERE,
    REVIEW_ID_ARRIVED,
    REVIEW_ID_SHARED,
    REVIEW_TWO_PERSONS,
    Candidates,
    decide,
)

BASE = PatientKey(
    patient=1, source_no=1, id_number="420999196801010018", id_number_sent=None, name="王小丽", name_folded="王小丽", sex=2, birth_date=date(1968, 1, 1),
    phone="19900012345", record_number=None, area=420999101201, institution=None, death_date=None, residence_status=None,
)  # fmt: skip


@pytest.fixture
def known() -> Candidates:
    """One person, number 7, with one record."""
    candidates = Candidates()
    candidates.add(7, BASE)
    return candidates


def test_an_equal_checked_number_links(known: Candidates) -> None:
    assert decide(replace(BASE, patient=2, name_folded="王晓丽"), known, 8).person == 7


def test_an_equal_number_with_other_name_and_birth_date_waits_for_a_steward(known: Candidates) -> None:
    decision = decide(replace(BASE, patient=2, name_folded="王大山", birth_date=date(1994, 5, 5), phone=None), known, 8)
    assert (decision.person, decision.rule, decision.reviews) == (8, "new", ((7, REVIEW_ID_SHARED),))


def test_name_birth_sex_and_phone_link_where_a_number_is_missing(known: Candidates) -> None:
    assert decide(replace(BASE, patient=2, id_number=None), known, 8).rule == "demographics"


@pytest.mark.parametrize("change", [{"phone": None}, {"sex": 1}, {"birth_date": date(1968, 1, 2)}, {"name_folded": "王小莉"}])
def test_three_of_the_four_do_not_link(known: Candidates, change: dict[str, object]) -> None:
    assert decide(replace(BASE, patient=2, id_number=None, **change), known, 8).person == 8  # type: ignore[arg-type]


def test_two_different_checked_numbers_never_link(known: Candidates) -> None:
    assert decide(replace(BASE, patient=2, id_number="420999196801010026"), known, 8).person == 8


def test_what_fits_two_persons_is_linked_to_neither(known: Candidates) -> None:
    known.add(9, replace(BASE, patient=3, id_number=None))
    decision = decide(replace(BASE, patient=2, id_number=None), known, 10)
    assert decision.person == 10
    assert decision.reviews == ((7, REVIEW_TWO_PERSONS), (9, REVIEW_TWO_PERSONS))


def test_a_linked_record_stays_and_a_number_that_arrives_opens_a_review(known: Candidates) -> None:
    known.add(9, replace(BASE, patient=3, id_number=None, phone=None))
    decision = decide(replace(BASE, patient=3), known, 10)
    assert (decision.person, decision.rule, decision.reviews) == (9, "kept", ((7, REVIEW_ID_ARRIVED),))


@pytest.mark.parametrize("name", ["王小丽之子", "新生儿", "无名氏", "患者12"])
def test_names_that_mean_nobody_never_link(name: str) -> None:
    known = Candidates()
    known.add(7, replace(BASE, name_folded=name, id_number=None))
    assert decide(replace(BASE, patient=2, name_folded=name, id_number=None), known, 8).person == 8


def test_a_key_keeps_an_unchecked_number_apart() -> None:
    resource = {
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "420999196801010019"}],
        "gender": "female",
        "birthDate": "1968",
    }
    key = key_of(1, 1, resource, None)
    assert (key.id_number, key.id_number_sent, key.birth_date) == (None, "420999196801010019", None)


@pytest.mark.parametrize("change", [{}, {"id_number": None}])
def test_nobody_is_linked_to_a_person_the_sender_does_not_see(known: Candidates, change: dict[str, object]) -> None:
    arrived = replace(BASE, patient=2, **change)  # type: ignore[arg-type]
    assert decide(arrived, known, 8).person == 7
    known.hidden = frozenset({7})
    decision = decide(arrived, known, 8)
    assert (decision.person, decision.rule, decision.reviews) == (8, "new", ((7, REVIEW_ELSEWHERE),))


def test_of_two_persons_with_one_number_the_older_one_wins(known: Candidates) -> None:
    candidates = Candidates()
    candidates.add(9, replace(BASE, patient=3))
    candidates.add(7, BASE)
    assert decide(replace(BASE, patient=2), candidates, 10).person == 7
