"""FHIRPath: what expressions give, and what a wrong one says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from xinglin.base.errors import DefinitionError
from xinglin.fhir.path import Env, compile_expression

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "birthDate": "1970-06",
    "gender": "female",
    "name": [
        {"use": "official", "family": "Li", "given": ["Lan", "Hua"]},
        {"use": "usual", "given": ["Lanlan", None]},
    ],
    "multipleBirthInteger": 2,
    "deceasedBoolean": False,
    "contact": [
        {"telecom": [{"system": "phone", "rank": 1}, {"system": "email", "rank": 2}]},
        {"telecom": [{"system": "phone", "rank": 3}]},
    ],
    "extension": [
        {"url": "urn:a", "valueCode": "1"},
        {"url": "urn:b", "extension": [{"url": "inner", "valueQuantity": {"value": 5.25, "unit": "kg"}}]},
        {"url": "urn:c", "valueDateTime": "2026-11-21T08:00:00+08:00"},
    ],
    "managingOrganization": {"reference": "Organization/o1/_history/3"},
    "generalPractitioner": [{"reference": "Practitioner/d1"}, {"reference": "#contained"}, {"reference": "http://else/Practitioner/d1"}],
    "item": [{"linkId": "1", "item": [{"linkId": "1.1"}]}, {"linkId": "2"}],
}


def evaluate(text: str, node: Any = PATIENT, **constants: Any) -> list[Any]:
    return compile_expression(text, constants=constants)(node, Env(node))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.given", ["Lan", "Hua", "Lanlan"]),
        ("Patient.name.family", ["Li"]),
        ("Observation.name", []),
        ("name[1].use", ["usual"]),
        ("name[7]", []),
        ("name.where(use = 'official').given.first()", ["Lan"]),
        ("name.where(use = %wanted).given.last()", ["Lanlan"]),
        ("name.given.count()", [3]),
        ("name.exists(use = 'old')", [False]),
        ("name.all(given.exists())", [True]),
        ("name.select(given.first())", ["Lan", "Lanlan"]),
        ("name.where($index = 1).use", ["usual"]),
        ("contact.telecom.where(system = 'phone').rank", [1, 3]),
        ("contact.telecom.rank.aggregate($this + iif($total.empty(), 0, $total))", [6]),
        ("contact.telecom.rank.aggregate($this + $total, 10)", [16]),
        ("item.repeat(item).linkId", ["1.1"]),
        ("repeat(item).linkId", ["1", "2", "1.1"]),
        ("descendants().where(linkId.exists()).linkId", ["1", "2", "1.1"]),
        ("extension('urn:a').value.ofType(code)", ["1"]),
        ("extension('urn:a').value", ["1"]),
        ("extension('urn:a').value is code", [True]),
        ("extension('urn:a').value is string", [False]),
        ("extension('urn:b').extension('inner').value.ofType(Quantity).value", [5.25]),
        ("(extension('urn:b').extension('inner').value as Quantity).unit", ["kg"]),
        ("multipleBirth.ofType(integer) + 1", [3]),
        ("multipleBirth.ofType(boolean)", []),
        ("deceased.ofType(boolean).not()", [True]),
        ("managingOrganization.getReferenceKey()", ["Organization/o1"]),
        ("managingOrganization.getReferenceKey(Patient)", []),
        ("generalPractitioner.getReferenceKey(Practitioner)", ["Practitioner/d1"]),
        ("getResourceKey()", ["Patient/p1"]),
        ("name.getResourceKey()", []),
        ("(name.given | contact.telecom.system).first()", ["Lan"]),
        ("(nothing | name.family | name.given).first()", ["Li"]),
        ("(nothing | never).exists()", [False]),
        ("contact.telecom.system | 'fax'", ["phone", "email", "fax"]),
        ("name.given.union('Lan').count()", [3]),
        ("name.given.combine('Lan').count()", [4]),
        ("name.given.intersect('Lan' | 'Bo')", ["Lan"]),
        ("name.given.exclude('Lan')", ["Hua", "Lanlan"]),
        ("contact.telecom.system.distinct()", ["phone", "email"]),
        ("contact.telecom.system.isDistinct()", [False]),
        ("'phone' in contact.telecom.system", [True]),
        ("contact.telecom.system contains 'fax'", [False]),
        ("iif(gender = 'female', '2', '1')", ["2"]),
        ("iif(gender = 'male', '1')", []),
        ("gender & '-' & nothing & id", ["female-p1"]),
        ("gender.startsWith('fe') and gender.length() = 6", [True]),
        ("gender.replace('fe', '').upper()", ["MALE"]),
        ("'a|b'.split('|').last()", ["b"]),
        ("gender.substring(2, 2)", ["ma"]),
        ("gender.matches('^fe.*e$')", [True]),
        ("name.given.join('+')", ["Lan+Hua+Lanlan"]),
        ("name.tail().use", ["usual"]),
        ("name.skip(1).use | name.take(1).use", ["usual", "official"]),
        ("%resource.id = id", [True]),
        ("name.where(%resource.active).count()", [2]),
        ("'it\\'s'", ["it's"]),
        ("`gender`", ["female"]),
        ("// a remark\n gender /* another */", ["female"]),
        ("$this.id", ["p1"]),
        ("{}", []),
    ],
)
def test_what_an_expression_gives(text: str, expected: list[Any]) -> None:
    assert evaluate(text, wanted="usual") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", [7]),
        ("(1 + 2) * 3", [9]),
        ("-3 + 5", [2]),
        ("7 / 2", [Decimal("3.5")]),
        ("7 div 2", [3]),
        ("7 mod 2", [1]),
        ("-7 div 2", [-3]),
        ("1 / 0", []),
        ("0.1 + 0.2 = 0.3", [True]),
        ("1 = 1.0", [True]),
        ("true = 1", [False]),
        ("2 > 10", [False]),
        ("'2' > '10'", [True]),
        ("1 != {}", []),
        ("'A' ~ 'a'", [True]),
        ("{} ~ {}", [True]),
        ("1.005.round(2)", [Decimal("1.01")]),
        ("(-1.5).abs()", [Decimal("1.5")]),
        ("'12'.toInteger() + 1", [13]),
        ("'x'.toInteger()", []),
        ("'yes'.toBoolean()", [True]),
        ("(1 | 2 | 2).count()", [2]),
        ("true implies {}", []),
        ("false implies {}", [True]),
        ("{} implies true", [True]),
    ],
)
def test_numbers_and_literals(text: str, expected: list[Any]) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(("left", "right"), [(a, b) for a in (True, False, None) for b in (True, False, None)])
def test_logic_has_three_values(left: bool | None, right: bool | None) -> None:
    written = {True: "true", False: "false", None: "{}"}
    both = False if False in (left, right) else None if None in (left, right) else True
    either = True if True in (left, right) else None if None in (left, right) else False
    one = None if None in (left, right) else left is not right
    for word, expected in (("and", both), ("or", either), ("xor", one)):
        assert evaluate(f"{written[left]} {word} {written[right]}") == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@2026-11-21 = @2026-11-21", [True]),
        ("@2026-11 = @2026-11-21", []),
        ("@2026-11 < @2026-12-01", [True]),
        ("@2026-11-21T00:00:00Z = @2026-11-21T08:00:00+08:00", [True]),
        ("@2026-11-21T00:00:00Z > @2026-11-21T08:00:00+09:00", [True]),
        ("@2026-11-21T00:00:00Z = @2026-11-21T00:00:00", []),
        ("@T08:30:00 < @T08:30:01", [True]),
        ("@T08:30 = @T08:30:00", []),
        ("birthDate < @1970-07-01", [True]),
        ("birthDate < @1970-06-15", []),
        ("extension('urn:c').value.ofType(dateTime) = @2026-11-21T00:00:00Z", [True]),
        ("birthDate.lowBoundary()", ["1970-06-01"]),
        ("birthDate.highBoundary()", ["1970-06-30"]),
        ("extension('urn:c').value.ofType(dateTime).highBoundary()", ["2026-11-21T08:00:00.999+08:00"]),
        ("@2024-02.highBoundary()", ["2024-02-29"]),
        ("(1.587).lowBoundary()", [Decimal("1.5865")]),
        ("true.lowBoundary()", []),
    ],
)
def test_moments_compare_as_far_as_they_are_precise(text: str, expected: list[Any]) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("name.where(use = 'official'", 28, r"write \)"),
        ("name..given", 6, "name of an element"),
        ("name.given[", 12, "stops here"),
        ("name @@", 6, "not FHIRPath"),
        ("name given", 6, "should end here"),
        ("name.frist()", 6, "no function frist"),
        ("name.first(1)", 6, "takes 0 arguments"),
        ("%unknown", 1, "not defined"),
        ("value.ofType(1)", 7, "name of a type"),
        ("", 1, "stops here"),
        ("4 'mg'", 3, "should end here"),
        ("{1}", 2, r"write \}"),
    ],
)
def test_a_wrong_expression_names_the_place(text: str, position: int, words: str) -> None:
    with pytest.raises(DefinitionError, match=words) as found:
        compile_expression(text)
    assert found.value.where.endswith(f"@{position}")
    assert found.value.zh != found.value.en


@pytest.mark.parametrize(
    ("text", "position"),
    [("gender + 1", 8), ("active and name.given", 8), ("name.given.toInteger()", 12), ("name.given < 'x'", 12), ("-gender", 1)],
)
def test_values_that_do_not_suit_name_the_place(text: str, position: int) -> None:
    with pytest.raises(DefinitionError, match="wrong kind") as found:
        evaluate(text)
    assert found.value.where.endswith(f"@{position}")


def test_nothing_in_the_node_is_changed_and_odd_shapes_give_nothing() -> None:
    for node in ({}, [], "text", 1, None, {"name": "text"}, {"name": [[1], "x", None]}, {"name": {"given": {"given": 1}}}):
        assert evaluate("name.given.first().first()", node) in ([], [{"given": 1}])
        assert evaluate("name.where(use = 'x')", node) == []
