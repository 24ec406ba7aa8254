"""What the site has been like: means of quarter hours and past stays, for whoever forecasts.

A sample every few seconds, a write every minute: an agent that is killed loses a minute of history.
Nothing is filled in: what was not measured, or not to be believed, is not covered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.domain.forecast.averaging import Averager
from site_agent.domain.forecast.course import Measured
from site_agent.domain.forecast.record import OUTDOOR_C, QuarterMean
from site_agent.domain.forecast.sampling import Sample, Sampler
from site_agent.domain.forecast.stay_log import OpenStay, StayLog
from site_agent.domain.forecast.stays import PastStay
from site_agent.flows.control.control_loop import Cycle
from site_agent.ports import KeyValues, Sensor

log = structlog.get_logger(__name__)

OPEN_KEY = "history/open-stays"
SAMPLE_S = 5.0
WRITE_S = 60.0
_PRUNE_S = 3600.0
_FRESH = timedelta(seconds=10)
"""A control cycle older than this says nothing of the present."""


class HistoryStore(Protocol):
    """Quarter hours and stays on disk; every call is durable when it returns.

    Raises:
        TransientError: the disk is full or the file is locked.
    """

    async def add(self, parts: Iterable[QuarterMean]) -> None:
        """Join parts of quarters to what is known of them."""
        ...

    async def take(self, quarters: Iterable[QuarterMean]) -> int:
        """Quarters from a file; how many were stored. What was measured here stands."""
        ...

    async def quarters(
        self, series: str, since: datetime, until: datetime
    ) -> Sequence[QuarterMean]:
        """Of one series what began in `[since, until)`, in order."""
        ...

    async def measured(
        self, series: str, since: datetime, until: datetime, *, free: bool = False
    ) -> Measured:
        """The same as consecutive quarters, as `domain.forecast.record.measured_of` has them."""
        ...

    async def series(self) -> Sequence[str]:
        """The names of all series there are."""
        ...

    async def add_stay(self, stay: PastStay) -> None:
        """A vehicle has left; the same again changes nothing."""
        ...

    async def stays(self, since: datetime, until: datetime) -> Sequence[PastStay]:
        """Stays that began in `[since, until)`, by arrival."""
        ...

    async def prune(self, now: datetime) -> None:
        """Forget what is older than 400 days, or too much."""
        ...


class HistoryKeeper:
    """Writes the site's history; call `load` first."""

    def __init__(
        self,
        *,
        latest: Callable[[], Cycle | None],
        store: HistoryStore,
        memory: KeyValues,
        clock: Clock,
        outdoor: Sensor | None = None,
    ) -> None:
        self._latest = latest
        self._store = store
        self._memory = memory
        self._clock = clock
        self.outdoor = outdoor
        """What tells the temperature outdoors; None: nothing."""
        self.usual: Callable[[], bool] = _always
        """Whether the grid is there: in an outage neither load nor PV is what it would be."""
        self._averager = Averager()
        self._sampler = Sampler()
        self._stays = StayLog()
        self._left: list[PastStay] = []
        self._at_s: float | None = None
        self._saved = ""

    @property
    def present(self) -> Mapping[str, datetime]:
        """Vehicles that are plugged in, and since when."""
        return {stay.vehicle_id: stay.arrived for stay in self._stays.open.values()}

    async def load(self) -> None:
        """Take up the stays that an earlier run has seen begin."""
        text = await self._memory.get(OPEN_KEY) or "{}"
        found = json.loads(text)
        self._stays.open = {name: OpenStay.restored(stay) for name, stay in found.items()}
        self._saved = text

    async def run(self) -> None:
        """Sample, write and prune until cancelled; what a failing disk refuses waits in memory."""
        write_s = prune_s = self._clock.monotonic()
        while True:
            self.sample()
            now_s = self._clock.monotonic()
            try:
                if now_s >= write_s:
                    write_s = now_s + WRITE_S
                    await self.write()
                if now_s >= prune_s:
                    prune_s = now_s + _PRUNE_S
                    await self._store.prune(self._clock.now())
            except TransientError as error:
                log.error("history not stored yet", why=str(error))  # noqa: TRY400 (the disk, not us)
            await self._clock.sleep(SAMPLE_S)

    def sample(self) -> None:
        """Add the present to the quarter that runs."""
        now_s, now, cycle = self._clock.monotonic(), self._clock.now(), self._latest()
        before_s, self._at_s = self._at_s, now_s
        if cycle is None or now - cycle.snapshot.at > _FRESH:
            return
        self._left += self._stays.watch(cycle.snapshot)
        if before_s is None or now_s <= before_s or not self.usual():
            return
        lasted = timedelta(seconds=min(now_s - before_s, 2.0 * SAMPLE_S))
        for one in self._samples(cycle):
            self._averager.add(
                one.series,
                now,
                one.value,
                lasted,
                estimated=one.estimated,
                curtailed=one.curtailed,
            )

    def _samples(self, cycle: Cycle) -> Sequence[Sample]:
        decision, snapshot = cycle.decision, cycle.snapshot
        found = [*self._sampler.samples(snapshot, decision.building_w, decision.building_spread_w)]
        outdoor_c = None if self.outdoor is None else _outdoor_c(self.outdoor, snapshot.at)
        if outdoor_c is not None:
            found.append(Sample(series=OUTDOOR_C, value=outdoor_c))
        return found

    async def write(self) -> None:
        """Bring everything seen so far to the disk.

        Raises:
            TransientError: not everything is stored; the rest waits.
        """
        parts = self._averager.drain()
        try:
            await self._store.add(parts)
        except TransientError:
            self._averager.give_back(parts)
            raise
        while self._left:
            await self._store.add_stay(self._left[0])
            del self._left[0]
        text = json.dumps({name: stay.stored() for name, stay in self._stays.open.items()})
        if text != self._saved:
            await self._memory.put(OPEN_KEY, text)
            self._saved = text


def _always() -> bool:
    return True


def _outdoor_c(sensor: Sensor, at: datetime) -> float | None:
    """What the outdoor sensor tells, °C."""
    readings = sensor.readings(at)
    for quantity in ("ambient_temperature_c", "temperature_c"):
        reading = readings.get(quantity)
        if reading is not None and reading.quality.usable:
            return reading.value
    return None
