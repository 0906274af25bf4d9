"""`python -m xinglin` in a checkout where nothing is installed yet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the entry and one pin, below a name with a space and Chinese characters."""
    folder = tmp_path / "县 里"
    (folder / "requirements").mkdir(parents=True)
    for name in ("build.txt", "run.txt"):
        (folder / "requirements" / name).write_text(f"hatchling==1.27.0 --hash=sha256:{'0' * 64}\n")
    shutil.copytree(ROOT / "xinglin", folder / "xinglin")
    return folder


def start(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the entry as a stranger would, by a Python where nothing is installed and no package index to reach."""
    environment = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PYTHONUTF8": "1", "HOME": str(checkout)}
    command = [str(Path(sys.executable).resolve()), "-m", "xinglin", *words]
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, timeout=200
    )


def test_an_installed_checkout_becomes_the_command(checkout: Path) -> None:
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "xinglin").write_text('#!/bin/sh\necho "$$ got $*"\nexit 11\n')
    os.chmod(programs / "xinglin", 0o755)
    (checkout / ".venv" / ".installed").touch()
    done = start(checkout, "where", "管理人群血压控制率")
    assert done.returncode == 11, "the command's own exit code comes back"
    assert done.stdout.endswith("got where 管理人群血压控制率\n")
    assert "安装" not in done.stderr


def test_an_installation_that_fails_says_what_to_do(checkout: Path) -> None:
    done = start(checkout, "demo")
    assert done.returncode == 1
    assert "安装到 .venv" in done.stderr, "a silent wait of minutes looks like a hang"
    assert "连不上软件包仓库" in done.stderr
    assert "the package registry cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv" / ".installed").exists(), "the next run tries again"
