"""What decides: from vehicles, limits, forecasts and plan to the control loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from zoneinfo import ZoneInfo

from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.control.control_loop import ControlLoop, Cycle
from site_agent.flows.control.observer import Devices
from site_agent.flows.control.triage import KnownChanges, Triaging
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.flows.fleet.sessions import Sessions
from site_agent.flows.fleet.yard import YardLists
from site_agent.flows.forecast.side import ForecastSide
from site_agent.flows.grid.side import GridSide
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.orders.market import MarketPrices
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.flows.plan.planner import PlanSources
from site_agent.flows.plan.side import PlanSide, capacities
from site_agent.ports import Sensor
from site_agent.store.sqlite import SqliteStore


class Deciding:
    """The control loop of one site and everything it asks."""

    def __init__(self, settings: SiteSettings, clock: Clock, store: SqliteStore) -> None:
        self._settings = settings
        self._clock = clock
        self._loop: ControlLoop | None = None
        memory, inputs = store.key_values, [one.spec for one in settings.telecontrol]
        self.model = settings.model()
        self.instructions = Instructions(self.model, store.instructions, clock, self.wake)
        self.telecontrol = Telecontrol(inputs, memory, clock, self.wake)
        self.roster = LiveRoster(settings.settled(), store.roster)
        self.sessions = Sessions(self.roster.fleet(), memory)
        self.yard = self._yard()
        self.roster.on_change(self.sessions.renew)
        self.roster.on_change(self.wake)
        self.roster.on_change(self.yard.wake)
        tariff = settings.tariff_paid()
        self.market = MarketPrices(tariff, memory, clock)
        ground = settings.forecast.ground(self.model, settings.time_zone, tariff)
        self.forecasts = ForecastSide(ground, store.history, memory, clock, self.sessions.expected)
        self.grid = GridSide(settings.site_id, settings.grid_choices(), memory, clock)
        changes = KnownChanges(self.model, self.instructions)
        self.triage = Triaging(DEFAULT_POLICY, self.sessions.expected, changes, self.wake)
        self.plans = self._planning(store)

    async def load(self) -> None:
        """Take up what an earlier run has kept."""
        await self.roster.load()
        for flow in (self.instructions, self.sessions, self.telecontrol, self.market, self.grid):
            await flow.load()
        await self.forecasts.load()
        await self.plans.load()

    def connect(
        self, devices: Devices, sensors: Mapping[str, Sensor], heard: Callable[[Cycle], None]
    ) -> ControlLoop:
        """The loop around these devices; `heard` is told of every cycle."""

        def told(cycle: Cycle) -> None:
            self.yard.heard(cycle)
            heard(cycle)

        loop = self._loop = ControlLoop(
            self.model,
            devices,
            self.instructions,
            self.sessions,
            self._clock,
            telecontrol=self.telecontrol,
            guide=self.plans.guide(self.grid.guide),
            around=self.grid.around,
            chooser=self.triage,
            heard=told,
        )
        self.grid.connect(loop, devices.meter, sensors)
        outdoor = self._settings.forecast.outdoor_sensor
        self.forecasts.connect(self.latest, sensors, outdoor, self.grid.watch)
        return loop

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What runs beside the control loop."""
        return [
            self.instructions.run(),
            self.telecontrol.run(),
            *self.grid.runs(),
            self.triage.run(),
            self.yard.run(),
            *self.forecasts.runs(),
            *self.plans.runs(),
        ]

    def wake(self) -> None:
        """Decide anew at once."""
        if self._loop is not None:
            self._loop.wake()

    def planned_for(self) -> str:
        """The gateway's prices that the plan was made for; empty: none of them."""
        planner = self.plans.planner
        return "" if planner is None else self.market.id_of(planner.market)

    def latest(self) -> Cycle | None:
        """What the last control cycle saw and decided."""
        return None if self._loop is None else self._loop.latest

    def snapshot(self) -> SiteSnapshot | None:
        """What the last control cycle saw."""
        latest = self.latest()
        return None if latest is None else latest.snapshot

    def _yard(self) -> YardLists:
        """The yard list; by when a plug is wanted for another, its vehicle has its energy due."""
        zone = ZoneInfo(self._settings.time_zone)
        vehicles, expected = (lambda: self.roster.vehicles), self.sessions.expected
        yard = YardLists(vehicles, expected, self._clock, zone)
        self.sessions.plug_wanted = yard.wanted_at
        return yard

    def _planning(self, store: SqliteStore) -> PlanSide:
        """The plan below the site's rules, and the prices both know."""
        sources = PlanSources(
            outlook=self.forecasts.outlook,
            stays=self.forecasts.stays,
            capacity_wh=capacities(self.roster.fleet().vehicles),
            market=self.market.series,
            orders=self.telecontrol.standings,
        )
        tariff, choices = self._settings.tariff_paid(), self._settings.planning.choices()
        plans = PlanSide(tariff, choices, self.instructions, store.key_values, self._clock, sources)
        self.grid.prices, self.grid.plan = plans.prices, plans.planner
        self.roster.on_change(plans.wake)
        self.forecasts.on_change(plans.wake)
        self.market.on_change(plans.wake)
        return plans
