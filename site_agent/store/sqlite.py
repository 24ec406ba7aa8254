"""Everything the site remembers, in one SQLite file."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from site_agent.store.database import Database
from site_agent.store.instructions import SqliteInstructions
from site_agent.store.outbox import MAX_ROWS, SqliteOutbox
from site_agent.store.sessions import SqliteKeyValues, SqliteSessions

_FIRST_TRANSACTIONS = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """The stores of one site, on one file."""

    database: Database
    outbox: SqliteOutbox
    instructions: SqliteInstructions
    sessions: SqliteSessions
    key_values: SqliteKeyValues

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def open_store(path: Path, now: datetime, max_rows: int = MAX_ROWS) -> SqliteStore:
    """Open the site's file, or make it (a new file is a new epoch).

    Raises:
        ConfigError: it cannot be opened, is no database, or belongs to a newer release.
    """
    database = Database(path)
    epoch = database.run_now(lambda connection: _identity(connection, now))
    outbox = SqliteOutbox(database, epoch, max_rows)
    return SqliteStore(
        database=database,
        outbox=outbox,
        instructions=SqliteInstructions(database, outbox),
        sessions=SqliteSessions(database),
        key_values=SqliteKeyValues(database),
    )


def _identity(connection: sqlite3.Connection, now: datetime) -> str:
    found = connection.execute("SELECT epoch FROM identity").fetchone()
    if found:
        return str(found[0])
    epoch = uuid.uuid4().hex
    connection.execute("INSERT INTO identity VALUES (?, ?)", (epoch, now.isoformat()))
    # Chargers may still run transactions of a file that was lost: begin above any id it gave
    # (one a second at most), well inside OCPP 1.6's 32 bits.
    first = int((now - _FIRST_TRANSACTIONS).total_seconds())
    connection.execute("INSERT INTO sqlite_sequence VALUES ('charging_transaction', ?)", (first,))
    return epoch
