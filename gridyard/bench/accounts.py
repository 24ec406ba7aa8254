"""A month's account of one large depot that tells every point every two seconds."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.clock import SystemClock
from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import MAX_BATCH_ROWS, Batch, NumberedRow
from contracts.site_link.sessions import EndedSession
from gateway.domain.accounts.month import Month
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.accounts.desk import Accounts
from gateway.flows.accounts.kept import KeptSlots
from gateway.prices.bill_file import FileTerms
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.sessions import SqlSessionBook
from gateway.store.slot_blocks import SqlSlotBlocks
from gateway.store.slots import SqlSlots
from gateway.store.telemetry import SqlTelemetry
from gridyard.bench.core import Bench, Row, at_most

_CHARGERS, _EVERY_S = 60, 2
_ZONE = ZoneInfo("Europe/Berlin")
_MONTH = Month(year=2026, month=10)
_WINDOW = _MONTH.window(_ZONE)
_HOLD, _NIGHT, _RUNS = timedelta(minutes=5), timedelta(hours=12), 5
_WARM_S, _COLD_S = 2.0, 15.0
_SITE = Site(site_id="depot-1", name="Depot", time_zone=_ZONE, import_limit_w=1e6)
_TARIFF = """
name: two prices
currency: EUR
time_zone: Europe/Berlin
energy:
  - name: every day
    prices: [{at: "00:00", per_kwh: 0.1, name: night}, {at: "06:00", per_kwh: 0.3, name: day}]
demand: [{name: any hour, per_kw: 5}]
customer_per_day: 1
"""
# Twelve hours with power and twelve without, in turns; made by the database itself.
_FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO measurement SELECT 'depot-1', :point, :start + i * :every_us,
    CASE WHEN (i * :every_us / 43200000000) % 2 THEN :watts + i % 7 ELSE 0.0 END,
    'good', NULL FROM n
"""


async def _filled(database: Database, chargers: int) -> int:
    """How many values there are."""
    start, seconds = _WINDOW.start, (_WINDOW.duration or _HOLD).total_seconds()
    count = int(seconds // _EVERY_S)
    power = {points.PCC_POWER_W: chargers * 1.1e4 + 2e4, points.PV_POWER_W: -5e3}
    power |= {points.evse_power_w(f"evse-{n}"): 1.1e4 for n in range(chargers)}
    for point, watts in power.items():
        values = {
            "last": count - 1,
            "point": point,
            "start": micros(start),
            "every_us": _EVERY_S * 1_000_000,
            "watts": watts,
        }
        await database.write(lambda s, v=values: s.connection().exec_driver_sql(_FILL, v))  # type: ignore[misc]
    return count * len(power)


def _sessions(chargers: int) -> list[EndedSession]:
    """One a night and charger."""
    nights = (_WINDOW.duration or _HOLD) // timedelta(days=1)
    starts = [_WINDOW.start + timedelta(days=night, hours=12) for night in range(nights)]
    return [
        EndedSession(
            at=start + _NIGHT,
            session_id=f"{night}-{charger}",
            evse_id=f"evse-{charger}",
            vehicle_id=f"van-{charger}",
            started_at=start,
            ended_at=start + _NIGHT,
            energy_wh=1.3e5,
            quality=Quality.GOOD,
        )
        for night, start in enumerate(starts)
        for charger in range(chargers)
    ]


async def _told(database: Database, sessions: Sequence[EndedSession]) -> None:
    store = SqlTelemetry(database, max_hold=_HOLD)
    for first in range(0, len(sessions), MAX_BATCH_ROWS):
        some = sessions[first : first + MAX_BATCH_ROWS]
        rows = tuple(NumberedRow(seq=first + n, row=one) for n, one in enumerate(some, 1))
        at = _WINDOW.end or _WINDOW.start
        await store.ingest(Batch(site_id=_SITE.site_id, epoch="e", rows=rows, sent_at=at), at)


def _account_s(place: Path, tariff: Path) -> float:
    """Seconds from the question to the answer of a gateway that has just opened its database.

    Raises:
        PermanentError: the account is not of the whole month.
    """
    database = Database.open(place)
    clock, portfolio = SystemClock(), Portfolio(sites=(_SITE,))
    plain = SqlSlots(database, max_hold=_HOLD)
    accounts = Accounts(
        portfolio,
        KeptSlots(plain, SqlSlotBlocks(database), portfolio, clock),
        SqlSessionBook(database),
        SqlTelemetry(database, max_hold=_HOLD),
        clock,
        tariffs={_SITE.site_id: FileTerms(tariff)},
        intensities={},
    )

    async def asked() -> float:
        start = time.perf_counter()
        found = await accounts.of(_SITE.site_id, _MONTH)
        spent = time.perf_counter() - start
        if not found.whole or min(one.share for one in found.coverage) < 1.0:
            raise PermanentError("the account is not of the whole month")
        return spent

    try:
        return asyncio.run(asked())
    finally:
        database.close()


def _forget(place: Path) -> None:
    """Have the system drop the file from its memory, so that it is read from the disk."""
    with place.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _run_with(chargers: int) -> Sequence[Row]:
    with tempfile.TemporaryDirectory() as folder:
        place, tariff = Path(folder) / "gateway.db", Path(folder) / "tariff.yaml"
        tariff.write_text(_TARIFF)
        database = Database.open(place)
        values = asyncio.run(_filled(database, chargers))
        asyncio.run(_told(database, _sessions(chargers)))
        database.close()
        first = _account_s(place, tariff)
        _forget(place)
        cold = _account_s(place, tariff)
        warm = [_account_s(place, tariff) for _ in range(_RUNS)]
    of = f"a month of {chargers} chargers, {values / 1e6:.1f} million values"
    spread = f"{min(warm):.2f}-{max(warm):.2f} s"
    return [
        at_most(f"{of}: the first account ever", "s", first, None, "no bar", 1.0, ""),
        at_most(f"{of}: days kept, from disk", "s", cold, _COLD_S, "the bar", 1.0, ""),
        at_most(f"{of}: again", "s", statistics.median(warm), _WARM_S, "the bar", 1.0, spread),
    ]


BENCH = Bench(
    name="accounts",
    about="a month's account of one large depot: read for the first time, from kept days, again",
    run=lambda: _run_with(_CHARGERS),
    run_with=_run_with,
    packages=("sqlalchemy", "numpy"),
)
