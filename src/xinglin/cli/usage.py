"""Wrong usage of a command, told in both languages with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

Told = tuple[str, str]
_NUMBER: Final = re.compile(r"Input should be (a valid integer|greater than|less than)")


def told(error: Any) -> Told:
    """Return what a usage error of the command line says, in Chinese and English; one of a kind not known here keeps its English words."""
    message = error.format_message()
    for pattern, say in _SAID:
        found = pattern.fullmatch(message)
        if found:
            return say(error, *found.groups())
    return "命令的写法不对", message


def _command(error: Any, name: str, near: str | None) -> Told:
    if near:
        return f"没有命令 {name}，是不是 {near}", f"there is no command {name}; did you mean {near}"
    return f"没有命令 {name}", f"there is no command {name}"


def _option(error: Any, name: str, near: str | None) -> Told:
    if near:
        return f"没有选项 {name}，是不是 {near}", f"there is no option {name}; did you mean {near}"
    return f"没有选项 {name}", f"there is no option {name}"


def _missing(error: Any, kind: str, name: str) -> Told:
    return f"缺少{'选项' if kind == 'option' else '参数'} {name}", f"the {kind} {name} is missing"


def _value(error: Any, name: str, why: str) -> Told:
    if not _NUMBER.match(why):
        return f"{name} 的值不对", f"{name}: {why}"
    least, most = getattr(error.param, "min", None), getattr(error.param, "max", None)
    if least is not None and most is not None:
        return f"{name} 请写 {least} 到 {most} 之间的整数", f"{name} takes a whole number from {least} to {most}"
    return f"{name} 请写整数", f"{name} takes a whole number"


_SAID: Final[tuple[tuple[re.Pattern[str], Callable[..., Told]], ...]] = (
    (re.compile(r"No such command '(.*?)'\.(?: Did you mean (.*)\?)?"), _command),
    (re.compile(r"No such option: (\S+)(?: \(Possible options: (.*)\))?"), _option),
    (re.compile(r"Missing (argument|option) '(.*)'\."), _missing),
    (re.compile(r"Invalid value for '(.*?)': (.*)", re.DOTALL), _value),
    (
        re.compile(r"Option '(.*)' requires an argument\."),
        lambda error, name: (f"{name} 后面要写它的值", f"write a value after {name}"),
    ),
    (
        re.compile(r"Option '(.*)' does not take a value\."),
        lambda error, name: (f"{name} 后面不写值", f"{name} takes no value"),
    ),
    (
        re.compile(r"Got unexpected extra argument\(s\) \((.*)\)"),
        lambda error, words: (f"多写了 {words}；含空格的文字请加引号", f"{words} is too much; put words with spaces in quotes"),
    ),
)
"""The sentences of the parser of the command line, each with what is said instead."""
