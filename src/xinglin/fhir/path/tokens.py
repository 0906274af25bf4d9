"""Words of a FHIRPath text, each with its position."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from xinglin.base.errors import DefinitionError

_PATTERN: Final = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<moment>@T\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?
      |@\d{4}(?:-\d{2}(?:-\d{2})?)?(?:T(?:\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<constant>%(?:[A-Za-z_][A-Za-z0-9_-]*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'))
  | (?P<special>\$(?:this|index|total))
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign><=|>=|!=|!~|[-<>=~+*/&|.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One word. kind: moment, number, string, constant, special, quoted, name, sign or end; text: without quotes and escapes."""

    kind: str
    text: str
    position: int


def refusal(text: str, position: int, zh: str, en: str) -> DefinitionError:
    """Return the error for a FHIRPath text, naming text and 1-based position."""
    return DefinitionError(zh, en, where=f"FHIRPath `{text}` @{position + 1}")


def _unescape(body: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPES.get(m[2], m[2]), body) if "\\" in body else body


def _content(kind: str, raw: str) -> str:
    if kind in ("string", "quoted"):
        return _unescape(raw[1:-1])
    if kind == "constant":
        return _unescape(raw[2:-1]) if raw[1] in "`'" else raw[1:]
    return raw[1:] if kind == "moment" else raw


def tokenize(text: str) -> list[Token]:
    """Return the tokens of `text`, the last of kind "end".  Raises: DefinitionError at the first sign that is not FHIRPath."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise refusal(
                text,
                position,
                "此处的符号不属于 FHIRPath；请写路径，例如 name.family",
                "this sign is not FHIRPath; write a path such as name.family",
            )
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, _content(kind, match[0]), position))
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens
