"""Making what was deleted unreadable on disk: tables written anew, statistics and the write-ahead log of the embedded server too."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from xinglin.base.errors import UnavailableError

_SEGMENT_TURNS = 3


def compact(url: str, tables: Sequence[str]) -> None:
    """Write tables anew without what was deleted from them. Each is locked meanwhile.  Raises: UnavailableError (disk, server)."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            for table in tables:
                connection.execute(sql.SQL("vacuum (full, analyze) {}").format(sql.Identifier(table)))
    except psycopg.OperationalError as error:
        raise UnavailableError(
            "数据库没有整理完，请检查磁盘空间后再执行一次", "the database was not compacted; look at the disk space and do it again"
        ) from error


def forget_log(url: str) -> bool:
    """Let a server of ours forget old statistics and its old log; returns False where we are not its administrator.

    url: of the embedded server; the administrator's role answers on the same socket. Log files are removed instead of used again meanwhile.
    """
    try:
        with psycopg.connect(_as_administrator(url), autocommit=True) as connection:
            connection.execute("vacuum full pg_catalog.pg_statistic")
            connection.execute("alter system set wal_recycle = off")
            connection.execute("select pg_reload_conf()")
            try:
                row = connection.execute("select count(*) from pg_ls_waldir()").fetchone()
                for _ in range((row[0] if row else 0) + _SEGMENT_TURNS):
                    connection.execute("select pg_logical_emit_message(true, 'xinglin', 'turn')")
                    connection.execute("select pg_switch_wal()")
                connection.execute("checkpoint")
                connection.execute("checkpoint")
            finally:
                connection.execute("alter system reset wal_recycle")
                connection.execute("select pg_reload_conf()")
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege):
        return False
    return True


def _as_administrator(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"postgres@{host}"))
