"""Words of the expression language, each with its line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from xinglin.base.errors import DefinitionError

_PATTERN: Final = re.compile(
    r"(?P<space>[ \t\r]+|#[^\n]*)|(?P<newline>\n)"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?!\d))|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<text>'[^'\n]*')|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\.\.|!=|<=|>=|[=<>()+\-*/.,\[\]])"
)
KEYWORDS: Final = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "between",
        "within",
        "is",
        "missing",
        "where",
        "if",
        "then",
        "else",
        "elif",
        "end",
        "true",
        "false",
        "days",
        "months",
        "years",
        "day",
        "month",
        "year",
        "as_of",
    ]
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression starts: file and line of its key; used to name the line and column of a fault."""

    path: str
    line: int = 1
    key: str = ""

    def at(self, line: int, column: int) -> str:
        """Return `file:line:column` for a place inside the expression (both counted from 1)."""
        return f"{self.path}:{self.line + line - 1}:{column}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its sort (date, number, text, name, keyword, sign, end), its text and its place."""

    sort: str
    text: str
    line: int
    column: int


def tokens(text: str, place: Place) -> list[Token]:
    """Return the words of an expression and a last one of sort `end`.

    Raises: DefinitionError naming line and column of a character that belongs to no word.
    """
    found: list[Token] = []
    line, start, at = 1, 0, 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            raise DefinitionError(
                f"看不懂 {text[at]!r}；代码要写在单引号里，如 'I10'",
                f"{text[at]!r} is not understood; write codes in single quotes, such as 'I10'",
                where=place.at(line, at - start + 1),
            )
        sort, word = match.lastgroup or "", match.group()
        if sort == "newline":
            line, start = line + 1, match.end()
        elif sort != "space":
            sort = "keyword" if sort == "name" and word in KEYWORDS else sort
            found.append(Token(sort, word, line, at - start + 1))
        at = match.end()
    found.append(Token("end", "", line, at - start + 1))
    return found
