"""One database: a transaction is one function, run in a thread so that the loop never waits.

SQLite in WAL mode with full synchronisation by default, or PostgreSQL. Measured against aiosqlite
on the same batches, one hop per transaction takes a third more rows a second than one a statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from contracts.errors import ConfigError, PermanentError, TransientError
from gateway.store.engines import LEADER_LOCK, postgres_engine, sqlite_engine, writing
from gateway.store.tables import Base, table

Result = TypeVar("Result")
Insert = sqlite.Insert | postgresql.Insert

_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Runs reads side by side and writes one after the other, each in one transaction."""

    def __init__(self, engine: Engine, *, threaded: bool = True) -> None:
        self._engine, self._writer = engine, writing(engine)
        self._leading: Connection | None = None
        self._threaded = threaded
        self._writing = asyncio.Lock()

    @classmethod
    def open(cls, place: Path | str, *, threaded: bool = True) -> Database:
        """The database in this file or at this address, brought to the newest schema when needed.

        A file is made when missing; the database behind a `postgresql://` address must be there.
        Without threads it runs on the loop itself, as a virtual clock needs it.

        Raises:
            ConfigError: it cannot be opened, or was written by a newer version.
        """
        if isinstance(place, str):
            engine = postgres_engine(place)
            name = make_url(place).render_as_string(hide_password=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            engine, name = sqlite_engine(f"sqlite:///{place}"), str(place)
        return cls(_migrated(engine, name), threaded=threaded)

    @classmethod
    def in_memory(cls) -> Database:
        """A database that lives as long as this object, for tests; runs on the loop itself."""
        engine = sqlite_engine("sqlite://", pool=StaticPool)
        with engine.connect() as connection:
            _sqlite(connection).deserialize(_newest_schema())
        return cls(engine, threaded=False)

    async def read(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a transaction that sees one moment of the database."""
        return await self._run(self._engine, work)

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a transaction of its own; durable when this returns.

        Raises:
            TransientError: the database was busy or full; nothing was written.
        """
        async with self._writing:
            return await self._run(self._writer, work)

    def lead(self) -> None:
        """Be the one gateway on a database that several machines reach, until closed.

        A file has the lock of its data folder for that (`leadership`).

        Raises:
            PermanentError: another gateway runs on it.
        """
        if self._engine.dialect.name != "postgresql" or self._leading is not None:
            return
        held = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = held.exec_driver_sql(f"SELECT pg_try_advisory_lock({LEADER_LOCK})").scalar()
        if not taken:
            held.close()
            raise PermanentError(
                "another gateway runs on this database; stop it, or give this one its own"
            )
        self._leading = held

    def close(self) -> None:
        """Let go of the file or the connections."""
        if self._leading is not None:
            self._leading.invalidate()  # back in the pool it would go on holding the lock
            self._leading.close()
            self._leading = None
        self._engine.dispose()

    async def _run(self, engine: Engine, work: Callable[[Session], Result]) -> Result:
        if self._threaded:
            return await asyncio.to_thread(_transaction, engine, work)
        return _transaction(engine, work)


def insert_into(session: Session, model: type[Base]) -> Insert:
    """An insert that can say what to do `on_conflict`, in the database's own dialect."""
    postgres = session.connection().dialect.name == "postgresql"
    return postgresql.insert(table(model)) if postgres else sqlite.insert(table(model))


def upsert(session: Session, model: type[Base], *, keep: tuple[str, ...] = ()) -> Insert:
    """Insert, or replace every column of the row with this key except those in `keep`."""
    return _upsert(session.connection().dialect.name, model, keep)


@cache
def _upsert(dialect: str, model: type[Base], keep: tuple[str, ...]) -> Insert:
    """Statements are costly to build and may be used again for ever."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table(model))
    keys = [column.name for column in table(model).primary_key]
    rest = {c.name: c for c in statement.excluded if c.name not in (*keys, *keep)}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


def insert_once(session: Session, model: type[Base], row: Base) -> bool:
    """Insert a row unless one with its key is there; whether it was inserted."""
    statement = insert_into(session, model).values(**row.model_dump()).on_conflict_do_nothing()
    key = next(iter(table(model).primary_key))
    return session.connection().execute(statement.returning(key)).first() is not None


def _transaction(engine: Engine, work: Callable[[Session], Result]) -> Result:
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            return work(session)
    except OperationalError as error:
        raise TransientError(f"database: {error.orig}") from error
    except DataError as error:
        raise PermanentError(f"database: a value it cannot keep: {error.orig}") from error


@cache
def _newest_schema() -> bytes:
    """An empty database in SQLite's own form, quicker to copy than to make by a hundred times."""
    engine = _migrated(sqlite_engine("sqlite://", pool=StaticPool), "memory")
    with engine.connect() as connection:
        image: bytes = _sqlite(connection).serialize()
    engine.dispose()
    return image


def _sqlite(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _migrated(engine: Engine, name: str) -> Engine:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with writing(engine).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except Exception as error:
        engine.dispose()
        raise ConfigError(f"database {name}: cannot be opened or upgraded: {error}") from error
    return engine
