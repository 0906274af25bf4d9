"""A demonstration and real data never share an installation."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.free_port import free_port
from xinglin.base.errors import ConflictError, IncorrectError
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.base.settings import Settings
from xinglin.cli import app
from xinglin.cli.opening import open_installation
from xinglin.cli.serving import remove_data
from xinglin.cli.session import has_cluster

ACCOUNT = (
    "insert into account (login, display_name, password_hash, demo_password, created_at, created_by) values (%s, '某', 'x', %s, now(), 0)"
)


@pytest.fixture
def unopened(database_url: str) -> str:
    """A database nobody has opened."""
    with psycopg.connect(database_url) as connection:
        connection.execute("delete from installation")
        connection.execute("truncate account cascade")
    return database_url


def settings(data: Path, url: str, *, demo: bool) -> Settings:
    data.mkdir(exist_ok=True)
    return Settings(data, url, demo=demo)


async def test_a_demonstration_opens_its_own_database_again_and_again(unopened: str, tmp_path: Path) -> None:
    for _ in range(2):
        assert await open_installation(settings(tmp_path / "data", unopened, demo=True)) == ()
    with psycopg.connect(unopened) as connection:
        connection.execute(ACCOUNT, ("made by hand", False))
    assert await open_installation(settings(tmp_path / "data", unopened, demo=True)) == (), "also with accounts people made in it"


async def test_a_demonstration_stays_out_of_a_database_of_real_data(unopened: str, tmp_path: Path) -> None:
    assert await open_installation(settings(tmp_path / "data", unopened, demo=False))
    with pytest.raises(ConflictError) as refused:
        await open_installation(settings(tmp_path / "data", unopened, demo=True))
    assert refused.value.where == "XINGLIN_DATABASE_URL"


async def test_a_demonstration_stays_out_of_a_database_it_was_begun_in_before_real_data_came(unopened: str, tmp_path: Path) -> None:
    assert await open_installation(settings(tmp_path / "data", unopened, demo=True)) == ()
    assert await open_installation(settings(tmp_path / "data", unopened, demo=False)), "it was broken off before anything was loaded"
    with pytest.raises(ConflictError):
        await open_installation(settings(tmp_path / "data", unopened, demo=True))


async def test_a_database_opened_before_it_was_noted_is_told_by_its_accounts(unopened: str, tmp_path: Path) -> None:
    with psycopg.connect(unopened) as connection:
        connection.execute(ACCOUNT, ("officer", False))
    with pytest.raises(ConflictError):
        await open_installation(settings(tmp_path / "data", unopened, demo=True))
    with psycopg.connect(unopened) as connection:
        connection.execute("delete from installation where name = 'made_for'")
        connection.execute(ACCOUNT, ("village_doctor", True))
    assert await open_installation(settings(tmp_path / "data", unopened, demo=True)) == ()


@pytest.mark.parametrize("place", ["data/postgres", "elsewhere"])
def test_a_demonstration_stays_out_of_a_folder_of_real_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    data, cluster = tmp_path / "data", tmp_path / place
    data.mkdir()
    cluster.mkdir()
    if place == "elsewhere":
        (data / "postgres.place").write_text(str(cluster))
    monkeypatch.setenv("XINGLIN_DATA", str(data))
    assert not has_cluster(data), "one whose making failed is none"
    (cluster / "PG_VERSION").write_text("18")
    done = CliRunner().invoke(app, ["demo"])
    assert isinstance(done.exception, ConflictError) and done.exception.where == str(data)


def test_a_demonstration_is_refused_by_a_server_of_real_data_before_it_writes_anything(
    unopened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(open_installation(settings(tmp_path / "data", unopened, demo=False)))
    for name, value in {"XINGLIN_DATA": str(tmp_path / "data"), "XINGLIN_DATABASE_URL": unopened, "XINGLIN_PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)
    for options, where in (([], "XINGLIN_DATABASE_URL"), (["--fresh"], "--fresh")):
        done = CliRunner().invoke(app, ["demo", "--residents", "300", *options])
        assert isinstance(done.exception, ConflictError | IncorrectError) and done.exception.where == where
    assert not (tmp_path / "data" / "demo").exists() and (tmp_path / "data" / "secrets").is_dir()


@pytest.mark.parametrize("cut", range(1, 5))
def test_starting_over_cut_off_at_any_moment_can_be_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    data = tmp_path / "data"
    for name in ("demo", "lake", "log", "postgres"):
        (data / name).mkdir(parents=True)
    (data / "demo" / "manifest.json").write_text("{}")
    (data / "postgres" / "PG_VERSION").write_text("18")
    listed, removed, whole = Path.iterdir, shutil.rmtree, []

    def cut_off(folder: Path, *more: object, **named: object) -> None:
        whole.append(folder)
        if len(whole) == cut:
            raise KeyboardInterrupt
        removed(folder)

    monkeypatch.setattr(Path, "iterdir", lambda folder: iter(sorted(listed(folder))))
    monkeypatch.setattr(EmbeddedPostgres, "stop", lambda server: None)
    monkeypatch.setattr("xinglin.cli.serving.shutil.rmtree", cut_off)
    with pytest.raises(KeyboardInterrupt):
        remove_data(data)
    assert (data / "demo" / "manifest.json").exists() or not has_cluster(data), "what is left is not taken for real data"
