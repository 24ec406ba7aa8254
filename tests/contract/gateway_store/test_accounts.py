"""Sessions, slots and anomalies, on every database the gateway may have."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from contracts.reading import Quality
from contracts.site_link.sessions import EndedSession
from contracts.time import Interval
from gateway.domain.anomaly.finding import Code, Finding
from gateway.ports import Ledger, TelemetryStore
from gateway.store.anomalies import SqlAnomalies
from gateway.store.database import Database
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots
from support.gateway_store import HOLD, HOUR, MINUTE, T0, batch, measured


def ended(
    name: str = "ep-1", start: datetime = T0, minutes: int = 60, told: datetime = T0
) -> EndedSession:
    return EndedSession(
        at=told,
        session_id=name,
        evse_id="evse-1",
        vehicle_id="van-7",
        started_at=start,
        ended_at=start + minutes * MINUTE,
        energy_wh=9_000.0,
        quality=Quality.GOOD,
    )


# --- sessions -------------------------------------------------------------------------------------


async def test_sessions_come_in_with_telemetry_and_a_newer_word_replaces(
    database: Database, telemetry: TelemetryStore
) -> None:
    book = SqlSessionBook(database)
    first = ended()
    newer = replace(ended(told=T0 + HOUR), energy_wh=9_500.0)
    await telemetry.ingest(batch((1, first), (2, newer)), T0)
    await telemetry.ingest(batch((3, first)), T0)
    [kept] = await book.sessions("depot-1", Interval(start=T0, end=None))
    assert (kept.session_id, kept.register_wh) == (newer.session_id, 9_500.0)
    assert kept.window == Interval.lasting(T0, HOUR)


@pytest.mark.parametrize(
    ("from_minute", "to_minute", "found"),
    [(0, 60, True), (59, 90, True), (60, 90, False), (-30, 0, False), (-30, 1, True)],
)
async def test_a_window_has_the_sessions_that_ran_in_it(
    database: Database, telemetry: TelemetryStore, from_minute: int, to_minute: int, found: bool
) -> None:
    await telemetry.ingest(batch((1, ended())), T0)
    window = Interval(start=T0 + from_minute * MINUTE, end=T0 + to_minute * MINUTE)
    assert bool(await SqlSessionBook(database).sessions("depot-1", window)) is found


# --- slots ----------------------------------------------------------------------------------------


async def test_slots_are_exact_at_their_edges_and_gaps_stay_gaps(
    database: Database, telemetry: TelemetryStore
) -> None:
    rows = [
        measured(-10, 600.0),  # holds into the window
        measured(5, -1200.0),  # until 15 s
        measured(15, None, Quality.OFFLINE),
        measured(50, 3600.0),  # until 80 s, when its hold of 30 s is over
    ]
    await telemetry.ingest(batch(*enumerate(rows, 1)), T0 + HOUR)
    window = Interval.lasting(T0, 2 * MINUTE)
    found = await SqlSlots(database, max_hold=HOLD).slots(
        "depot-1", "pcc_power_w", window, timedelta(minutes=1)
    )
    assert found.above_h.tolist() == pytest.approx([(600 * 5 + 3600 * 10) / 3600, 20.0])
    assert found.below_h.tolist() == pytest.approx([-1200 * 10 / 3600, 0.0])
    assert found.seconds.tolist() == pytest.approx([25.0, 20.0])


async def test_slots_agree_with_the_series_over_days(
    database: Database, telemetry: TelemetryStore
) -> None:
    rows = [measured(n * 977.0, float((n * 7919) % 5000 - 2500)) for n in range(180)]
    await telemetry.ingest(batch(*enumerate(rows, 1)), T0 + 72 * HOUR)
    window = Interval.lasting(T0, 48 * HOUR)
    found = await SqlSlots(database, max_hold=HOLD).slots("depot-1", "pcc_power_w", window, HOUR)
    series = await telemetry.series("depot-1", "pcc_power_w", window)
    for slot, net_h, seconds in zip(
        window.split(HOUR), found.above_h + found.below_h, found.seconds, strict=True
    ):
        assert net_h == pytest.approx(series.integral_h(slot), abs=1e-6)
        assert seconds == pytest.approx(series.covered_seconds(slot), abs=1e-6)


async def test_nothing_told_is_nothing_covered(database: Database) -> None:
    slots = SqlSlots(database, max_hold=HOLD)
    found = await slots.slots("depot-1", "pcc_power_w", Interval.lasting(T0, HOUR), MINUTE)
    assert np.all(found.seconds == 0.0)
    assert await slots.points("depot-1") == []
    with pytest.raises(ValueError, match="whole number"):
        await slots.slots("depot-1", "pcc_power_w", Interval(start=T0, end=None), MINUTE)


async def test_points_are_those_that_were_told(
    database: Database, telemetry: TelemetryStore
) -> None:
    told = (measured(0, 1.0, point="pv_power_w"), measured(0, 1.0), measured(9, 2.0))
    await telemetry.ingest(batch(*enumerate(told, 1)), T0 + HOUR)
    assert await SqlSlots(database, max_hold=HOLD).points("depot-1") == [
        "pcc_power_w",
        "pv_power_w",
    ]


# --- anomalies ------------------------------------------------------------------------------------


def finding(start_minute: int = 0, end_minute: int = 30, code: Code = Code.STUCK) -> Finding:
    return Finding(
        code=code,
        subject="pcc_power_w",
        evidence=Interval(start=T0 + start_minute * MINUTE, end=T0 + end_minute * MINUTE),
        reason="it stands at 3,000 W",
        what_to_do="look at the meter",
    )


async def test_a_finding_is_journaled_once_and_extended_while_it_goes_on(
    database: Database, ledger: Ledger
) -> None:
    book = SqlAnomalies(database)
    assert await book.keep("depot-1", [finding()], T0) == [finding()]
    assert await book.keep("depot-1", [finding(20, 60)], T0 + HOUR) == []
    [(site, kept)] = await book.within(None, Interval(start=T0, end=None))
    assert (site, kept.evidence) == ("depot-1", finding(0, 60).evidence)
    [entry] = await ledger.journal("depot-1")
    assert entry.action == "anomaly meter-stuck: pcc_power_w"
    assert entry.cause == "it stands at 3,000 W. look at the meter"


async def test_another_kind_or_another_day_is_another_finding(database: Database) -> None:
    book = SqlAnomalies(database)
    await book.keep("depot-1", [finding()], T0)
    later = finding(24 * 60, 24 * 60 + 30)
    new = await book.keep("depot-1", [finding(code=Code.SPIKE), later], T0)
    assert [one.code for one in new] == [Code.SPIKE, Code.STUCK]
    assert len(await book.within("depot-1", Interval(start=T0, end=T0 + HOUR))) == 2
    assert await book.within("depot-2", Interval(start=T0, end=None)) == []
