"""The check over a real database: what it finds, keeps once, journals, and leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contracts.errors import TransientError
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Hello, Notice, Severity
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers
from gateway.domain.anomaly.finding import Code
from gateway.domain.anomaly.picture import Picture
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.anomaly.check import LATE, AnomalyCheck
from gateway.flows.anomaly.looking import days_of, picture_of
from gateway.ports.accounts import Slots
from gateway.store.anomalies import SqlAnomalies
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots
from gateway.store.telemetry import SqlTelemetry
from support.anomalies import CONTRACT_W, START, quiet_day, with_meter

pytestmark = pytest.mark.row("mv:M9")

DAY, HOUR, HOLD = timedelta(days=1), timedelta(hours=1), timedelta(minutes=5)
EVER = Interval(start=START - DAY, end=None)


def site(name: str = "depot-1") -> Site:
    return Site(site_id=name, name=name, time_zone=ZoneInfo("UTC"), import_limit_w=CONTRACT_W)


class Bench:
    def __init__(self) -> None:
        database = Database.in_memory()
        self.telemetry = SqlTelemetry(database, max_hold=HOLD)
        self.ledger = SqlLedger(database)
        self.reader = SqlSlots(database, max_hold=HOLD)
        self.clock = FakeClock(START + DAY + LATE)
        self.check = AnomalyCheck(
            Portfolio(sites=(site(),)),
            self.reader,
            SqlSessionBook(database),
            self.ledger,
            SqlAnomalies(database),
            self.clock,
        )

    async def store(self, day: Picture) -> None:
        """A day as the site's agent tells it, by the minute."""
        told = {
            points.PCC_POWER_W: day.pcc_w,
            points.PCC_IMPORT_WH: day.register_wh,
            points.BATTERY_POWER_W: day.battery_w,
            points.PV_POWER_W: day.pv_w,
            **{points.evse_power_w(name): one for name, one in day.evse_w.items()},
            **{points.evse_limit_w(name): one for name, one in day.limit_w.items()},
        }
        for point, values in told.items():
            steps = StepSeries.of(
                (day.grid.slot(i), value)
                for i, value in enumerate(values.tolist())
                if not np.isnan(value)
            )
            await self.telemetry.insert_history("depot-1", point, steps, "synthetic")

    async def codes(self) -> list[Code]:
        return [one.code for one in await self.check.look_at(site())]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def turned(pcc: Numbers) -> Numbers:
    return -pcc


async def test_a_quiet_day_is_left_alone(bench: Bench) -> None:
    await bench.store(quiet_day(3))
    assert await bench.codes() == []
    assert await bench.ledger.journal("depot-1") == []


async def test_a_site_that_never_told_anything_is_left_alone(bench: Bench) -> None:
    assert await bench.codes() == []


async def test_what_is_stored_is_what_is_looked_at(bench: Bench) -> None:
    day = quiet_day(3)
    await bench.store(day)
    seen = await picture_of(bench.reader, site(), day.grid.window)
    assert seen.pcc_w == pytest.approx(day.pcc_w)
    assert seen.register_wh == pytest.approx(day.register_wh)
    assert set(seen.evse_w) == set(seen.limit_w) == set(day.evse_w)


async def test_a_meter_turned_round_is_journaled_once(bench: Bench) -> None:
    await bench.store(with_meter(quiet_day(3), turned))
    assert Code.SIGN in await bench.codes()
    assert await bench.codes() == []
    actions = [entry.action for entry in await bench.ledger.journal("depot-1")]
    assert actions.count("anomaly meter-sign-flipped: pcc_power_w") == 1


async def test_findings_that_touch_an_event_are_read_by_one_call(bench: Bench) -> None:
    await bench.store(with_meter(quiet_day(3), turned))
    await bench.check.look_at(site())
    event = Interval.lasting(START + 17 * HOUR, 2 * HOUR)
    touching = await bench.check.anomalies_within("depot-1", event)
    assert Code.SIGN in {finding.code for _, finding in touching}
    before = Interval.lasting(START - 3 * HOUR, 2 * HOUR)
    assert await bench.check.anomalies_within("depot-1", before) == []
    assert await bench.check.anomalies_within("depot-2", event) == []
    assert await bench.check.anomalies_within(None, event) == touching


