"""The part of FHIRPath that HL7's search parameters use, read into steps.

Paths, unions, `as` and `ofType`, `where(resolve() is T)`, `where(name='literal')`, `[n]`, and one `exists() and != false`. What is outside is
refused with its text, so that a new release of the definitions cannot slip through unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from xinglin.base.errors import DefinitionError

_ALTERNATIVE = re.compile(r"\s*\|\s*")
_CAST = re.compile(r"\((?P<path>[\w.]+) as (?P<type>\w+)\)(?P<rest>.*)")
_EXISTS = re.compile(r"(?P<path>[\w.]+)\.exists\(\) and (?P=path) != false")
_STEP: Final = re.compile(
    r"(?:as|ofType)\((?P<cast>\w+)\)|where\(resolve\(\) is (?P<pointed>\w+)\)|where\((?P<name>\w+)='(?P<literal>[^']*)'\)"
    r"|(?P<field>\w+)(?:\[(?P<index>\d+)\])?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: kind "field", "index", "cast", "pointed" (a reference to that type), "equal" (name = literal) or "truth" (present, not false)."""

    kind: str
    name: str = ""
    literal: str = ""


def read_expression(expression: str) -> list[tuple[str, tuple[Step, ...]]]:
    """Return the alternatives of an expression: root type ("" if the path is relative) and steps.

    Raises: DefinitionError for a construct outside the subset.
    """
    return [_read_alternative(part) for part in _ALTERNATIVE.split(expression.strip())]


def _read_alternative(text: str) -> tuple[str, tuple[Step, ...]]:
    if exists := _EXISTS.fullmatch(text):
        root, steps = _read_path(exists["path"])
        return root, (*steps, Step("truth"))
    if cast := _CAST.fullmatch(text):
        root, steps = _read_path(cast["path"])
        rest = _read_steps(cast["rest"].removeprefix("."), text) if cast["rest"] else ()
        return root, (*steps, Step("cast", cast["type"]), *rest)
    return _read_path(text)


def _read_path(text: str) -> tuple[str, tuple[Step, ...]]:
    root, _, rest = text.partition(".")
    if not root[:1].isupper():
        return "", _read_steps(text, text)
    return root, _read_steps(rest, text) if rest else ()


def _read_steps(text: str, whole: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None or text[step.end() : step.end() + 1] not in ("", "."):
            raise DefinitionError("检索参数表达式超出支持范围", "the expression is outside the subset that is compiled", where=whole)
        steps.extend(_steps_of(step))
        position = step.end() + 1
    return tuple(steps)


def _steps_of(step: re.Match[str]) -> list[Step]:
    if step["cast"]:
        return [Step("cast", step["cast"])]
    if step["pointed"]:
        return [Step("pointed", step["pointed"])]
    if step["name"]:
        return [Step("equal", step["name"], step["literal"])]
    field = Step("field", step["field"])
    return [field] if step["index"] is None else [field, Step("index", step["index"])]
