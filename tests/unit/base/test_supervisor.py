"""A process that goes on dying does not do so in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xinglin.base.supervisor import Child, Supervisor


async def test_a_child_that_dies_is_told_of_and_counted(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    told: list[tuple[str, int]] = []

    def tell(name: str, deaths: int) -> None:
        told.append((name, deaths))
        if deaths == 2:
            supervisor.stop()

    async def ready() -> None:
        return None

    supervisor = Supervisor(dict(os.environ), tmp_path / "log", None, tell)
    await supervisor.run([Child("load-demo", ["there-is-no-such-command"])], ready)
    assert told == [("load-demo", 1), ("load-demo", 2)]
    assert "there-is-no-such-command" in (tmp_path / "log" / "load-demo.log").read_text()


async def test_a_child_runs_nothing_of_the_folder_it_was_started_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "typer.py").write_text("raise SystemExit('run from the folder')")
    monkeypatch.chdir(tmp_path)

    async def ready() -> None:
        return None

    supervisor = Supervisor(dict(os.environ), tmp_path / "log", None, lambda name, deaths: supervisor.stop())
    await supervisor.run([Child("where", ["where", "--no-such-option"])], ready)
    said = (tmp_path / "log" / "where.log").read_text()
    assert "--no-such-option" in said and "run from the folder" not in said