async def test_a_charger_that_tells_nothing_hides_what_devices_draw(bench: Bench) -> None:
    """The site's own sum leaves it out: judged by that, the meter would seem wrong."""
    day = quiet_day(3)
    gone = {name: np.full_like(one, np.nan) for name, one in list(day.evse_w.items())[:1]}
    await bench.store(replace(day, evse_w={**day.evse_w, **gone}))
    await bench.store(replace(day, evse_w={}, limit_w={}))
    seen = await picture_of(bench.reader, site(), day.grid.window)
    assert await bench.codes() == []
    assert len(seen.evse_w) == len(day.evse_w) - 1


@pytest.mark.parametrize(("seconds", "found"), [(5, []), (-600, [Code.CLOCK])])
async def test_a_clock_that_is_wrong(bench: Bench, seconds: int, found: list[Code]) -> None:
    sent_at = bench.clock.now() + timedelta(seconds=seconds)
    bench.check.greeted(
        Hello(
            site_id="depot-1",
            epoch="ep",
            versions=(1,),
            last_instruction_seq=0,
            outbox_head=0,
            agent_version="1",
            sent_at=sent_at,
        )
    )
    assert await bench.codes() == found


async def test_a_charger_that_fails_again_and_again(bench: Bench) -> None:
    for hour in (1, 5, 9):
        notice = Notice(
            at=START + hour * HOUR,
            code="charger-offline",
            subject="e1",
            severity=Severity.WARNING,
            raised=True,
            text="gone",
        )
        await bench.ledger.put_notice("depot-1", notice)
    assert await bench.codes() == [Code.FAULTS]


async def test_a_week_shows_what_a_day_does_not(bench: Bench) -> None:
    """Power drifts away from the register by 2 % a day; each day alone is within its slack."""
    for day in range(-6, 1):
        there = Interval.lasting(START + day * DAY, DAY)
        for hour in range(24):
            slot = Interval.lasting(there.start + hour * HOUR, HOUR)
            power = StepSeries.of([(slot, 20_000.0 * (1.0 + 0.02 * (day + 6)))])
            count = StepSeries.of(
                (Interval.lasting(slot.start + i * 6 * HOLD, 6 * HOLD), value)
                for i, value in enumerate(
                    5e6 + 20_000.0 * (24 * (day + 6) + hour + part) for part in (0.25, 0.75)
                )
            )
            await bench.telemetry.insert_history("depot-1", points.PCC_POWER_W, power, "s")
            await bench.telemetry.insert_history("depot-1", points.PCC_IMPORT_WH, count, "s")
    window = Interval(start=START - 6 * DAY, end=START + DAY)
    days = await days_of(bench.reader, site(), window)
    assert [one.ratio for one in days.ratios] == pytest.approx(
        [1.0, 1.02, 1.04, 1.06, 1.08, 1.10, 1.12]
    )
    assert await bench.codes() == [Code.DRIFT]


async def test_one_site_that_cannot_be_read_does_not_hold_up_the_rest(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.store(with_meter(quiet_day(3), turned))
    read: Callable[..., object] = bench.reader.slots
    failed: list[str] = []

    async def slots(site_id: str, *rest: object) -> Slots:
        if site_id == "broken":
            failed.append(site_id)
            raise TransientError("database: busy")
        return await read(site_id, *rest)  # type: ignore[misc,no-any-return]

    async def names(site_id: str) -> list[str]:
        return [points.PCC_POWER_W] if site_id == "broken" else sorted(await known(site_id))

    known = bench.reader.points
    monkeypatch.setattr(bench.reader, "slots", slots)
    monkeypatch.setattr(bench.reader, "points", names)
    two = Portfolio(sites=(site("broken"), site()))
    monkeypatch.setattr(bench.check, "_portfolio", two)
    monkeypatch.setattr(bench.clock, "sleep", _at_once)
    await bench.check.look()
    assert failed == ["broken"]
    assert await bench.check.anomalies_within("depot-1", EVER)


async def _at_once(_: float) -> None:
    return None
