"""Grid, rules, frequency and mode of one site, put together for its control loop."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta

from contracts.reading import Reading
from contracts.time import Clock
from site_agent.domain.decide.control import Decision
from site_agent.domain.grid.choices import GridChoices
from site_agent.domain.grid.droop import DroopPolicy
from site_agent.domain.grid.watch import Grid
from site_agent.domain.mode import Mode, ModeNow, mode_of
from site_agent.domain.price import PriceView
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.control.around import Around
from site_agent.flows.control.control_loop import ControlLoop
from site_agent.flows.grid.droop import Droop
from site_agent.flows.grid.watching import GridWatch
from site_agent.flows.plan.rules import Guide, Prices, SiteRules, no_prices
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import KeyValues, Meter, Sensor

_DROOP = "frequency_droop"
"""The slot of an inverter's own droop (`contracts.inverter.slot`)."""
_CONTACT_AGE = timedelta(seconds=5)


class GridSide:
    """All of it; `connect` before the control loop runs."""

    def __init__(self, site_id: str, choices: GridChoices, memory: KeyValues, clock: Clock) -> None:
        self._choices = choices
        self._clock = clock
        self._sensors: Mapping[str, Sensor] = {}
        self._meter: Meter | None = None
        self._loop: ControlLoop | None = None
        self._mode: Mode | None = None
        self.prices: Prices = no_prices
        """Set by whoever knows the tariff."""
        self.watch = GridWatch(site_id, choices.policies, memory, clock, self._contact)
        self.rules = SiteRules(
            choices.rules,
            choices.zone,
            prices=self._price,
            mode=lambda: self._mode,
            fallback=choices.fallback,
        )
        self.droop = None if choices.droop is None else self._droop(choices.droop)

    @property
    def around(self) -> Around:
        """For the control loop."""
        droop = self.droop
        limits = (self.rules.limits, self.watch.limits)
        if droop is None:
            return Around(picture=self.watch.picture, limits=limits, mode=self._mode_now)
        return Around(
            picture=self.watch.picture,
            limits=limits,
            reflex=droop.reflex,
            functions=droop.functions,
            mode=self._mode_now,
        )

    @property
    def plan(self) -> Guide | None:
        """What rules stand above; None: rules alone. Set by whoever plans."""
        return self.rules.plan

    @plan.setter
    def plan(self, plan: Guide | None) -> None:
        self.rules.plan = plan

    @property
    def guide(self) -> Guide:
        """What rules and the plan wish."""
        return self.rules.guide

    def connect(self, loop: ControlLoop, meter: Meter, sensors: Mapping[str, Sensor]) -> None:
        """What can only be known once everything is made."""
        self._loop, self._meter, self._sensors = loop, meter, sensors

    async def load(self) -> None:
        """Take up what a restart must not lose."""
        await self.watch.load()

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What must run beside the control loop."""
        return [self.watch.run(), *([] if self.droop is None else [self.droop.run()])]

    def conditions(self) -> Mapping[Key, Condition]:
        """What people should know."""
        droop = {} if self.droop is None else self.droop.conditions()
        return {**self.watch.conditions(), **droop}

    def _price(self, now: datetime) -> PriceView:
        return self.prices(now)

    def _mode_now(self, snapshot: SiteSnapshot, decision: Decision) -> ModeNow:
        found = mode_of(
            snapshot, decision, self.prices(snapshot.at), island=self.watch.island_words
        )
        self._mode = found.mode
        return found

    def _droop(self, policy: DroopPolicy) -> Droop:
        return Droop(
            policy,
            self._frequency,
            self._clock,
            act=self._act,
            by_themselves=lambda: (
                frozenset() if self._loop is None else self._loop.inverters_doing(_DROOP)
            ),
            suspended=lambda: self.watch.state.grid is not Grid.LIVE,
        )

    def _act(self) -> None:
        if self._loop is not None:
            self._loop.react()
            self._loop.wake()

    def _frequency(self, now: datetime) -> Reading | None:
        name = self._choices.droop_sensor
        if name is not None:
            sensor = self._sensors.get(name)
            return None if sensor is None else sensor.readings(now).get("frequency_hz")
        return None if self._meter is None else self._meter.state(now).frequency_hz

    def _contact(self, now: datetime) -> bool | None:
        switch = self._choices.switch
        sensor = None if switch is None else self._sensors.get(switch.sensor)
        reading = None if sensor is None else sensor.readings(now).get("contact")
        closed = None if reading is None else reading.fresh(now, _CONTACT_AGE)
        if closed is None or switch is None:
            return None
        return bool(closed) is switch.island_when_closed
