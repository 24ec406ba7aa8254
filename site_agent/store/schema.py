"""The tables of a site's database and how an older file becomes a newer one.

`PRAGMA user_version` counts the migrations a file has had. Each is a tuple of statements run in one
transaction; a released one is never edited, only followed by another.
"""

from __future__ import annotations

import sqlite3

from contracts.errors import ConfigError

_V1 = (
    # One row: what this file is.
    "CREATE TABLE identity (epoch TEXT NOT NULL, created_at TEXT NOT NULL) STRICT",
    # AUTOINCREMENT: a sequence number is never given twice, also when the outbox has run empty.
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        point TEXT,
        at TEXT NOT NULL,
        body BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX outbox_measurement ON outbox (seq) WHERE point IS NOT NULL",
    """CREATE TABLE instruction (
        instruction_id TEXT PRIMARY KEY,
        site_seq INTEGER NOT NULL UNIQUE,
        event_id TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        state TEXT NOT NULL,
        state_at TEXT,
        body BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX instruction_event ON instruction (event_id)",
    """CREATE TABLE charging_transaction (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        evse_id TEXT NOT NULL,
        id_tag TEXT,
        remote_id TEXT,
        started_at TEXT NOT NULL,
        start_wh REAL NOT NULL,
        stopped_at TEXT,
        stop_wh REAL,
        reason TEXT,
        UNIQUE (evse_id, remote_id)
    ) STRICT""",
    "CREATE INDEX open_transaction ON charging_transaction (evse_id) WHERE stopped_at IS NULL",
    "CREATE TABLE key_value (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
)

_V2 = (
    # The id on the wire; a remote_id with a space is the key of an OCPP 1.6 start, no charger's id.
    "ALTER TABLE charging_transaction ADD COLUMN ref TEXT",
    """UPDATE charging_transaction SET ref = CASE
        WHEN remote_id IS NULL OR remote_id LIKE '% %' THEN CAST(id AS TEXT) ELSE remote_id END""",
    # start_wh stays NOT NULL in V1's table; 0 there means 0 unless this says it was never told.
    "ALTER TABLE charging_transaction ADD COLUMN start_told INTEGER NOT NULL DEFAULT 1",
    # 1: ended because another one began; the charger's own word, if it still comes, goes first.
    "ALTER TABLE charging_transaction ADD COLUMN presumed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE charging_transaction ADD COLUMN energy_wh REAL",
    "ALTER TABLE charging_transaction ADD COLUMN quality TEXT",
    "ALTER TABLE charging_transaction ADD COLUMN remarks TEXT NOT NULL DEFAULT ''",
    """UPDATE charging_transaction SET energy_wh = stop_wh - start_wh, quality = 'good'
        WHERE stop_wh >= start_wh""",
    "CREATE INDEX transaction_ref ON charging_transaction (ref)",
    "CREATE INDEX ended_transaction ON charging_transaction (stopped_at)",
    # Transaction 0: outside of any. By the charger's clock, since replays carry the same instant.
    """CREATE TABLE charging_sample (
        evse_id TEXT NOT NULL,
        transaction_id INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        power_w REAL,
        current_a REAL,
        register_wh REAL,
        soc_pct REAL,
        late INTEGER NOT NULL,
        PRIMARY KEY (evse_id, transaction_id, at_us)
    ) STRICT, WITHOUT ROWID""",
)

_V3 = (
    # What a charger has told and its cloud CSMS has not heard yet.
    """CREATE TABLE cloud_message (
        station TEXT NOT NULL,
        seq INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (station, seq)
    ) STRICT, WITHOUT ROWID""",
)

_V4 = (
    # What the fleet's systems have told of each vehicle, above the settings.
    """CREATE TABLE fleet_vehicle (
        vehicle_id TEXT PRIMARY KEY,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # Answers to requests with an Idempotency-Key, to be given again.
    """CREATE TABLE fleet_answer (
        holder TEXT NOT NULL,
        key TEXT NOT NULL,
        digest TEXT NOT NULL,
        at TEXT NOT NULL,
        status INTEGER NOT NULL,
        headers TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (holder, key)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX fleet_answer_at ON fleet_answer (at)",
    # Webhooks on their way; a number is never given twice, so order lasts over restarts.
    """CREATE TABLE webhook_event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        endpoint TEXT NOT NULL,
        event_id TEXT NOT NULL,
        subject TEXT NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        due_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX webhook_endpoint ON webhook_event (endpoint, subject, seq)",
)

_V5 = (
    # The decision journal; `answer` is JSON (store/journal.py).
    """CREATE TABLE decision (
        id INTEGER PRIMARY KEY,
        at_us INTEGER NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        answer TEXT
    ) STRICT""",
    "CREATE INDEX decision_at ON decision (at_us)",
    "CREATE INDEX decision_of ON decision (subject, at_us)",
)

_V6 = (
    # Means of quarter hours; `quarter` counts from 1970-01-01 UTC, `flags` are in store/history.py.
    """CREATE TABLE history_quarter (
        series TEXT NOT NULL,
        quarter INTEGER NOT NULL,
        mean REAL NOT NULL,
        covered_s REAL NOT NULL,
        flags INTEGER NOT NULL,
        PRIMARY KEY (series, quarter)
    ) STRICT, WITHOUT ROWID""",
    # A vehicle at an EVSE from plug to plug, by our clock; instants in s since 1970.
    """CREATE TABLE history_stay (
        evse_id TEXT NOT NULL,
        arrived INTEGER NOT NULL,
        left INTEGER NOT NULL,
        vehicle_id TEXT NOT NULL,
        energy_wh REAL NOT NULL,
        missing_wh REAL NOT NULL,
        max_power_w REAL NOT NULL,
        PRIMARY KEY (evse_id, arrived)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX history_stay_arrived ON history_stay (arrived)",
)

MIGRATIONS = (_V1, _V2, _V3, _V4, _V5, _V6)


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring the file to the newest version.

    Raises:
        ConfigError: the file was written by a newer release.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise ConfigError(
            f"{name}: written by a newer release (version {version}, this one knows "
            f"{len(MIGRATIONS)}): start that release, or move the file away"
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
