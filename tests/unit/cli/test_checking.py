"""`xinglin check` says in plain words what is wrong with a machine, and what to do."""

from __future__ import annotations

import io
import os
import shutil
import socket
import sys
import tempfile
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from tests.free_port import free_port
from xinglin.base.database import migrate
from xinglin.base.errors import ConflictError, UnavailableError
from xinglin.base.places import open_data_folder
from xinglin.base.settings import read_settings
from xinglin.base.supervisor import hold_data_folder, note_address, served_at
from xinglin.cli import app, checking, main
from xinglin.cli.checking import Finding, examine

Usage = namedtuple("Usage", "total used free")


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return settings for a data folder of this test, on a port nobody uses."""
    return {"XINGLIN_DATA": str(tmp_path / "data"), "XINGLIN_PORT": str(free_port()), **more}


def wrong(found: Iterator[Finding]) -> list[str]:
    return [f"{one.zh} {one.en}" for one in found if not one.is_good]


def test_a_machine_that_is_fit_has_nothing_to_do(tmp_path: Path) -> None:
    found = list(examine(environment(tmp_path)))
    assert wrong(iter(found)) == []
    assert len(found) >= 7, "python, space, port, database, assets, definitions, sockets"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        (told,) = wrong(examine(environment(tmp_path) | {"XINGLIN_PORT": port}))
    assert port in told and "--port" in told


def test_a_port_on_which_this_folder_is_served_is_in_use_and_good(tmp_path: Path) -> None:
    with socket.socket() as web:
        web.bind(("127.0.0.1", 0))
        web.listen()
        settings = environment(tmp_path) | {"XINGLIN_PORT": str(web.getsockname()[1])}
        assert len(wrong(examine(settings))) == 1, "another program's, as long as nothing serves the folder"
        with hold_data_folder(tmp_path / "data") as lock:
            assert len(wrong(examine(settings))) == 1, "the folder is served, but elsewhere"
            note_address(lock, f"127.0.0.1:{settings['XINGLIN_PORT']}")
            found = list(examine(settings))
        assert wrong(iter(found)) == [] and any("由本数据文件夹的杏林使用中" in one.zh for one in found)
        with hold_data_folder(tmp_path / "data") as lock:
            note_address(lock, f"127.0.0.1:{settings['XINGLIN_PORT']}")
            told = list(examine(environment(tmp_path), int(settings["XINGLIN_PORT"])))
        assert wrong(iter(told)) == [], "--port goes before the setting"
        assert len(wrong(examine(settings))) == 1, "the same address after it was stopped is somebody else's"


@pytest.mark.parametrize(("host", "port", "says"), [("203.0.113.9", 8000, "XINGLIN_HOST"), ("no-host.invalid", 8000, "XINGLIN_HOST")])
def test_an_address_this_machine_does_not_have_is_not_called_taken(tmp_path: Path, host: str, port: int, says: str) -> None:
    (told,) = wrong(examine(environment(tmp_path, XINGLIN_HOST=host), port))
    assert says in told and "127.0.0.1" in told and "占用" not in told


def test_a_look_stands_in_nobodys_way(tmp_path: Path) -> None:
    settings = read_settings(environment(tmp_path))
    open_data_folder(settings.data_dir)
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            served_at(settings.data_dir)

    looking = [threading.Thread(target=look) for _ in range(3)]
    for one in looking:
        one.start()
    try:
        for _ in range(200):
            hold_data_folder(settings.data_dir).close()
        with hold_data_folder(settings.data_dir), pytest.raises(ConflictError):
            hold_data_folder(settings.data_dir)
    finally:
        done.set()
        for one in looking:
            one.join()


def test_a_disk_without_space_is_named_with_how_much_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 10**8, 10**8))
    (told,) = wrong(examine(environment(tmp_path)))
    assert "0.1 GB" in told and "2 GB" in told


def test_a_folder_that_cannot_be_written_ends_the_look(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    (told,) = wrong(examine(environment(tmp_path)))
    assert str(tmp_path / "data") in told


class OldServer:
    """A server older than PostgreSQL 17."""

    async def fetchrow(self, query: str) -> tuple[int, str, bool]:
        return 150004, "UTF8", True

    async def fetchval(self, query: str) -> str:
        return "15.4"

    async def close(self) -> None:
        return None


@pytest.mark.parametrize("more", ["?sslmode=maybe", "?no_such_word=1"])
def test_a_server_address_that_cannot_be_read_is_told_like_one_that_is_away(tmp_path: Path, more: str) -> None:
    (told,) = wrong(examine(environment(tmp_path, XINGLIN_DATABASE_URL=f"postgresql://me:secret@127.0.0.1:1/db{more}")))
    assert "XINGLIN_DATABASE_URL" in told and "secret" not in told
    with pytest.raises(UnavailableError) as refused:
        migrate(f"postgresql://me:secret@127.0.0.1:1/db{more}")
    assert "xinglin check" in refused.value.zh and "xinglin check" in refused.value.en and "secret" not in refused.value.en


def test_a_socket_folder_whose_name_is_too_long_is_told_with_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("l" * 90)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    (told,) = wrong(examine(environment(tmp_path)))
    assert "TMPDIR" in told


async def old_server(*_: Any, **__: Any) -> OldServer:
    return OldServer()


def test_an_old_server_is_named_with_the_version_that_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncpg, "connect", old_server)
    (told,) = wrong(examine(environment(tmp_path, XINGLIN_DATABASE_URL="postgresql://somewhere/db")))
    assert "15.4" in told and "17" in told


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    (told,) = wrong(examine(environment(tmp_path, XINGLIN_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/db")))
    assert "XINGLIN_DATABASE_URL" in told and "secret" not in told


def test_missing_assets_are_named_with_the_command_that_brings_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_ASSETS", ("no-such-library/file.js",))
    (told,) = wrong(examine(environment(tmp_path)))
    assert "no-such-library" in told and "make assets" in told


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("XINGLIN_PORT", "http", "65535"),
        ("XINGLIN_PORT", "70000", "65535"),
        ("XINGLIN_DATABASE_URL", "mysql://db.example/xinglin", "postgresql://"),
        ("XINGLIN_ZONE", "Beijing", "Asia/Shanghai"),
        ("XINGLIN_SITE", "0", "32767"),
        ("XINGLIN_CRYPTOGRAPHY", "sm4", "international"),
        ("XINGLIN_NIGHTLY", "25:00", "02:30"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_write(tmp_path: Path, name: str, value: str, says: str) -> None:
    (told,) = wrong(examine(environment(tmp_path) | {name: value}))
    assert name in told and says in told


def test_the_command_ends_with_the_code_of_unavailable_when_something_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(app, ["check"]).exit_code == 0
    monkeypatch.setenv("XINGLIN_SITE", "x")
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 17 and "XINGLIN_SITE" in done.output
    assert os.environ["XINGLIN_SITE"] == "x"


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "ascii"])
def test_a_terminal_of_another_encoding_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "argv", ["xinglin", "check"])
    with pytest.raises(SystemExit) as ended:
        main()
    out.flush()
    said = out.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert ended.value.code == 0 and "the embedded PostgreSQL is there" in said
    assert encoding != "gbk" or "√ 内置 PostgreSQL 已就绪" in said
