"""What is told to a program: OperationOutcome and CapabilityStatement, themselves valid R4."""

from __future__ import annotations

from xinglin.base.errors import NotFoundError
from xinglin.fhir import RESOURCE_TYPES, Capabilities, capability_statement, operation_outcome, validate

CAPABILITIES = Capabilities(
    base_url="http://127.0.0.1:8000/fhir",
    version="0.1.0",
    date="2026-11-21",
    interactions=("read", "vread", "create", "update", "search-type"),
    system_interactions=("transaction", "batch"),
    parameter_types=frozenset({"token", "date"}),
    modifiers={"token": ("not", "text")},
    prefixes=("eq", "ge"),
    results=("_sort",),
)


def test_problems_become_issues_with_their_path() -> None:
    problems = validate({"resourceType": "Patient", "gender": "F", "nam": 1})
    outcome = operation_outcome(problems, "en")
    assert validate(outcome) == []
    assert [issue["expression"] for issue in outcome["issue"]] == [["Patient.nam"], ["Patient.gender"]]
    assert "female" in outcome["issue"][1]["diagnostics"]
    assert "代码" in operation_outcome(problems, "zh")["issue"][1]["diagnostics"]


def test_an_error_becomes_an_issue_of_its_category() -> None:
    outcome = operation_outcome(NotFoundError("没有这份资源", "there is no such resource"), "zh")
    assert validate(outcome) == []
    assert outcome["issue"][0]["code"] == "not-found"
    assert outcome["issue"][0]["details"]["text"] == "没有这份资源"


def test_no_problem_is_said_too() -> None:
    outcome = operation_outcome([])
    assert validate(outcome) == []
    assert outcome["issue"][0]["severity"] == "information"


def test_the_capability_statement_promises_what_is_given() -> None:
    statement = capability_statement(CAPABILITIES)
    assert validate(statement) == []
    described = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
    assert set(described) == RESOURCE_TYPES
    params = {param["name"]: param for param in described["Observation"]["searchParam"]}
    assert {"code", "date", "_id", "_sort"} <= set(params)
    assert {"patient", "value-quantity", "code-value-quantity"}.isdisjoint(params)
    assert params["code"]["documentation"] == "modifiers: :not, :text"
    assert params["date"]["documentation"] == "prefixes: eq, ge"
