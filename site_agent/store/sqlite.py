"""Everything the site remembers, in one SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from site_agent.store.answers import SqliteAnswers
from site_agent.store.cloud import SqliteCloudQueue
from site_agent.store.database import Database
from site_agent.store.history import SqliteHistory
from site_agent.store.instructions import SqliteInstructions
from site_agent.store.journal import SqliteJournal
from site_agent.store.key_values import SqliteKeyValues
from site_agent.store.outbox import MAX_ROWS, SqliteOutbox
from site_agent.store.roster import SqliteRoster
from site_agent.store.sessions import SqliteSessions
from site_agent.store.webhooks import SqliteWebhooks

DATABASE = "site.db"
"""The file in a site's data folder."""
_FIRST_TRANSACTIONS = datetime(2020, 1, 1, tzinfo=UTC)
_HALF_OF_IDS = 2**30
"""OCPP 1.6 ids have 31 bits."""


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """The stores of one site, on one file."""

    database: Database
    outbox: SqliteOutbox
    instructions: SqliteInstructions
    sessions: SqliteSessions
    key_values: SqliteKeyValues
    cloud: SqliteCloudQueue
    journal: SqliteJournal
    roster: SqliteRoster
    history: SqliteHistory
    answers: SqliteAnswers
    webhooks: SqliteWebhooks

    def close(self) -> None:
        """Store what still waits and close the file."""
        try:
            self.sessions.flush()
        finally:
            self.database.close()


def open_store(path: Path, now: datetime, max_rows: int = MAX_ROWS) -> SqliteStore:
    """Open the site's file, or make it (a new file is a new epoch).

    Raises:
        ConfigError: it cannot be opened, is no database, or belongs to a newer release.
    """
    database = Database(path)
    epoch = database.run_now(lambda connection: _identity(connection, now))
    database.run_now(lambda connection: _skip_ids(connection, now))
    outbox = SqliteOutbox(database, epoch, max_rows)
    return SqliteStore(
        database=database,
        outbox=outbox,
        instructions=SqliteInstructions(database, outbox),
        sessions=SqliteSessions(database, outbox),
        key_values=SqliteKeyValues(database),
        cloud=SqliteCloudQueue(database),
        journal=SqliteJournal(database),
        roster=SqliteRoster(database),
        history=SqliteHistory(database),
        answers=SqliteAnswers(database),
        webhooks=SqliteWebhooks(database),
    )


def _identity(connection: sqlite3.Connection, now: datetime) -> str:
    found = connection.execute("SELECT epoch FROM identity").fetchone()
    if found:
        return str(found[0])
    epoch = uuid.uuid4().hex
    connection.execute("INSERT INTO identity VALUES (?, ?)", (epoch, now.isoformat()))
    believed = 0 < _seconds(now) < _HALF_OF_IDS
    # A clock that was never set cannot keep ids apart, chance can.
    first = 0 if believed else _HALF_OF_IDS + secrets.randbelow(_HALF_OF_IDS // 2)
    connection.execute("INSERT INTO sqlite_sequence VALUES ('charging_transaction', ?)", (first,))
    return epoch


def _skip_ids(connection: sqlite3.Connection, now: datetime) -> None:
    """Give no transaction id below the present second, counted from 2020.

    Chargers may still run transactions of a file that was lost, or of one that this file is an old
    copy of. They were numbered by the same rule, one a second at most, so all lie below.
    """
    seconds = _seconds(now)
    if seconds < _HALF_OF_IDS:  # else the clock is not to be believed
        connection.execute(
            "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'charging_transaction'",
            (seconds,),
        )


def _seconds(now: datetime) -> int:
    return int((now - _FIRST_TRANSACTIONS).total_seconds())
