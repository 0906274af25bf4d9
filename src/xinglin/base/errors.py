"""The one root error of Xinglin and its closed set of categories.

Every refusal anywhere in the house is a `XinglinError` with one of nine categories; the category is mapped once to an HTTP
status, an OperationOutcome code and a CLI exit code (`HTTP_STATUS`, `FHIR_ISSUE_CODE`, `EXIT_CODE`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Category(StrEnum):
    """What kind of failure it is; the set is closed."""

    DEFINITION = "definition"
    INCORRECT = "incorrect"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    UNSUPPORTED = "unsupported"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"


HTTP_STATUS: Final[Mapping[Category, int]] = {
    Category.DEFINITION: 500,
    Category.INCORRECT: 400,
    Category.NOT_FOUND: 404,
    Category.CONFLICT: 409,
    Category.FORBIDDEN: 403,
    Category.UNSUPPORTED: 501,
    Category.BUSY: 429,
    Category.UNAVAILABLE: 503,
    Category.FAULT: 500,
}
FHIR_ISSUE_CODE: Final[Mapping[Category, str]] = {
    Category.DEFINITION: "exception",
    Category.INCORRECT: "invalid",
    Category.NOT_FOUND: "not-found",
    Category.CONFLICT: "conflict",
    Category.FORBIDDEN: "forbidden",
    Category.UNSUPPORTED: "not-supported",
    Category.BUSY: "throttled",
    Category.UNAVAILABLE: "transient",
    Category.FAULT: "exception",
}
EXIT_CODE: Final[Mapping[Category, int]] = {
    Category.DEFINITION: 10,
    Category.INCORRECT: 11,
    Category.NOT_FOUND: 12,
    Category.CONFLICT: 13,
    Category.FORBIDDEN: 14,
    Category.UNSUPPORTED: 15,
    Category.BUSY: 16,
    Category.UNAVAILABLE: 17,
    Category.FAULT: 18,
}


_COUNTED: Final[Mapping[str, str]] = {"line": "第 {} 行", "column": "第 {} 列", "byte": "第 {} 字节"}
_IN_A_TEXT: Final = re.compile(r"(line|column|byte) (\d+) ?")


def place_words(where: str, language: str) -> str:
    """Return a place as one says it in `language` ("zh" or "en"): a line, column or byte of a text has words, anything else is a name.

    >>> place_words("line 12 column 3", "zh"), place_words("line 12", "en"), place_words("Patient.birthDate", "zh")
    ('第 12 行第 3 列', 'line 12', 'Patient.birthDate')
    """
    if language.startswith("en") or not re.fullmatch(f"(?:{_IN_A_TEXT.pattern})+", where):
        return where
    return _IN_A_TEXT.sub(lambda found: _COUNTED[found[1]].format(found[2]), where)


def both_languages(where: str, zh: str, en: str) -> str:
    """Return one line that says in Chinese and in English what is wrong, each with its place before it; a name stands once.

    >>> both_languages("line 2", "不是合法的 JSON", "not valid JSON"), both_languages("Patient.id", "缺少", "missing")
    ('第 2 行: 不是合法的 JSON · line 2: not valid JSON', 'Patient.id: 缺少 · missing')
    """
    chinese = place_words(where, "zh")
    return f"{chinese}: {zh} · {f'{where}: ' if where != chinese else ''}{en}" if where else f"{zh} · {en}"


class XinglinError(Exception):
    """A refusal with a category, a place and words in Chinese and English that say what to write instead.

    zh: sentence for a person reading Chinese.  en: the same in English.  where: path, file:line, row or field, or "".
    status: overrides the HTTP status of the category where a protocol asks for another (412, 413, 422...).
    Never put a value from a resident's record in zh or en: messages reach log lines.
    """

    category: Category = Category.FAULT

    def __init__(self, zh: str, en: str, *, where: str = "", status: int | None = None) -> None:
        super().__init__(f"{where}: {en}" if where else en)
        self.zh = zh
        self.en = en
        self.where = where
        self._status = status

    @property
    def http_status(self) -> int:
        """Return the HTTP status this error answers with."""
        return self._status or HTTP_STATUS[self.category]

    @property
    def exit_code(self) -> int:
        """Return the exit code of a command that ends with this error."""
        return EXIT_CODE[self.category]

    def message(self, language: str) -> str:
        """Return the sentence in `language` ("zh" or "en"), with the place before it."""
        words = self.en if language.startswith("en") else self.zh
        return f"{place_words(self.where, language)}: {words}" if self.where else words


class DefinitionError(XinglinError):
    """A definition (rule, form, view, module) is wrong; found when it is loaded, not when it runs."""

    category = Category.DEFINITION


class IncorrectError(XinglinError):
    """What was sent is wrong and would be wrong again."""

    category = Category.INCORRECT


class NotFoundError(XinglinError):
    """It does not exist, or not for this actor: the two answer alike."""

    category = Category.NOT_FOUND


class ConflictError(XinglinError):
    """It clashes with the present state (version, duplicate, transition)."""

    category = Category.CONFLICT


class ForbiddenError(XinglinError):
    """The actor may not do this."""

    category = Category.FORBIDDEN


class UnsupportedError(XinglinError):
    """Understood, but not offered here."""

    category = Category.UNSUPPORTED


class BusyError(XinglinError):
    """Too much at once; try again later."""

    category = Category.BUSY


class UnavailableError(XinglinError):
    """A part this needs (database, disk, audit) is away; nothing was done."""

    category = Category.UNAVAILABLE


class FaultError(XinglinError):
    """A defect of ours."""

    category = Category.FAULT
