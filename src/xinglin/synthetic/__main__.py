"""`python -m xinglin.synthetic generate FOLDER` and `python -m xinglin.synthetic calibrate FOLDER`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from xinglin.base.clock import SystemClock
from xinglin.synthetic import Plan, advance, calibrate, generate, plan_of
from xinglin.synthetic.plan import SEED

app = typer.Typer(help="生成示例县并校准 · make a synthetic district and compare it with its targets", no_args_is_help=True)


@app.command("generate")
def generate_command(
    folder: Annotated[Path, typer.Argument(help="空文件夹 · an empty folder")],
    residents: Annotated[int, typer.Option(help="常住居民数 · usual residents")] = 5000,
    seed: Annotated[int, typer.Option(help="随机种子 · seed")] = SEED,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="数据日期 · day of data; today when left out")] = None,
    workers: Annotated[int, typer.Option(help="进程数 · processes")] = 1,
) -> None:
    """生成示例县 · Make a district."""
    day = as_of.date() if as_of else SystemClock(ZoneInfo("Asia/Shanghai")).today()
    manifest = generate(Plan(residents=residents, seed=seed, as_of=day, workers=workers), folder)
    typer.echo(f"{manifest.resources} resources, {sum(f['bytes'] for f in manifest.files) / 1e6:.0f} MB, {manifest.as_of}")


@app.command("advance")
def advance_command(
    district: Annotated[Path, typer.Argument(help="已生成的示例县 · folder of a generated district")],
    folder: Annotated[Path, typer.Argument(help="空文件夹 · an empty folder")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="续写到这一天 · last day to live")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="上次续写到的日期 · last day lived before; the day of data when left out")
    ] = None,
    workers: Annotated[int, typer.Option(help="进程数 · processes")] = 1,
) -> None:
    """从数据日期续写若干天 · Live a district on for some days."""
    plan = plan_of(district, workers)
    made = advance(plan, (since.date() if since else plan.as_of, until.date()), folder)
    typer.echo(f"{made.resources} resources, {sum(f['bytes'] for f in made.files) / 1e6:.1f} MB, {made.since} - {made.until}")


@app.command("calibrate")
def calibrate_command(
    folder: Annotated[Path, typer.Argument(help="生成结果所在文件夹 · folder of a generated district")],
    markdown: Annotated[bool, typer.Option(help="输出 Markdown 表格 · print a Markdown table")] = False,
) -> None:
    """与目标比较，超出容差时退出码非零 · Compare with the targets; a non-zero exit code outside tolerance."""
    report = calibrate(folder)
    typer.echo(report.markdown() if markdown else report.text(), nl=False)
    raise typer.Exit(report.exit_code)


if __name__ == "__main__":
    app()
