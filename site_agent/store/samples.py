"""Meter samples of charging transactions: each stored once, however often it is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import Measurement
from site_agent.domain.session import MeterSample

KEPT = timedelta(days=90)
"""Samples of sessions that ended earlier go."""
SESSIONS_KEPT = timedelta(days=3 * 365)
MAX_SAMPLES = 5_000_000
"""Two months of 30 chargers that charge 8 hours a day, sampled every 10 s; some 300 MB."""
MAX_SESSIONS = 500_000
"""A charger gone mad may begin one with every message."""
COVER = timedelta(seconds=30)
"""How long a live sample speaks for its EVSE; a late one within it is no news to the gateway."""
_AT_ONCE = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)

SampleRow = tuple[str, int, int, float | None, float | None, float | None, float | None, int]

# What was told first stands; a second message may add what the first one lacked.
_PUT = """INSERT INTO charging_sample VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        power_w = COALESCE(power_w, excluded.power_w),
        current_a = COALESCE(current_a, excluded.current_a),
        register_wh = COALESCE(register_wh, excluded.register_wh),
        soc_pct = COALESCE(soc_pct, excluded.soc_pct)"""
_HELD = """SELECT power_w IS NOT NULL FROM charging_sample
    WHERE evse_id = ? AND transaction_id = ? AND at_us = ?"""
_COVERED = """SELECT 1 FROM charging_sample
    WHERE evse_id = ? AND transaction_id = ? AND at_us > ? AND at_us <= ? AND NOT late LIMIT 1"""
_REGISTERS = """SELECT register_wh FROM charging_sample
    WHERE evse_id = ? AND transaction_id = ? AND at_us <= ? AND register_wh IS NOT NULL
    ORDER BY at_us"""
_OLD = """DELETE FROM charging_sample WHERE (evse_id, transaction_id, at_us) IN (
    SELECT s.evse_id, s.transaction_id, s.at_us
    FROM charging_transaction AS t JOIN charging_sample AS s
        ON s.evse_id = t.evse_id AND s.transaction_id = t.id
    WHERE t.stopped_at < ? LIMIT ?)"""
# The names first, so that the key serves: the table is large.
_STRAY = """DELETE FROM charging_sample WHERE transaction_id = 0 AND at_us < ?
    AND evse_id IN (SELECT DISTINCT evse_id FROM charging_transaction)"""
_NEXT_TO_GO = """SELECT evse_id, id FROM charging_transaction AS t
    WHERE (stopped_at IS NULL) = ? AND EXISTS (SELECT 1 FROM charging_sample AS s
        WHERE s.evse_id = t.evse_id AND s.transaction_id = t.id)
    ORDER BY id LIMIT 1"""
_DOOMED = """SELECT * FROM (
        SELECT evse_id, id FROM charging_transaction WHERE stopped_at < ? LIMIT ?)
    UNION SELECT * FROM (
        SELECT evse_id, id FROM charging_transaction
        WHERE stopped_at IS NOT NULL ORDER BY id LIMIT ?)"""
_ANY = "SELECT evse_id, transaction_id FROM charging_sample LIMIT 1"
_DELETE_SOME = """DELETE FROM charging_sample WHERE (evse_id, transaction_id, at_us) IN (
    SELECT evse_id, transaction_id, at_us FROM charging_sample
    WHERE evse_id = ? AND transaction_id = ? ORDER BY at_us LIMIT ?)"""


def micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC."""
    return (instant - _EPOCH) // _MICRO


def row(evse_id: str, transaction_id: int, sample: MeterSample, *, late: bool) -> SampleRow:
    """A sample as a row; transaction 0: outside of any."""
    return (
        evse_id,
        transaction_id,
        micros(sample.at),
        sample.power_w,
        sample.current_a,
        sample.register_wh,
        sample.soc_pct,
        int(late),
    )


def measurement(evse_id: str, sample: MeterSample, behind: timedelta) -> Measurement:
    """A late sample's power as the gateway takes it, by our clock."""
    return Measurement(
        at=sample.at + behind,
        point=points.evse_power_w(evse_id),
        value=sample.power_w,
        quality=Quality.GOOD,
    )


def put(connection: sqlite3.Connection, rows: Sequence[SampleRow]) -> None:
    """Store samples, each once."""
    if rows:
        connection.executemany(_PUT, rows)


def put_late(
    connection: sqlite3.Connection,
    evse_id: str,
    transaction_id: int,
    samples: Iterable[MeterSample],
) -> tuple[int, list[MeterSample]]:
    """Store samples told late; how many are new, and those whose power nobody has told before.

    Of these, only the ones at instants that no live sample reaches within `COVER`.
    """
    new, uncovered = 0, []
    for sample in samples:
        at_us = micros(sample.at)
        held = connection.execute(_HELD, (evse_id, transaction_id, at_us)).fetchone()
        since_us = at_us - COVER // _MICRO
        place = (evse_id, transaction_id, since_us, at_us)
        new += held is None
        told = sample.power_w is not None and not (held and held[0])
        if told and connection.execute(_COVERED, place).fetchone() is None:
            uncovered.append(sample)
        connection.execute(_PUT, row(evse_id, transaction_id, sample, late=True))
    return new, uncovered


def registers_wh(
    connection: sqlite3.Connection, evse_id: str, transaction_id: int, until: datetime | None
) -> list[float]:
    """Registers of a transaction in the order of their instants."""
    last_us = 2**62 if until is None else micros(until)
    found = connection.execute(_REGISTERS, (evse_id, transaction_id, last_us))
    return [wh for (wh,) in found]


def count(connection: sqlite3.Connection) -> int:
    """How many samples there are."""
    return int(connection.execute("SELECT COUNT(*) FROM charging_sample").fetchone()[0])


def prune_old(connection: sqlite3.Connection, now: datetime) -> int:
    """Delete some of what is too old; how many samples went."""
    before = (now - KEPT).isoformat()
    deleted = connection.execute(_OLD, (before, _AT_ONCE)).rowcount
    deleted += connection.execute(_STRAY, (micros(now - KEPT),)).rowcount
    return deleted


def prune_sessions(connection: sqlite3.Connection, now: datetime, most: int) -> int:
    """Delete some of the oldest sessions that are over, with their samples; how many went.

    Those of long ago, and those above `most`.
    """
    (held,) = connection.execute("SELECT COUNT(*) FROM charging_transaction").fetchone()
    surplus = min(max(0, held - most), _AT_ONCE)
    gone = ((now - SESSIONS_KEPT).isoformat(), _AT_ONCE, surplus)
    doomed = connection.execute(_DOOMED, gone).fetchall()
    connection.executemany(
        "DELETE FROM charging_sample WHERE evse_id = ? AND transaction_id = ?", doomed
    )
    connection.executemany(
        "DELETE FROM charging_transaction WHERE id = ?", [(number,) for _, number in doomed]
    )
    return len(doomed)


def prune_surplus(connection: sqlite3.Connection, surplus: int) -> int:
    """Delete some samples of the oldest session, of running ones last; how many went.

    The energy of a session stays: it was settled when the session ended.
    """
    for open_ones in (0, 1):
        group = connection.execute(_NEXT_TO_GO, (open_ones,)).fetchone()
        if group is not None:
            break
    else:
        group = connection.execute(_ANY).fetchone()
    if group is None:
        return 0
    return connection.execute(_DELETE_SOME, (*group, min(surplus, _AT_ONCE))).rowcount
