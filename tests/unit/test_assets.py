"""What npm runs with when the browser assets are brought."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hatch_build() -> ModuleType:
    """The build hook, loaded from its file."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "scripts" / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_home_that_cannot_be_written_keeps_no_cache(hatch_build: ModuleType, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    writable = hatch_build.npm_environment({"HOME": str(home), "PATH": "/bin"}, Path("/node/bin"), tmp_path)
    absent = hatch_build.npm_environment({"HOME": "/nonexistent", "PATH": "/bin"}, Path("/node/bin"), tmp_path)
    assert "npm_config_cache" not in writable
    assert absent["npm_config_cache"] == str(tmp_path / "cache")
    assert absent["PATH"] == "/node/bin:/bin"


def test_the_machines_certificates_are_trusted_unless_told_otherwise(hatch_build: ModuleType, tmp_path: Path) -> None:
    plain = hatch_build.npm_environment({"PATH": "/bin"}, Path("/node/bin"), tmp_path)
    told = hatch_build.npm_environment({"PATH": "/bin", "NODE_USE_SYSTEM_CA": "0"}, Path("/node/bin"), tmp_path)
    assert plain["NODE_USE_SYSTEM_CA"] == "1"
    assert told["NODE_USE_SYSTEM_CA"] == "0"
