"""The command `xinglin`."""

from __future__ import annotations

import gc
import io
import sys
from typing import Final

import typer

from xinglin.base.errors import XinglinError
from xinglin.cli import benching, checking, coding, documents, erasing, importing, planning, serving, waiting
from xinglin.cli.wording import Typer

COLLECT_AFTER: Final = (50_000, 20, 50)
"""Objects and rounds after which the cyclic collector runs: records are trees without cycles, and looking for some took a fifth of a load."""
app = Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="杏林 Xinglin：县域医疗卫生数字系统 · the digital system of a health district",
)
serving.mount(app)
importing.mount(app)
checking.mount(app)
documents.mount(app)
benching.mount(app)
planning.mount(app)
waiting.mount(app)
erasing.mount(app)
coding.mount(app)


def main() -> None:
    """Run the command; an error of ours is printed in both languages and becomes its exit code."""
    gc.set_threshold(*COLLECT_AFTER)
    _let_every_terminal_show()
    try:
        app()
    except XinglinError as error:
        typer.echo(f"xinglin: {error.message('zh')}\n         {error.message('en')}", err=True)
        sys.exit(error.exit_code)


def _let_every_terminal_show() -> None:
    """Write what a terminal of another encoding (GBK, Latin) cannot show as its code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
