"""OperationOutcome: how problems and errors are told to a program and to a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xinglin.base.errors import FHIR_ISSUE_CODE, XinglinError
from xinglin.fhir.problems import Problem


def operation_outcome(findings: Iterable[Problem] | XinglinError, language: str = "zh") -> dict[str, Any]:
    """Return an OperationOutcome resource.

    findings: problems of `validate`, or one error of the house; none at all gives the one issue "all is well".
    language: of `diagnostics` and `details.text`, "zh" or "en".
    """
    if isinstance(findings, XinglinError):
        issues = [_error_issue(findings, language)]
    else:
        issues = [_problem_issue(problem, language) for problem in findings] or [_all_well(language)]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _problem_issue(problem: Problem, language: str) -> dict[str, Any]:
    words = problem.message(language)
    return {
        "severity": problem.severity,
        "code": problem.code,
        "details": {"text": words},
        "diagnostics": f"{problem.path}: {words}",
        "expression": [problem.path],
    }


def _error_issue(error: XinglinError, language: str) -> dict[str, Any]:
    words = error.en if language.startswith("en") else error.zh
    issue = {
        "severity": "error",
        "code": FHIR_ISSUE_CODE[error.category],
        "details": {"text": words},
        "diagnostics": error.message(language),
    }
    return issue


def _all_well(language: str) -> dict[str, Any]:
    words = "No problems." if language.startswith("en") else "没有问题。"
    return {"severity": "information", "code": "informational", "details": {"text": words}, "diagnostics": words}
