"""What every command says of itself, in both languages: the frame of its help, and what was wrong in how it was written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from xinglin.cli.usage import told

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


class _Framed:
    """What commands and groups of commands have in common."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option --help, with its words in both languages."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = HELP
            _in_panel([option])
        return option

    def get_usage(self, ctx: Any) -> str:
        """Return the line that says how the command is written."""
        usage: str = super().get_usage(ctx)  # type: ignore[misc]
        return usage.replace(*USAGE, 1)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the words after the command; what is wrong with them is known to be of this command."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except TyperException as error:
            error.ctx = getattr(error, "ctx", None) or ctx  # type: ignore[attr-defined]
            raise


class Command(_Framed, TyperCommand):
    """A command framed in both languages."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        _in_panel(self.params)


class Group(_Framed, TyperGroup):
    """A command with commands below it, framed in both languages."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        _in_panel(self.params)
        _in_panel(self.commands.values())

    def main(self, *arguments: Any, **more: Any) -> Any:
        """Run the command that is written and end the process with its code; wrong usage is told as our other errors are, and is 2."""
        try:
            code = super().main(*arguments, **more | {"standalone_mode": False})
        except TyperException as error:
            _tell(error)
            code = error.exit_code
        sys.exit(code)


def _tell(error: Any) -> None:
    """Print how the command is written, what was wrong and where it is explained; a group called without a command has shown its help."""
    if error.ctx is None or not error.format_message():
        return
    zh, en = told(error)
    help_zh, help_en = f"{error.ctx.command_path} --help 有说明", f"`{error.ctx.command_path} --help` explains it"
    typer.echo(f"{error.ctx.get_usage()}\nxinglin: {zh}；{help_zh}\n         {en}; {help_en}", err=True)


class Typer(typer.Typer):
    """An application whose commands are framed in both languages. Takes what `typer.Typer` takes."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=Group, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[[Any], Any]:
        """Return what adds a function as a command."""
        return super().command(name, **{"cls": Command} | more)
