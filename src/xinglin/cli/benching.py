"""`xinglin bench NAME`: measurements, as commands."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from xinglin.base.errors import NotFoundError

BENCHES = Path(__file__).resolve().parents[3] / "bench"


def mount(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("bench")(bench)


def names() -> list[str]:
    """Return the measurements this checkout has: the files of bench/ that define `run`."""
    return sorted(path.stem for path in BENCHES.glob("*.py") if "\ndef run(" in path.read_text(encoding="utf-8"))


def bench(
    name: Annotated[str | None, typer.Argument(help="测量名 · which measurement; none lists them")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """测量速度和内存 · Measure speed and memory (needs a source checkout)."""
    if name is None:
        Console().print("\n".join(names()) or "bench/ is not here: run from a source checkout")
        return
    if name not in names():
        raise NotFoundError(f"没有这个测量，可选：{'、'.join(names())}", f"no such measurement; one of {', '.join(names())}", where=name)
    sys.path.insert(0, str(BENCHES.parent))
    figures: dict[str, Any] = importlib.import_module(f"bench.{name}").run()
    if as_json:
        typer.echo(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("figure", "value", title=name)
    for key, value in figures.items():
        table.add_row(key, str(value))
    Console().print(table)
