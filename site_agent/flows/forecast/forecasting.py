"""Forecasts of load, PV and stays, renewed every quarter of an hour beside the event loop.

Whoever plans asks `load`, `pv` and `stays` at any time and gets the newest there are, on slots of
their own; each forecast says how it came about and how far it may be off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import Severity
from contracts.time import Clock
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast.anomalies import Anomaly, Kind
from site_agent.domain.forecast.averaging import quarter_of
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.forecast.outlooks import (
    USED,
    SiteForecasts,
    SiteHistory,
    anomalies,
    first_guess,
    forecasts,
)
from site_agent.domain.forecast.record import (
    LOAD_W,
    OUTDOOR_C,
    PV_W,
    battery_power_of,
    pv_of,
    soc_of,
)
from site_agent.domain.forecast.stays import LOOK_BACK, expected_stays, habitual_stays
from site_agent.domain.horizon import QUARTER, Horizon
from site_agent.flows.forecast.history import HistoryStore
from site_agent.flows.report.notices import Condition, Key

log = structlog.get_logger(__name__)

_SETTLED_S = 10.0
"""After a quarter has ended, before it is read: the history is written meanwhile."""
_RETRY_S = 60.0
CODES: Mapping[Kind, str] = {
    Kind.LOAD_HIGH: "load-above-expectation",
    Kind.LOAD_LOW: "load-below-expectation",
    Kind.PV_LOW: "pv-below-expectation",
    Kind.BATTERY_WEAK: "battery-below-capacity",
}


class Forecaster:
    """The site's forecasts; `refresh` or `run` fills them, until then they are wide guesses."""

    def __init__(
        self,
        *,
        ground: ForecastGround,
        store: HistoryStore,
        clock: Clock,
        present: Callable[[], Mapping[str, datetime]],
        roster: Callable[[datetime], Sequence[ExpectedStay]],
        renewed: Callable[[], None] = lambda: None,
    ) -> None:
        """Take up the ground.

        Args:
            ground: the site as its forecasts see it.
            store: its history.
            clock: the time.
            present: vehicles that are plugged in, and since when.
            roster: stays that dispatchers or telematics have told.
            renewed: called when forecasts are new.
        """
        self._ground = ground
        self._store = store
        self._clock = clock
        self._present = present
        self._roster = roster
        self._renewed = renewed
        self._habits: Sequence[ExpectedStay] = ()
        self._judged: datetime | None = None
        self.latest: SiteForecasts = first_guess(ground, clock.now())
        """The newest forecasts on their own slots."""
        self.anomalies: tuple[Anomaly, ...] = ()
        """What is far from what was to be expected, as of the last full hour."""

    async def run(self) -> None:
        """Refresh a little after every quarter of an hour, until cancelled."""
        while True:
            try:
                await self.refresh()
                wait_s = self._until_next_s()
            except TransientError as error:
                log.error("no forecast, the last one goes on", why=str(error))  # noqa: TRY400 (the disk, not us)
                wait_s = _RETRY_S
            await self._clock.sleep(wait_s)

    async def refresh(self) -> None:
        """Read the history and forecast anew.

        Raises:
            TransientError: the history cannot be read; what was forecast before stands.
        """
        now = self._clock.now()
        judging = self._judged is None or quarter_of(now).minute == 0
        history = await self._history(now, devices=judging)
        past = await self._store.stays(now - LOOK_BACK, now)
        self.latest = await asyncio.to_thread(forecasts, history, self._ground, now)
        ahead = Horizon(start=now, count=self.latest.load.horizon.count)
        self._habits = await asyncio.to_thread(habitual_stays, past, ahead, self._ground.calendar)
        if judging:
            self.anomalies = await asyncio.to_thread(anomalies, history, self._ground)
            self._judged = now
        self._renewed()

    def load(self, horizon: Horizon) -> Forecast:
        """The building's load, W."""
        return self.latest.load.on(horizon)

    def pv(self, horizon: Horizon) -> Forecast:
        """Generation of all PV inverters together, W >= 0."""
        return self.latest.pv.on(horizon)

    def stays(self, horizon: Horizon) -> tuple[ExpectedStay, ...]:
        """Stays that begin in the horizon, which begins now: roster first, then habits."""
        told = self._roster(horizon.start)
        calendar = self._ground.calendar
        return expected_stays(self._habits, told, self._present(), horizon, calendar)

    def conditions(self) -> Iterator[tuple[Key, Condition]]:
        """Anomalies, as notices take them."""
        for one in self.anomalies:
            condition = Condition(severity=Severity.WARNING, text=one.words)
            yield (CODES[one.kind], one.subject), condition

    def _until_next_s(self) -> float:
        now = self._clock.now()
        due = quarter_of(now) + QUARTER + timedelta(seconds=_SETTLED_S)
        return max(1.0, (due - now).total_seconds())

    async def _history(self, now: datetime, *, devices: bool) -> SiteHistory:
        until = quarter_of(now)
        since = self._ground.calendar.begins(self._ground.calendar.day_of(until - USED))
        series = set(await self._store.series())
        names = [LOAD_W, PV_W, *((OUTDOOR_C,) if OUTDOOR_C in series else ())]
        if devices:
            names += [pv_of(one.pv_id) for one in self._ground.arrays]
            for battery in self._ground.batteries:
                names += [battery_power_of(battery.battery_id), soc_of(battery.battery_id)]
        read = {}
        for name in names:
            free = name.startswith(PV_W)
            read[name] = await self._store.measured(name, since, until, free=free)
        return SiteHistory(
            since=since,
            until=until,
            load=read.pop(LOAD_W),
            made=read.pop(PV_W),
            outdoor_c=read.pop(OUTDOOR_C, None),
            devices=read,
        )
