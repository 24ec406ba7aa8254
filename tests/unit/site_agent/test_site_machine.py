"""Whatever happens in whatever order, no node stays above its limit longer than declared.

A machine of hypothesis drives the real control core around a depot of small physics: vehicles come
and go, limits change, meters and devices fail or lie, agents die, plans wish nonsense.
`pytest --hypothesis-profile=long --timeout=0` tries ten times as many courses.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from contracts.testing import FakeClock
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.protect.envelope import Bound
from support.depot import Vehicle, unplug
from support.examples import examples, fixed
from support.site import NOON, instruction
from support.watched_site import (
    BUILDING_W,
    DISOBEYS_S,
    LIES_S,
    RANKS,
    SILENT_S,
    SLOW_S,
    Watched,
)

pytestmark = [
    pytest.mark.row("site:X4", "site:E15"),
    pytest.mark.timeout(240),  # some 10 s of a core, on a machine that may be busy
]
EVSES = st.integers(0, 4)
NUMBERS = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([0.0, float("nan"), float("inf"), float("-inf")])
)
CALM_S = 240.0


class SiteMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock(NOON)
        self.watched = self.runner.run(Watched.make(self.clock))
        self.events = 0
        self.pass_(2.0)

    def teardown(self) -> None:
        self.runner.run(self.watched.close())
        self.runner.close()

    def pass_(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))

    # --- what happens at a depot -------------------------------------------------------------

    @initialize(full=st.booleans(), watts=st.sampled_from([5_000.0, 30_000.0]))
    def begins(self, full: bool, watts: float) -> None:
        self.watched.site.depot.building_w = watts
        for charger in self.watched.chargers if full else ():
            charger.vehicle = Vehicle(soc_pct=20.0)
        self.pass_(25.0 if full else 1.0)

    @rule(
        evse=EVSES,
        soc_pct=st.floats(5, 99.5),
        max_a=st.sampled_from([6.0, 16.0, 32.0]),
        phases=st.sampled_from([1, 3]),
        tag=st.sampled_from([None, *RANKS]),
    )
    def arrives(
        self, evse: int, soc_pct: float, max_a: float, phases: int, tag: str | None
    ) -> None:
        charger = self.watched.chargers[evse]
        if charger.vehicle is None:
            charger.vehicle = Vehicle(soc_pct=soc_pct, max_a=max_a, phases=phases, tag=tag)
            charger.energy_wh = 0.0
            self.watched.site.loop.wake()
        self.pass_(3.0)

    @rule(soc_pct=st.floats(5, 60))
    def everybody_arrives(self, soc_pct: float) -> None:
        for charger in self.watched.chargers:
            if charger.vehicle is None:
                charger.vehicle = Vehicle(soc_pct=soc_pct)
        self.pass_(3.0)

    @rule(evse=EVSES)
    def departs(self, evse: int) -> None:
        unplug(self.watched.chargers[evse])
        self.pass_(2.0)

    @rule(watts=st.floats(0, BUILDING_W))
    def building(self, watts: float) -> None:
        self.watched.site.depot.building_w = watts
        self.pass_(4.0)

    @rule(seconds=st.sampled_from([5.0, 20.0, 45.0]))
    def time_passes(self, seconds: float) -> None:
        self.pass_(seconds)

    # --- limits and wishes -------------------------------------------------------------------

    @precondition(lambda self: self.watched.alive)
    @rule(limit_w=st.floats(10_000, 90_000), seconds=st.sampled_from([20.0, 90.0]))
    def event(self, limit_w: float, seconds: float) -> None:
        self.events += 1
        made = instruction(
            limit_w,
            seq=self.events,
            event_id=f"e{self.events}",
            start=self.clock.now() + timedelta(seconds=2),
            step=timedelta(seconds=seconds),
        )
        self.runner.run(self._receive(made))
        self.pass_(6.0)

    async def _receive(self, made: object) -> None:
        await self.watched.site.instructions.receive(made)  # type: ignore[arg-type]  # one of ours

    @rule(
        vehicles=st.dictionaries(st.sampled_from(["c0", "c1", "c4", "none"]), NUMBERS),
        storage=st.one_of(st.none(), NUMBERS),
        limit=st.one_of(st.none(), NUMBERS),
    )
    def a_plan_wishes(
        self, vehicles: dict[str, float], storage: float | None, limit: float | None
    ) -> None:
        self.watched.guidance = Guidance(
            source="a plan",
            vehicles_w={k: Bound(value=v, cause="the plan") for k, v in vehicles.items()},
            storage_w=None if storage is None else Bound(value=storage, cause="the plan"),
            import_w=None if limit is None else Bound(value=limit, cause="the plan"),
        )
        self.pass_(5.0)

    # --- faults ------------------------------------------------------------------------------

    @rule(works=st.booleans())
    def meter(self, works: bool) -> None:
        self.watched.site.depot.meter_works = works
        self.pass_(5.0)

    @rule(how=st.sampled_from(["frozen", "half", "turned"]), seconds=st.sampled_from([10.0, 60.0]))
    def meter_lies(self, how: str, seconds: float) -> None:
        faults = self.watched.site.depot.meter
        self.watched.expect("lying meter", LIES_S, seconds + 120.0)
        faults.frozen, faults.scale, faults.sign = how == "frozen", 1.0, 1.0
        faults.scale = 0.5 if how == "half" else 1.0
        faults.sign = -1.0 if how == "turned" else 1.0
        self.pass_(seconds)
        faults.frozen, faults.scale, faults.sign = False, 1.0, 1.0
        self.pass_(2.0)

    @rule(evse=EVSES, online=st.booleans())
    def charger_link(self, evse: int, online: bool) -> None:
        self.watched.chargers[evse].online = online
        self.watched.expect("silent charger", SILENT_S)
        self.pass_(4.0)

    @rule(evse=EVSES, hangs=st.booleans())
    def charger_hangs(self, evse: int, hangs: bool) -> None:
        self.watched.chargers[evse].hangs = hangs
        self.watched.expect("silent charger", SILENT_S)
        self.pass_(4.0)

    @rule(evse=EVSES, ignores=st.booleans())
    def charger_disobeys(self, evse: int, ignores: bool) -> None:
        self.watched.chargers[evse].ignores = ignores
        self.watched.expect("disobedient charger", DISOBEYS_S, 150.0)
        self.pass_(25.0 if ignores else 4.0)

    @rule(evse=EVSES, slow=st.booleans())
    def charger_slow(self, evse: int, slow: bool) -> None:
        self.watched.chargers[evse].follow_s = 8.0 if slow else 1.0
        self.watched.expect("slow charger", SLOW_S, 1e9 if slow else SLOW_S)
        self.pass_(4.0)

    @rule(stuck=st.booleans(), online=st.booleans())
    def battery(self, stuck: bool, online: bool) -> None:
        self.watched.battery.stuck, self.watched.battery.online = stuck, online
        self.watched.expect("failing battery", SILENT_S, 60.0)
        self.pass_(4.0)

    @rule(seconds=st.sampled_from([0.0, 3.0, 20.0]))
    def agent_dies_and_returns(self, seconds: float) -> None:
        self.runner.run(self.watched.kill())
        self.pass_(seconds)
        self.runner.run(self.watched.restart())
        self.pass_(3.0)

    # --- what must hold ----------------------------------------------------------------------

    @invariant()
    def nothing_is_above_its_limit_longer_than_declared(self) -> None:
        assert self.watched.breaches == []

    @invariant()
    def setpoints_are_legal(self) -> None:
        self.watched.setpoints_are_legal()

    @invariant()
    def the_agent_lives(self) -> None:
        for task in self.watched.tasks:
            if task.done():
                task.result()
                raise AssertionError("a task of the agent has ended")

    @rule()
    def in_calm_nobody_starves(self) -> None:
        """Faults over, wishes gone, holds run out: whoever can be served, is."""
        depot, watched = self.watched.site.depot, self.watched
        depot.meter_works, watched.guidance = True, NO_GUIDANCE
        for charger in watched.chargers:
            charger.online, charger.ignores, charger.hangs = True, False, False
            charger.follow_s = 1.0
        watched.battery.stuck, watched.battery.online = False, True
        self.pass_(CALM_S)
        assert watched.starved() == []


SiteMachine.TestCase.settings = settings(
    max_examples=examples(4),
    stateful_step_count=12,
    deadline=None,
    derandomize=fixed(),
    suppress_health_check=list(HealthCheck),
)
TestAnySequence = SiteMachine.TestCase
