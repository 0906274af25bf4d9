"""A command that looks into an installation makes none where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.base.errors import NotFoundError
from xinglin.cli.session import with_installation


async def nothing(_: object) -> None:
    raise AssertionError("there is nothing to work on")


def test_a_folder_without_an_installation_is_named_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINGLIN_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("XINGLIN_DATABASE_URL", raising=False)
    with pytest.raises(NotFoundError) as refused:
        with_installation(nothing)
    assert refused.value.where == str(tmp_path / "elsewhere")
    assert "XINGLIN_DATA" in refused.value.zh
    assert not (tmp_path / "elsewhere").exists()
