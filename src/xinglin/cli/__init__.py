"""The command `xinglin`."""

from __future__ import annotations

import sys

import typer

from xinglin.base.errors import XinglinError
from xinglin.cli import benching, checking, documents, importing, planning, serving

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="杏林 Xinglin：县域医疗卫生数字系统 · the digital system of a health district"
)
serving.mount(app)
importing.mount(app)
checking.mount(app)
documents.mount(app)
benching.mount(app)
planning.mount(app)


def main() -> None:
    """Run the command; an error of ours is printed in both languages and becomes its exit code."""
    try:
        app()
    except XinglinError as error:
        place = f"{error.where}: " if error.where else ""
        print(f"xinglin: {place}{error.zh}\n         {place}{error.en}", file=sys.stderr)
        sys.exit(error.exit_code)
