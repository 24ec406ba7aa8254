"""What was measured: stored once each, however it arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from contracts.site_link.messages import (
    FlexibilityOffer,
    InstructionState,
    Notice,
    Row,
    Severity,
    VehicleReadiness,
)
from contracts.time import Interval
from gateway.ports import Ledger, TelemetryStore
from support.gateway_store import (
    HOUR,
    MINUTE,
    SECOND,
    T0,
    WINDOW,
    batch,
    dispatch_plan,
    instruction,
    measured,
    status,
)

Read = Callable[..., Awaitable[list[tuple[float, float, float]]]]


@pytest.fixture
def read(telemetry: TelemetryStore) -> Read:
    """The series as `(from second, to second, value)`."""

    async def steps(start: float = -3600, end: float = 3600) -> list[tuple[float, float, float]]:
        window = Interval(start=T0 + start * SECOND, end=T0 + end * SECOND)
        found = await telemetry.series("depot-1", "pcc_power_w", window)
        return [
            (
                (s.interval.start - T0).total_seconds(),
                ((s.interval.end or T0) - T0).total_seconds(),
                s.value,
            )
            for s in found
        ]

    return steps


async def test_values_hold_until_the_next_but_not_for_ever(
    telemetry: TelemetryStore, read: Read
) -> None:
    rows = [measured(0, 1.0), measured(10, 2.0), measured(100, 3.0)]
    assert await telemetry.ingest(batch(*enumerate(rows, start=1)), T0) == 3
    assert await read() == [(0, 10, 1), (10, 40, 2), (100, 130, 3)]
    assert await read(5, 105) == [(5, 10, 1), (10, 40, 2), (100, 105, 3)]
    assert await read(41, 99) == []
    assert await telemetry.series("depot-1", "other", WINDOW) == StepSeries()
    assert await telemetry.series("depot-9", "pcc_power_w", WINDOW) == StepSeries()


async def test_several_windows_at_once_are_each_of_them(telemetry: TelemetryStore) -> None:
    rows = [measured(n * 10, float(n)) for n in range(12)]
    await telemetry.ingest(batch(*enumerate(rows, start=1)), T0)
    asked = [(5, 25), (40, 40.5), (90, 700)]
    windows = [Interval(start=T0 + a * SECOND, end=T0 + b * SECOND) for a, b in asked]
    alone = [await telemetry.series("depot-1", "pcc_power_w", one) for one in windows]
    together = await telemetry.series_of("depot-1", "pcc_power_w", windows)
    assert list(together) == [step for one in alone for step in one]
    assert [len(one) for one in alone] == [3, 1, 3]
    assert await telemetry.series_of("depot-1", "pcc_power_w", ()) == StepSeries()


async def test_a_value_that_is_missing_or_untrusted_is_a_gap(
    telemetry: TelemetryStore, read: Read
) -> None:
    rows = [
        measured(0, 1.0),
        measured(10, None, Quality.OFFLINE),
        measured(20, 2.0, Quality.ESTIMATED),
        measured(25, 9.0, Quality.STALE),
    ]
    await telemetry.ingest(batch(*enumerate(rows, start=1)), T0)
    assert await read() == [(0, 10, 1), (20, 25, 2)]


async def test_rows_sent_again_are_absorbed(telemetry: TelemetryStore, read: Read) -> None:
    first = batch((1, measured(0, 1.0)), (2, measured(10, 2.0)))
    assert await telemetry.ingest(first, T0) == 2
    changed = batch((1, measured(0, 99.0)), (2, measured(10, 99.0)), (3, measured(20, 3.0)))
    assert await telemetry.ingest(changed, T0) == 3
    assert await telemetry.ingest(first, T0) == 3
    assert await read(0, 30) == [(0, 10, 1), (10, 20, 2), (20, 30, 3)]


async def test_a_later_row_about_the_same_instant_corrects_it(
    telemetry: TelemetryStore, read: Read
) -> None:
    await telemetry.ingest(batch((1, measured(0, 1.0)), (2, measured(0, 1.5))), T0)
    await telemetry.ingest(batch((3, measured(0, 2.0))), T0)
    assert await read(0, 5) == [(0, 5, 2)]


async def test_batches_out_of_order_are_stored_and_acknowledged_when_the_gap_closes(
    telemetry: TelemetryStore, read: Read, ledger: Ledger
) -> None:
    assert await telemetry.ingest(batch((5, measured(50, 5.0)), (6, measured(60, 6.0))), T0) == 0
    assert await telemetry.ingest(batch((3, measured(30, 3.0)), (4, measured(40, 4.0))), T0) == 0
    assert await telemetry.ingest(batch((1, measured(10, 1.0)), (2, measured(20, 2.0))), T0) == 6
    assert [value for _, _, value in await read()] == [1, 2, 3, 4, 5, 6]
    assert await telemetry.ingest(batch((7, measured(70, 7.0))), T0) == 7
    assert await ledger.journal("depot-1") == []


async def test_a_batch_sent_again_ahead_of_a_gap_says_the_gap_is_final(
    telemetry: TelemetryStore, ledger: Ledger
) -> None:
    assert await telemetry.ingest(batch((1, measured(0, 1.0))), T0) == 1
    ahead = batch((8, measured(80, 8.0)))
    assert await telemetry.ingest(ahead, T0) == 1
    assert await telemetry.ingest(batch((8, measured(80, 8.0)), (9, measured(90, 9.0))), T0) == 9
    (entry,) = await ledger.journal("depot-1")
    assert entry.action == "telemetry gap"
    assert "rows 2 to 7" in entry.cause


async def test_rows_missing_inside_a_batch_were_thinned_by_the_site(
    telemetry: TelemetryStore,
) -> None:
    assert await telemetry.ingest(batch((1, measured(0, 1.0)), (9, measured(90, 9.0))), T0) == 9


async def test_epochs_and_sites_count_for_themselves(telemetry: TelemetryStore) -> None:
    assert await telemetry.ingest(batch((1, measured(0, 1.0)), (2, measured(1, 1.0))), T0) == 2
    assert await telemetry.ingest(batch((1, measured(2, 1.0)), epoch="new"), T0) == 1
    assert await telemetry.ingest(batch((1, measured(3, 1.0)), site="depot-2"), T0) == 1
    assert await telemetry.ingest(batch((3, measured(4, 1.0))), T0) == 3


async def test_values_from_the_future_are_refused_and_said(
    telemetry: TelemetryStore, ledger: Ledger, read: Read
) -> None:
    rows = batch((1, measured(0, 1.0)), (2, measured(3000, 7.0)))
    assert await telemetry.ingest(rows, T0) == 2
    assert await read() == [(0, 30, 1)]
    (entry,) = await ledger.journal("depot-1")
    assert (entry.action, entry.cause[:8]) == ("clock ahead", "1 values")


async def test_latest_is_the_newest_of_every_point_however_it_arrived(
    telemetry: TelemetryStore,
) -> None:
    rows = [
        measured(5, 2.0),
        measured(0, 1.0),
        measured(3, None, Quality.OFFLINE, point="battery_soc_pct"),
        measured(1, 50.0, point="battery_soc_pct"),
    ]
    await telemetry.ingest(batch(*enumerate(rows, start=1)), T0)
    await telemetry.ingest(batch((1, measured(9, 9.0)), site="depot-10"), T0)
    assert await telemetry.latest("depot-1") == {
        "pcc_power_w": Reading(value=2.0, quality=Quality.GOOD, at=T0 + 5 * SECOND),
        "battery_soc_pct": Reading(value=None, quality=Quality.OFFLINE, at=T0 + 3 * SECOND),
    }
    assert await telemetry.latest("depot-9") == {}


async def test_the_other_rows_of_a_batch_reach_the_ledger(
    telemetry: TelemetryStore, ledger: Ledger
) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    applied = status(InstructionState.APPLIED, 1)
    notice = Notice(
        at=T0, code="charger-offline", subject="cp1", severity=Severity.ALARM, raised=True, text="!"
    )
    cleared = replace(notice, at=T0 + MINUTE, raised=False)
    word = VehicleReadiness(
        at=T0,
        vehicle_id="bus-7",
        evse_id="cp1/1",
        soc_pct=40.0,
        required_wh=2e4,
        departure=T0 + HOUR,
        on_track=True,
    )
    late = replace(word, at=T0 - MINUTE, on_track=False)
    newer = replace(word, at=T0 + SECOND, on_track=False)
    rows: list[Row] = [cleared, notice, newer, applied, word, late]
    for seqs in (1, 7):  # the second time under other numbers: still the same rows
        await telemetry.ingest(batch(*enumerate(rows, start=seqs)), T0)
    assert await ledger.notices(WINDOW) == [("depot-1", notice), ("depot-1", cleared)]
    assert await ledger.notices(WINDOW, "depot-2") == []
    assert await ledger.notices(Interval.lasting(T0, SECOND)) == [("depot-1", notice)]
    assert await ledger.readiness("depot-1") == [newer]
    assert (await ledger.instructions("u1/e1"))[0].statuses == (applied,)
    assert [e.action for e in await ledger.journal("u1/e1")] == ["depot-1: instruction applied"]
    assert [e.action for e in await ledger.journal("depot-1")] == [
        "charger-offline raised: cp1",
        "charger-offline cleared: cp1",
    ]


async def test_loaded_history_keeps_its_length_its_label_and_never_replaces_measurements(
    telemetry: TelemetryStore, read: Read
) -> None:
    await telemetry.ingest(batch((1, measured(900, 7.0))), T0 + HOUR)
    quarter = timedelta(minutes=15)
    past = StepSeries.of((Interval.lasting(T0 + n * quarter, quarter), float(n)) for n in range(3))
    for _ in range(2):
        await telemetry.insert_history("depot-1", "pcc_power_w", past, "synthetic")
    assert await read() == [(0, 900, 0), (900, 930, 7), (1800, 2700, 2)]
    assert await telemetry.history_label("depot-1", Interval.lasting(T0, MINUTE)) == "synthetic"
    assert await telemetry.history_label("depot-1", Interval.lasting(T0 + HOUR, HOUR)) is None
    assert await telemetry.history_label("depot-2", WINDOW) is None


async def test_the_newest_offer_of_a_site_replaces_older_ones(
    telemetry: TelemetryStore, ledger: Ledger
) -> None:
    first = FlexibilityOffer(
        at=T0, step_s=900.0, notice_s=4.0, ramp_w_per_min=1e5, data_age_s=1.0, slots=()
    )
    newer = replace(first, at=T0 + MINUTE, data_age_s=2.0)
    assert await ledger.offer("depot-1") is None
    await telemetry.ingest(batch((1, first), (2, newer), (3, replace(first, data_age_s=9.0))), T0)
    assert await ledger.offer("depot-1") == newer
    assert await ledger.offer("depot-2") is None
