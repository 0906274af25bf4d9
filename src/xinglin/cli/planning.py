"""`xinglin plan read`: the indicators, tasks and projects of a plan document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xinglin.cli.wording import Typer
from xinglin.modules.plan.command import plan_read_command


def mount(app: typer.Typer) -> None:
    """Add the group `plan` to the application."""
    plan = Typer(no_args_is_help=True, help="规划：读取规划文件 · plan documents")
    plan.command("read")(read)
    app.add_typer(plan, name="plan")


def read(
    file: Annotated[Path, typer.Argument(help="规划文件：txt、md、html、docx、pdf · the document")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """读取规划文件中的指标、任务和项目 · Read indicators, tasks and projects of a plan document."""
    raise typer.Exit(plan_read_command(file, as_json))
