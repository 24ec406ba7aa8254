"""The two kinds of database: what a connection is told, and how a transaction begins.

Either way one transaction writes at a time, in whichever process: SQLite by its file's lock, taken
at once, PostgreSQL by an advisory lock held until the commit. So a transaction that reads and then
writes means the same on both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import Pool

from contracts.errors import ConfigError

WRITES = "gateway_writes"
"""Execution option of an engine whose transactions write."""
WRITE_LOCK, LEADER_LOCK = 0x67726964_0001, 0x67726964_0002
"""Advisory locks of PostgreSQL: of the transaction that writes, and of the gateway that leads."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    # the pages that a thousand sites write to stay in memory (16 MiB), and are copied from the
    # log into the file once for many transactions (32 MiB), not after each
    "PRAGMA cache_size=-16384",
    "PRAGMA wal_autocheckpoint=8192",
)
_POSTGRES_OPTIONS = "-c timezone=UTC -c lock_timeout=10000"
_CONNECT_TIMEOUT_S = 10
_ENDING = {"57P01", "57P02", "57P03"}
"""SQLSTATE of a server that stops or ends the session (PostgreSQL manual, appendix A, class 57)."""


def sqlite_engine(url: str, pool: type[Pool] | None = None) -> Engine:
    """SQLite in WAL mode, durable at every commit."""
    engine = create_engine(url, connect_args={"check_same_thread": False}, poolclass=pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def postgres_engine(url: str) -> Engine:
    """PostgreSQL by psycopg; a password may come from `PGPASSWORD` or a `.pgpass` file.

    Raises:
        ConfigError: no such address can be, or the driver is not installed.
    """
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        engine = create_engine(
            address,
            pool_size=8,
            max_overflow=24,  # never fewer than the threads of transactions
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",  # a read sees one moment, as on SQLite
            connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "options": _POSTGRES_OPTIONS},
        )
    except ArgumentError as error:
        raise ConfigError("database_url: not of the form postgresql://USER@HOST/NAME") from error
    except ModuleNotFoundError as error:
        raise ConfigError(
            "database_url: PostgreSQL needs the extra `postgres`: pip install 'psycopg[binary]'"
        ) from error
    event.listen(engine, "connect", _without_nul())
    event.listen(engine, "begin", _begin_postgres)
    event.listen(engine, "handle_error", _notice_the_end)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write."""
    if engine.dialect.name != "postgresql":
        return engine.execution_options(**{WRITES: True})
    # each statement sees what was committed before it: the lock is waited for inside
    return engine.execution_options(**{WRITES: True}, isolation_level="READ COMMITTED")


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see `_begin`
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once; one that asks for it halfway through can only fail."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _notice_the_end(context: ExceptionContext) -> None:
    """The server's word that a connection ends comes before its end: never use it again."""
    if getattr(context.original_exception, "sqlstate", None) in _ENDING:
        context.is_disconnect = True


def _without_nul() -> Callable[[Any, object], None]:
    """PostgreSQL keeps no NUL in a text; one that a site sends must not stop its batches."""
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 (an extra)

    class NulFree(StrDumperUnknown):
        def dump(self, obj: str) -> bytes:
            return obj.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode()

    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own)
        connection.adapters.register_dumper(str, NulFree)

    return prepare
