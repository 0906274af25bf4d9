"""The frame of every help text in both languages: usage, the headings of its panels, and what --help does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

USAGE: Final = ("Usage: ", "用法 · Usage: ")
ARGUMENTS: Final = "参数 · Arguments"
OPTIONS: Final = "选项 · Options"
COMMANDS: Final = "命令 · Commands"
_PANELS: Final = {"argument": ARGUMENTS, "option": OPTIONS, "command": COMMANDS}
HELP: Final = "显示说明后退出 · Show this message and exit."


def _in_panel(things: Iterable[Any]) -> None:
    """Give parameters and commands without a panel of their own the one of their kind."""
    for one in things:
        kind = _PANELS[getattr(one, "param_type_name", "command")]
        one.rich_help_panel = getattr(one, "rich_help_panel", None) or kind


def _said(option: Any) -> Any:
    """Return the option --help with its words in both languages."""
    if option is not None:
        option.help = HELP
        _in_panel([option])
    return option


class Command(TyperCommand):
    """A command whose help is framed in both languages."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        _in_panel(self.params)

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option --help."""
        return _said(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        """Return the line that says how the command is written."""
        return super().get_usage(ctx).replace(*USAGE, 1)


class Group(TyperGroup):
    """A command with commands below it whose help is framed in both languages."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        _in_panel(self.params)
        _in_panel(self.commands.values())

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option --help."""
        return _said(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        """Return the line that says how the command is written."""
        return super().get_usage(ctx).replace(*USAGE, 1)


class Typer(typer.Typer):
    """An application whose commands are framed in both languages. Takes what `typer.Typer` takes."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=Group, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[[Any], Any]:
        """Return what adds a function as a command."""
        return super().command(name, **{"cls": Command} | more)
