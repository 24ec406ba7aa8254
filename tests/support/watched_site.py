"""A running site whose every node is watched, step by step, for how long it is above its limit.

The times below are what the site declares for each fault (docs/explanation/when-things-die.md). A
breach is excused only where nothing the site can still move would end it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite

from contracts.testing import FakeClock
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.device import PHASES, ChargerSpec
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.site import ROOT, CircuitNode, SiteModel, SiteSnapshot
from support.control import Site, fake_battery, site
from support.depot import STEP_S, FakeBattery, FakeCharger
from support.site import NOON, model

REACTS_S = 8.0
"""Building, vehicle or limit: the meter is read, a second to decide, a second or two to follow."""
SLOW_S = 40.0
"""A charger that follows with a time constant of 8 s."""
DISOBEYS_S = 75.0
"""Until a charger that ignores its limits is found out, and others have made way."""
SILENT_S = 20.0
"""A charger or battery that stops answering: how long until it counts at its worst."""
LIES_S = 30.0
"""A meter at the connection that shows too little, stands still or has its sign turned."""
RESTART_S = 15.0
"""After an agent is back."""

ROWS = {"row-1": 63.0, "row-2": 40.0}
CONTRACT_W, BUILDING_W = 90_000.0, 40_000.0
TOLERANCE = 1.015
RANKS = {f"tag-{rank}": rank for rank in range(3)}


def specs() -> list[ChargerSpec]:
    """Three on one row, a single-phase and a three-phase one on the other."""
    row_1 = [ChargerSpec(evse_id=f"c{n}", node="row-1") for n in range(3)]
    return [
        *row_1,
        ChargerSpec(evse_id="c3", node="row-2", phases=(1,)),
        ChargerSpec(evse_id="c4", node="row-2"),
    ]


def depot_model(chargers: list[FakeCharger], battery: FakeBattery) -> SiteModel:
    return model(
        [one.spec for one in chargers],
        nodes=[CircuitNode(node_id=k, parent=ROOT, limit_a=amps) for k, amps in ROWS.items()],
        root_a=160.0,
        contract_w=CONTRACT_W,
        max_building_w=BUILDING_W,
        batteries=[battery.spec],
    )


def fleet() -> dict[str, FleetVehicle]:
    return {
        tag: FleetVehicle(
            vehicle_id=f"van-{tag}",
            departure=LeavesAfter(stay=timedelta(hours=1 + 2 * rank)),
            target=Target(energy_wh=30_000.0),
            rank=rank,
        )
        for tag, rank in RANKS.items()
    }


@dataclass
class Breach:
    """Something above its limit for longer than declared."""

    what: str
    at: datetime
    lasted_s: float
    allowed_s: float
    load: float
    limit: float


@dataclass
class Watched:
    """The site, its agent (which may die) and what was seen."""

    clock: FakeClock
    site: Site
    chargers: list[FakeCharger]
    battery: FakeBattery
    guidance: Guidance = NO_GUIDANCE
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    longest_s: dict[str, float] = field(default_factory=dict)
    """By kind of fault: the longest anything was above its limit."""
    _over_s: dict[str, float] = field(default_factory=dict)
    _until: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Fault by name: allowed, and until when it may show."""
    _limit_w: float = CONTRACT_W

    @classmethod
    async def make(cls, clock: FakeClock) -> Watched:
        chargers = [FakeCharger(spec=spec, clock=clock, vehicle=None) for spec in specs()]
        for n, one in enumerate(chargers):
            one.shift_samples(n)
        battery = fake_battery(clock, rated_w=20_000.0)
        made = await site(
            clock,
            chargers,
            batteries=[battery],
            of=depot_model(chargers, battery),
            vehicles=fleet(),
        )
        watched = cls(clock, made, chargers, battery)
        step = made.depot.step

        def stepped() -> None:
            step()
            watched.look()

        made.depot.step = stepped  # type: ignore[method-assign]  # the physics, with a witness
        watched.physics = asyncio.create_task(made.depot.run())
        watched.start()
        return watched

    physics: asyncio.Task[None] = None  # type: ignore[assignment]  # made in `make`

    @property
    def alive(self) -> bool:
        return bool(self.tasks)

    def start(self) -> None:
        """Bring the agent to life."""
        self.site.loop._guide = self.guide
        runs: list[Coroutine[object, object, None]] = [
            self.site.instructions.run(),
            self.site.loop.run(),
        ]
        self.tasks = [asyncio.ensure_future(run) for run in runs]
        self.expect("restart", RESTART_S)

    async def kill(self) -> None:
        """End the agent at once; what it keeps is in its stores."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks = []

    async def restart(self) -> None:
        """Another agent on the same stores and devices."""
        self.site = await site(
            self.clock,
            self.chargers,
            of=self.site.model,
            vehicles=fleet(),
            kept=self.site,
        )
        self.start()

    async def close(self) -> None:
        await self.kill()
        self.physics.cancel()
        await asyncio.gather(self.physics, return_exceptions=True)

    def guide(self, _: SiteSnapshot, __: Envelope) -> Guidance:
        return self.guidance

    def expect(self, fault: str, allowed_s: float, holds_s: float | None = None) -> None:
        """From now on this fault may show for so long; `holds_s`: it can begin until then."""
        until = self.clock.monotonic() + (allowed_s if holds_s is None else holds_s)
        self._until[fault] = (allowed_s, until)

    # --- what is seen ----------------------------------------------------------------------------

    def look(self) -> None:
        """One step of physics: who is above its limit, and since when."""
        if not self.alive:
            self._over_s.clear()
            return
        depot = self.site.depot
        self._judge("pcc", depot.pcc_w, self._import_limit_w(), self._unmovable_w())
        for node, limit_a in {**ROWS, ROOT: 160.0}.items():
            for phase in PHASES:
                load_a, stuck_a = self._node_a(node, phase)
                self._judge(f"{node}/L{phase}", load_a, limit_a, stuck_a)

    def _judge(self, what: str, load: float, limit: float, unmovable: float) -> None:
        over = load > limit * TOLERANCE + 0.5 and unmovable <= limit
        self._over_s[what] = self._over_s.get(what, 0.0) + STEP_S if over else 0.0
        lasted_s = self._over_s[what]
        if not over:
            return
        fault, allowed_s = self._allowed()
        self.longest_s[fault] = max(self.longest_s.get(fault, 0.0), lasted_s)
        if lasted_s > allowed_s:
            now = self.clock.now()
            self.breaches.append(Breach(what, now, lasted_s, allowed_s, load, limit))

    def _allowed(self) -> tuple[str, float]:
        now = self.clock.monotonic()
        present = {k: allowed for k, (allowed, until) in self._until.items() if until >= now}
        worst = max(present, key=lambda name: present[name], default="")
        if present.get(worst, 0.0) <= REACTS_S:
            return "none", REACTS_S
        return worst, present[worst]

    def _import_limit_w(self) -> float:
        """The contract, or what events ask for, once they have been asked for a moment."""
        now = self.clock.now()
        envelope = self.site.loop.latest
        told = CONTRACT_W if envelope is None else envelope.decision.envelope.import_w.value
        asked = [
            step.bounds.import_w
            for one in self.site.instructions.held
            for step in one.steps
            if step.interval.start <= now and (step.interval.end is None or now < step.interval.end)
            if step.bounds.import_w is not None
        ]
        guided = self.guidance.import_w
        del guided  # a wish is no limit
        return min([CONTRACT_W, *asked]) if asked else min(CONTRACT_W, max(told, CONTRACT_W))

    def _unmovable_w(self) -> float:
        stuck = sum(one.power_w for one in self.chargers if not self.movable(one))
        return self.site.depot.building_w + stuck

    def _node_a(self, node: str, phase: int) -> tuple[float, float]:
        """Load of a phase of a node, and what of it nobody can move, A."""
        below = [c for c in self.chargers if node in path(self.site.model, c.spec.node)]
        load_a = sum(one.phase_a(phase) for one in below)
        stuck_a = sum(one.phase_a(phase) for one in below if not self.movable(one))
        if node == ROOT:
            depot = self.site.depot
            load_a += (depot.building_w + self.battery.power_w) / 690.0
            stuck_a += depot.building_w / 690.0
        return load_a, stuck_a

    @staticmethod
    def movable(charger: FakeCharger) -> bool:
        return charger.online and not charger.ignores and not charger.hangs

    def setpoints_are_legal(self) -> None:
        """Every setpoint of the last decision: finite, 0 or at least the minimum."""
        latest = self.site.loop.latest
        for setpoint in () if latest is None else latest.decision.chargers:
            assert isfinite(setpoint.limit_a)
            assert setpoint.limit_a == 0 or 6 - 1e-6 <= setpoint.limit_a <= 32 + 1e-6
        for battery in () if latest is None else latest.decision.batteries:
            assert isfinite(battery.power_w)

    def starved(self) -> list[str]:
        """Vehicles that take nothing although everything they hang on has room for more."""
        found = []
        for one in self.chargers:
            vehicle = one.vehicle
            if vehicle is None or vehicle.soc_pct >= 99 or not self.movable(one):
                continue
            if one.drawn_a < 1.0 and self._has_room(one):
                found.append(one.spec.evse_id)
        return found

    def _has_room(self, charger: FakeCharger) -> bool:
        spare_a = 6.0 + 2.5  # its minimum, and what steady limits may leave unused
        watts = spare_a * charger.spec.voltage_v * len(charger.spec.phases)
        if self.site.depot.pcc_w + watts > 0.96 * self._import_limit_w():
            return False
        for node in path(self.site.model, charger.spec.node):
            limit_a = ROWS.get(node, 160.0)
            for phase in charger.spec.phases:
                if self._node_a(node, phase)[0] + spare_a > limit_a:
                    return False
        return True


Act = Callable[[], Coroutine[object, object, None]]
START = NOON
