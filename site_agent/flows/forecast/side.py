"""History and forecasts of one site, put together for everybody who plans, offers or shows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.grid.watch import Grid
from site_agent.domain.horizon import Horizon
from site_agent.domain.plan.compose import Outlook
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.forecast.forecasting import Forecaster
from site_agent.flows.forecast.history import HistoryKeeper, HistoryStore
from site_agent.flows.grid.watching import GridWatch
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import KeyValues, Sensor

log = structlog.get_logger(__name__)


class ForecastSide:
    """All of it; `load` and `connect` before it runs."""

    def __init__(
        self,
        ground: ForecastGround,
        store: HistoryStore,
        memory: KeyValues,
        clock: Clock,
        roster: Callable[[datetime], Sequence[ExpectedStay]],
    ) -> None:
        self._latest: Callable[[], Cycle | None] = lambda: None
        self._listeners: list[Callable[[], None]] = []
        self.keeper = HistoryKeeper(latest=self._cycle, store=store, memory=memory, clock=clock)
        self.forecaster = Forecaster(
            ground=ground,
            store=store,
            clock=clock,
            present=lambda: self.keeper.present,
            roster=roster,
            renewed=self._tell,
        )

    async def load(self) -> None:
        """Take up the stays that run."""
        await self.keeper.load()

    def connect(
        self,
        latest: Callable[[], Cycle | None],
        sensors: Mapping[str, Sensor],
        outdoor_sensor: str | None,
        grid: GridWatch | None = None,
    ) -> None:
        """What to keep: control cycles while the grid is there, and the temperature outdoors."""
        self._latest = latest
        if grid is not None:
            self.keeper.usual = lambda: grid.state.grid is Grid.LIVE
        self.keeper.outdoor = None if outdoor_sensor is None else sensors[outdoor_sensor]

    def on_change(self, listener: Callable[[], None]) -> None:
        """Called whenever forecasts are new."""
        self._listeners.append(listener)

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What runs beside the control loop."""
        return [self.keeper.run(), self.forecaster.run()]

    async def close(self) -> None:
        """At an orderly stop: write what has been seen since the last write."""
        try:
            await self.keeper.write()
        except TransientError as error:
            log.error("the last minute of history is lost", why=str(error))  # noqa: TRY400 (the disk, not us)

    def outlook(self, horizon: Horizon) -> Outlook:
        """What a plan expects of building and PV: the middle course, W, PV negative."""
        return Outlook(
            building_w=self.forecaster.load(horizon).p50,
            pv_w=-self.forecaster.pv(horizon).p50,
        )

    def stays(self, horizon: Horizon) -> Sequence[ExpectedStay]:
        """Stays that begin in the horizon, which begins now: roster first, then habits."""
        return self.forecaster.stays(horizon)

    def conditions(self) -> Mapping[Key, Condition]:
        """What is far from what was to be expected, as notices take it."""
        return dict(self.forecaster.conditions())

    def _cycle(self) -> Cycle | None:
        return self._latest()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
