"""`xinglin docs` and `xinglin where`: the reference written from code, and where a number comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xinglin.base.errors import ConflictError, NotFoundError

ROOT = Path(__file__).resolve().parents[3]


def mount(app: typer.Typer) -> None:
    """Add the commands to the application, which the reference describes."""

    def docs(check: Annotated[bool, typer.Option("--check", help="只检查是否过期 · only say whether it is stale")] = False) -> None:
        """由定义和代码生成参考文档 · Write the reference from definitions and code (needs a source checkout)."""
        write_reference(app, is_check=check)

    app.command("docs")(docs)
    app.command("where")(where)


def write_reference(app: typer.Typer, *, is_check: bool) -> None:
    """Write the pages of docs/reference that are stale and say how many; is_check: refuse them instead.

    Raises: NotFoundError outside a source checkout, ConflictError naming the stale pages of a check.
    """
    from xinglin.cli.reference import pages

    if not (ROOT / "docs").is_dir():
        raise NotFoundError("请在源码文件夹中运行", "run in a source checkout", where="docs")
    stale = write_pages(ROOT / "docs" / "reference", pages(app), is_check=is_check)
    names = ", ".join(path.relative_to(ROOT).as_posix() for path in stale)
    if is_check and stale:
        raise ConflictError(f"参考文档已过期，请运行 xinglin docs：{names}", f"the reference is stale, run `xinglin docs`: {names}")
    Console().print(f"{len(stale)} pages written" if not is_check else "the reference is current")


def write_pages(folder: Path, pages: Mapping[str, str], *, is_check: bool) -> list[Path]:
    """Write the pages that are not as they should be and remove those of definitions that are gone; returns them.

    is_check: write nothing.
    """
    stale = [folder / name for name, text in sorted(pages.items()) if not _stands(folder / name, text)]
    gone = [path for path in sorted((folder / "definitions").glob("*.md")) if f"definitions/{path.name}" not in pages]
    if not is_check:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[path.relative_to(folder).as_posix()], encoding="utf-8")
        for path in gone:
            path.unlink()
    return stale + gone


def _stands(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def where(name: Annotated[str, typer.Argument(help="指标名，如 管理人群血压控制率 · name or id of a measure")]) -> None:
    """指标的定义在哪里：文件和行、条款、查询、页面 · File and line, clause, query and page of a measure."""
    from xinglin.engines.rules import where as where_is

    Console().print(where_is(name), soft_wrap=True)
