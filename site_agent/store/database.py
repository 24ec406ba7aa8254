"""The site's SQLite file: one connection, one worker at a time, durable when a call returns."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from contracts.errors import ConfigError, PermanentError, TransientError
from site_agent.store.schema import migrate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Database:
    """Runs pieces of work on the file, each in a transaction of its own.

    WAL with synchronous=FULL: what has been committed survives `kill -9` and a power cut (as far
    as the disk keeps its promises).

    Raises:
        ConfigError: the file cannot be opened, is no database, or belongs to a newer release.
    """

    def __init__(self, path: Path) -> None:
        self._mutex = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=5.0
            )
        except sqlite3.Error as error:
            raise ConfigError(f"{path}: {error}") from error
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            migrate(self._connection, str(path))
        except sqlite3.Error as error:
            self._connection.close()
            raise ConfigError(f"{path}: {error}") from error

    async def run(self, work: Work[T]) -> T:
        """Do `work` in a thread, inside one transaction.

        Raises:
            TransientError: the disk is full or the file is locked.
            PermanentError: a constraint of the schema forbids it.
        """
        return await asyncio.to_thread(self.run_now, work)

    def run_now(self, work: Work[T]) -> T:
        """As `run`, in the caller's thread (for start-up)."""
        with self._mutex, _transaction(self._connection) as connection:
            return work(connection)

    def close(self) -> None:
        """Wait for work under way and close the file."""
        with self._mutex:
            self._connection.close()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:  # a full disk rolls back by itself
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.IntegrityError as error:
        raise PermanentError(str(error)) from error
    except sqlite3.OperationalError as error:
        raise TransientError(f"database: {error}") from error
