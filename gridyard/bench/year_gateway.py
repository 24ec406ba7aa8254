"""The gateway of the year bench: its settings, a year of its sites' load, and yesterday's event."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from contracts.clock import SystemClock
from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.config import GatewaySettings
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.main import GatewayAddresses, run
from gateway.store.bulk import BulkTelemetry, StoredReading
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.ledger import SqlLedger
from gridyard.bench.processes import order, quietly
from gridyard.credentials import make_credentials

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
YEAR = 365 * DAY
UTILITY, PROGRAM = "bench-utility", "bench-peak"
_ASKED_W, _LENGTH = 20_000.0, timedelta(hours=4)
_TOLD_BEFORE = timedelta(hours=21)
_HOLD_US = QUARTER // timedelta(microseconds=1)


def site_ids(sites: int) -> list[str]:
    """Their ids."""
    return [f"site-{number:05d}" for number in range(sites)]


def settings(folder: Path, sites: int) -> GatewaySettings:
    """A gateway in `folder` that takes free ports, with one program in which every site is."""
    pki = make_credentials(folder / "pki", (), SystemClock())
    site = {"time_zone": "America/New_York", "import_limit_w": 200_000, "simulated": True}
    return GatewaySettings.model_validate(
        {
            "data": folder / "data",
            "sites": [{"site_id": s, "name": f"Depot {s}", **site} for s in site_ids(sites)],
            "programs": [
                {
                    "program_id": PROGRAM,
                    "utility_id": UTILITY,
                    "name": "Peak of the bench",
                    "time_zone": "America/New_York",
                    "baseline": {"day_type": "any", "adjustment": "ratio"},
                    "enrolments": [
                        {"site_id": s, "nominated_w": _ASKED_W} for s in site_ids(sites)
                    ],
                }
            ],
            "link": {
                "port": 0,
                "ca": pki.site_ca,
                "broker_cert": pki.broker.cert,
                "broker_key": pki.broker.key,
                "cert": pki.gateway.cert,
                "key": pki.gateway.key,
                "nats": pki.nats,
            },
            "web": {"port": 0},
            "retention": {"readings_days": None, "five_minutes_days": None},
        }
    )


def last_event(now: datetime) -> Interval:
    """Four hours that ended half a day ago: late enough for a report, too early for a final one."""
    end = (now - DAY / 2).replace(minute=0, second=0, microsecond=0)
    return Interval(start=end - _LENGTH, end=end)


def year(sites: int, event: Interval) -> Iterator[StoredReading]:
    """Quarter by quarter one of each site, as they arrive, until hours after the event."""
    names, good, begins = site_ids(sites), Quality.GOOD.value, micros(event.start)
    ends = begins + _LENGTH // timedelta(microseconds=1)
    first = micros(event.start + DAY / 2 - YEAR)
    for quarter in range(YEAR // QUARTER):
        at = first + quarter * _HOLD_US
        load = 6e4 - 3e4 * math.cos(at / 3.6e9 * math.pi / 12)
        drop = _ASKED_W if begins <= at < ends else 0.0
        for number, name in enumerate(names):
            noise = 1e3 * ((quarter * 7919 + number * 104729) % 17)
            yield name, PCC_POWER_W, at, load + noise - drop, good, _HOLD_US


async def prepare(config: GatewaySettings, event: Interval) -> int:
    """Store the year and the event that everybody took part in; how many readings that is."""
    config.data.mkdir(parents=True, exist_ok=True)
    database = Database.open(config.database)
    sites = [site.site_id for site in config.sites]
    stored = await BulkTelemetry(database).put(year(len(sites), event))
    asked = _event(event, len(sites))
    decision = OptDecision(event_key=asked.key, modification=0, opt=Opt.IN, cause="bench")
    ledger = SqlLedger(database)
    await ledger.put_event(asked, decision, asked.created_at)
    await ledger.put_plan(_plan(asked, sites), ())
    database.close()
    return stored


def _event(window: Interval, sites: int) -> GridEvent:
    ask = StepSeries.of([(window, -_ASKED_W * sites)])
    return GridEvent(
        utility_id=UTILITY,
        event_id="yesterday",
        modification=0,
        program_id=PROGRAM,
        created_at=window.start - _TOLD_BEFORE,
        window=window,
        signals=(Signal(kind=SignalKind.DELTA_W, series=ask),),
    )


def _plan(event: GridEvent, sites: Sequence[str]) -> DispatchPlan:
    window = event.window
    step = AllocatedStep(interval=window, reduction_w=_ASKED_W, limit_w=80_000.0)
    return DispatchPlan(
        event_key=event.key,
        modification=0,
        revision=1,
        created_at=event.created_at,
        reason="event received",
        target=StepSeries.of([(window, _ASKED_W * len(sites))]),
        allocations=tuple(SiteAllocation(site_id=s, steps=(step,), cause="") for s in sites),
        shortfall=StepSeries(),
    )


def serve_gateway(config: GatewaySettings, pipe: Connection) -> None:
    """A process of the gateway; tells where it is and runs until the pipe is closed."""
    quietly(_serve(config, pipe))


async def _serve(config: GatewaySettings, pipe: Connection) -> None:
    stopping = asyncio.Event()

    def ready(told: GatewayAddresses) -> None:
        pipe.send(told.web_url)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(config, SystemClock(), stopping, ready))
        await order(pipe)  # there is none: the bench has gone
        stopping.set()
