"""Pools of connections to PostgreSQL, and the migrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

import asyncpg
import psycopg

from xinglin.base.errors import BusyError, UnavailableError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
LEAST_SERVER_VERSION: Final = 170000
_LOCK_OF_MIGRATIONS: Final = 0x78696E67
# What asyncpg raises when the server is away, going away or out of room; everything else is an answer.
LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.DiskFullError,
    asyncpg.TooManyConnectionsError,
)


def _unavailable(error: BaseException) -> UnavailableError:
    if isinstance(error, asyncpg.DiskFullError):
        return UnavailableError(
            "数据库所在磁盘已满，本次没有保存；清理空间后重试", "the database's disk is full, nothing was saved; free space and try again"
        )
    return UnavailableError(
        "数据库暂时无法使用，本次没有保存；请稍后重试", "the database is away, nothing was saved; try again in a moment"
    )


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg carries no types
    """A connection given back without a round trip: nothing here changes a session (only `set local`), and listeners are taken off."""

    def get_reset_query(self) -> str:
        """Return nothing to run; a transaction left open is rolled back all the same."""
        return ""


class Database:
    """A pool of asyncpg connections whose sessions live in the district's zone."""

    def __init__(self, pool: asyncpg.Pool[Any], url: str) -> None:
        self._pool = pool
        self.url = url

    @classmethod
    async def open(cls, url: str, *, zone: ZoneInfo, size: int = 10) -> Database:
        """Return a pool of at most `size` connections, opened as they are needed.

        Raises: UnavailableError when the server is away or older than PostgreSQL 17.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                command_timeout=120,
                connection_class=_Connection,
                server_settings={"TimeZone": zone.key, "application_name": "xinglin"},
            )
            async with pool.acquire() as connection:
                facts = await connection.fetchrow(SERVER_FACTS)
        except LOST as error:
            raise _unavailable(error) from error
        try:
            refuse_unfit_server(*facts)
        except UnavailableError:
            await pool.close()
            raise
        return cls(pool, url)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """Yield a connection; each statement is its own transaction.  Raises: UnavailableError, BusyError (pool exhausted for 30 s)."""
        try:
            connection = await self._pool.acquire(timeout=30)
        except TimeoutError as error:
            raise BusyError("现在使用的人太多，请稍后重试", "too many are at work; try again in a moment", status=503) from error
        except LOST as error:
            raise _unavailable(error) from error
        try:
            yield connection
        except LOST as error:
            raise _unavailable(error) from error
        finally:
            await self._give_back(connection)

    @asynccontextmanager
    async def transaction(self, within: asyncpg.Connection[Any] | None = None) -> AsyncIterator[asyncpg.Connection[Any]]:
        """Yield a connection inside a transaction that commits when the block ends and rolls back when it raises.

        within: a connection whose transaction the block joins; it is yielded as it is, and who began that transaction ends it.
        """
        if within is not None:
            yield within
            return
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Close every connection; after ten seconds without asking again."""
        try:
            await asyncio.wait_for(self._pool.close(), 10)
        except TimeoutError:
            self._pool.terminate()

    async def _give_back(self, connection: asyncpg.Connection[Any]) -> None:
        try:
            await self._pool.release(connection, timeout=10)
        except (*LOST, TimeoutError):
            with suppress(asyncpg.InterfaceError):  # the pool has cut it off already, and has it back
                connection.terminate()


SERVER_FACTS: Final = (
    "select current_setting('server_version_num')::int, current_setting('server_encoding'),"
    " coalesce(has_schema_privilege(current_user, to_regnamespace('public')::oid, 'create'), false)"
)
"""The query whose row `refuse_unfit_server` takes."""


def refuse_unfit_server(version: int, encoding: str, may_create: bool) -> None:
    """Raise UnavailableError when a server or database cannot hold an installation.

    version: as in server_version_num, 170004 is 17.4.  encoding: of the database.  may_create: tables, in the schema public.
    """
    if version < LEAST_SERVER_VERSION:
        shown = f"PostgreSQL {version // 10_000}.{version % 10_000}"
        raise UnavailableError("需要 PostgreSQL 17 或更新的版本", "PostgreSQL 17 or newer is needed", where=shown)
    if encoding != "UTF8":
        raise UnavailableError(
            "数据库的编码须是 UTF8：请用 encoding 'UTF8' template template0 重新建库",
            "the database must be UTF8: make it anew with encoding 'UTF8' template template0",
            where=encoding,
        )
    if not may_create:
        raise UnavailableError(
            "这个账号不能在库中建表：请让它成为库的所有者（alter database … owner to …）",
            "this role may not make tables: let it own the database (alter database … owner to …)",
            where="schema public",
        )


def _yoyo_url(url: str) -> str:
    """Return the connection string in the form the migration tool reads."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    host = query.pop("host", "")
    if host.startswith("/"):
        query["host"] = host
    return f"postgresql+psycopg://{parts.netloc}{quote(parts.path)}?{urlencode(query)}"


def migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database to the newest schema; returns the names of the migrations that ran.

    Forward only. Two processes that start at once run them once: an advisory lock of the server is held meanwhile, which a killed
    process gives up by dying.  Raises: UnavailableError when the server is away or unfit; then nothing is made in it.
    """
    import yoyo

    try:
        with _guard(url) as guard:
            refuse_unfit_server(*guard.execute(SERVER_FACTS).fetchone() or (0, "", False))
            guard.execute("select pg_advisory_lock(%s)", (_LOCK_OF_MIGRATIONS,))
            backend = yoyo.get_backend(_yoyo_url(url))
            try:
                waiting = backend.to_apply(yoyo.read_migrations(str(folder)))
                backend.apply_migrations(waiting)
                return [migration.id for migration in waiting]
            finally:
                backend.connection.close()
    except psycopg.OperationalError as error:
        raise _unreachable() from error


def _guard(url: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(url, autocommit=True, client_encoding="utf8")
    except psycopg.Error as error:  # away, or an address that cannot be read
        raise _unreachable() from error


def _unreachable() -> UnavailableError:
    return UnavailableError(
        "数据库无法连接；用自备的数据库时，请检查 XINGLIN_DATABASE_URL 中的地址和账号（xinglin check）",
        "the database cannot be reached; if it is yours, check address and role in XINGLIN_DATABASE_URL (`xinglin check`)",
    )
