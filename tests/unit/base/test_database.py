"""The pool and the migrations."""

from __future__ import annotations

import threading
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import psycopg
import pytest

from xinglin.base.database import Database, migrate, refuse_unfit_server
from xinglin.base.errors import UnavailableError
from xinglin.base.postgres import EmbeddedPostgres


async def test_a_session_lives_in_the_districts_zone(database_url: str, zone: ZoneInfo) -> None:
    database = await Database.open(database_url, zone=zone)
    async with database.transaction() as connection:
        assert await connection.fetchval("show timezone") == "Asia/Shanghai"
    await database.close()


async def test_a_failing_block_rolls_back(database_url: str, zone: ZoneInfo) -> None:
    database = await Database.open(database_url, zone=zone)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("insert into installation(name, value) values ('a', 'b')")
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from installation where name = 'a'") == 0
    await database.close()


def test_migrations_run_once_when_several_start_together(server: EmbeddedPostgres) -> None:
    url = server.create_database("started_together")
    ran: list[list[str]] = []
    threads = [threading.Thread(target=lambda: ran.append(migrate(url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([names for names in ran if names]) == 1
    assert migrate(url) == []
    server.drop_database("started_together")


async def test_a_server_that_is_away_is_unavailable(zone: ZoneInfo) -> None:
    with pytest.raises(UnavailableError):
        await Database.open("postgresql://nobody@/nothing?host=/nonexistent", zone=zone)


@pytest.mark.parametrize(
    ("facts", "said"),
    [((150018, "UTF8", True), "17"), ((180004, "SQL_ASCII", True), "UTF8"), ((180004, "UTF8", False), "所有者")],
)
def test_an_unfit_server_is_refused_before_anything_is_made_in_it(facts: tuple[int, str, bool], said: str) -> None:
    with pytest.raises(UnavailableError) as refused:
        refuse_unfit_server(*facts)
    assert said in refused.value.zh
    refuse_unfit_server(170000, "UTF8", True)


def test_a_role_that_may_not_make_tables_is_told_so(server: EmbeddedPostgres) -> None:
    url = server.create_database("of_another")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("revoke create on schema public from public")
        connection.execute("alter schema public owner to pg_database_owner")
        assert migrate(url), "its owner may"
        connection.execute("drop schema public cascade")
    with pytest.raises(UnavailableError, match="public"):
        migrate(url)
    server.drop_database("of_another")


class _DyingPool:
    """A pool whose connection dies while it is given back; the pool has cut it off by then, as asyncpg's does."""

    def __init__(self) -> None:
        self.cut = 0

    async def acquire(self, **_: object) -> _DyingPool:
        return self

    async def release(self, *_: object, **__: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    def terminate(self) -> None:
        self.cut += 1
        raise asyncpg.InterfaceError("cannot call Connection.terminate(): connection has been released back to the pool")


async def test_a_connection_that_dies_while_given_back_is_let_go() -> None:
    pool: Any = _DyingPool()
    async with Database(pool, "").connection():
        pass
    assert pool.cut == 1
