"""Late meter values at the gateway: energy over the outage is the session's, not twice it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import Batch, Measurement, Row
from contracts.time import Interval
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from site_agent.domain.session import MeterSample
from site_agent.store.memory import MemoryOutbox, MemorySessions

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POINT = points.evse_power_w("evse-1")
HOUR = Interval.lasting(NOON, timedelta(hours=1))
POWER_W = 7000.0


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def lived(outbox: MemoryOutbox, minutes: range) -> None:
    """What telemetry tells while the charger is there."""
    rows: list[Row] = [
        Measurement(at=minute(n), point=POINT, value=POWER_W, quality=Quality.GOOD) for n in minutes
    ]
    outbox.put(rows)


@pytest.mark.row("safety:S5")
async def test_energy_over_an_outage_is_counted_once() -> None:
    """The agent was away from 12:20 to 12:40; the charger replays all of the hour, twice."""
    outbox = MemoryOutbox()
    sessions = MemorySessions(outbox)
    number = await sessions.start("evse-1", None, NOON, 0.0, None)
    course = [
        MeterSample(at=minute(n / 2), power_w=POWER_W, register_wh=POWER_W * n / 120)
        for n in range(120)
    ]
    told_live = [s for s in course if not minute(20) <= s.at < minute(40)]
    sessions.sampled("evse-1", number, told_live)
    lived(outbox, range(20))
    lived(outbox, range(40, 60))
    for _ in range(2):
        await sessions.sampled_late("evse-1", number, course)
    await sessions.stop(number, minute(60), POWER_W, "Local")

    database = Database.in_memory()
    telemetry = SqlTelemetry(database, max_hold=timedelta(minutes=5))
    batch = Batch(site_id="depot", epoch="e", rows=tuple(outbox.rows), sent_at=minute(61))
    for _ in range(2):
        await telemetry.ingest(batch, minute(61))
    series = await telemetry.series("depot", POINT, HOUR)
    assert series.covered_seconds(HOUR) == 3600
    assert series.integral_h(HOUR) == pytest.approx(POWER_W)
    session = await sessions.find("evse-1", str(number))
    assert session is not None
    assert session.energy.energy_wh == POWER_W
    database.close()
