"""Snapshot, decide, apply: once a second, and at once when something changes.

While it is alive, setpoints are refreshed (chargers' leases here, batteries' and inverters' by
being asked every cycle); when it dies, they lapse in the devices (`domain.protect.fallback`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.domain.decide.control import DEFAULT_POLICY, Decision, decide
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.decide.triage import Triage
from site_agent.domain.functions import Unheld, functions_at
from site_agent.domain.mode import ModeNow
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.protect.telecontrol import Standing
from site_agent.domain.site import SiteModel, SiteSnapshot
from site_agent.flows.control.actuators import Actuators, Outcome
from site_agent.flows.control.around import NOTHING, Around
from site_agent.flows.control.functions import Functions
from site_agent.flows.control.observer import Devices, NeedSource, Observer
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.orders.telecontrol import Telecontrol

log = structlog.get_logger(__name__)

Guide = Callable[[SiteSnapshot, Envelope], Guidance]
"""Who wishes what of the devices now: a plan, or the site's own rules. Quick: asked every cycle."""
Chooser = Callable[[SiteSnapshot, Envelope], Triage | None]
"""Who is served in full when not all can be (`flows.control.triage`). Quick: asked every cycle."""
CYCLE_S = 1.0
_SPACING_S = 0.05
"""Between cycles: a burst of wakes is answered once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one cycle saw and decided."""

    snapshot: SiteSnapshot
    decision: Decision
    unheld: tuple[Unheld, ...] = ()
    """Inverter functions asked for and not done."""
    operator: tuple[Standing, ...] = ()
    """What held for each input of the network operator."""
    guidance: Guidance = NO_GUIDANCE
    """What was wished."""
    mode: ModeNow | None = None
    """In which mode the site was, and why."""
    triage: Triage | None = None
    """Who was served in full; None: nobody has decided that."""


class ControlLoop:
    """The one writer of setpoints of a site."""

    def __init__(
        self,
        model: SiteModel,
        devices: Devices,
        instructions: Instructions,
        needs: NeedSource,
        clock: Clock,
        policy: ControlPolicy = DEFAULT_POLICY,
        *,
        telecontrol: Telecontrol | None = None,
        guide: Guide | None = None,
        heard: Callable[[Cycle], None] | None = None,
        around: Around = NOTHING,
        chooser: Chooser | None = None,
    ) -> None:
        """`heard` is told of every cycle, once it is decided. It must be quick."""
        self._model = model
        self._telecontrol = telecontrol
        self._guide = guide
        self._heard = heard
        self._around = around
        self._chooser = chooser
        self._calm: Decision | None = None
        """The last decision, before any reflex."""
        self._instructions = instructions
        self._clock = clock
        self._policy = policy
        self._actuators = Actuators(devices, clock)
        self._functions = Functions(devices, clock)
        self._observer = Observer(model, devices, needs, policy, self._actuators)
        self._changed = asyncio.Event()
        self._binding = ""
        self.latest: Cycle | None = None
        """What the last cycle saw and decided."""

    def wake(self) -> None:
        """Run the next cycle at once."""
        self._changed.set()

    def inverters_doing(self, slot: str) -> frozenset[str]:
        """The devices that do the autonomous function of this slot by themselves now."""
        return self._functions.doing(slot)

    def react(self) -> None:
        """Bring the reflex of this moment to the batteries at once, whatever a cycle waits for."""
        if self.latest is None or self._calm is None:
            return
        now = self._around.reflex(self.latest.snapshot, self._calm)
        self._actuators.hurry(now.batteries)

    async def run(self) -> None:
        """Control until cancelled; the last setpoints are left to lapse in the devices."""
        async with asyncio.TaskGroup() as group:
            for lane in (*self._actuators.runs(), *self._functions.runs()):
                group.create_task(lane)
            while True:
                self._changed.clear()
                await self.cycle()
                await self._clock.sleep(_SPACING_S)
                await first_of(self._clock.sleep(self._pause_s()), self._changed.wait())

    async def cycle(self) -> None:
        """One snapshot, one decision, brought to the devices."""
        now = self._clock.now()
        snapshot = self._around.picture(self._observer.snapshot(now))
        operator = () if self._telecontrol is None else self._telecontrol.standings()
        limits = limits_at(self._model, self._instructions.held, now, operator)
        envelope = self._around.envelope(limits, snapshot)
        guidance = NO_GUIDANCE if self._guide is None else self._guide(snapshot, envelope)
        chosen = None if self._chooser is None else self._chooser(snapshot, envelope)
        self._calm = decide(snapshot, envelope, self._policy, guidance, chosen)
        decision = self._around.reflex(snapshot, self._calm)
        asked = functions_at(self._instructions.held, now)
        self._functions.ask(asked, now, own=self._around.functions())
        unheld = self._functions.unheld()
        self.latest = Cycle(
            snapshot=snapshot,
            decision=decision,
            unheld=unheld,
            operator=operator,
            guidance=guidance,
            triage=chosen,
            mode=self._around.mode(snapshot, decision),
        )
        self._note(decision)
        if self._heard is not None:
            self._heard(self.latest)
        outcome = await self._actuators.apply(decision)
        self._remember(snapshot)
        if outcome.complete:
            self._instructions.accepted(now, _words(outcome), self._functions.held())

    def _remember(self, snapshot: SiteSnapshot) -> None:
        """What batteries and PV have accepted."""
        for inverter in snapshot.pv:
            limit = self._actuators.pv[inverter.spec.pv_id].accepted
            if limit is not None:
                self._observer.pv_accepted(limit.pv_id, limit.limit_w, self._clock.now())
        for battery in snapshot.batteries:
            held = self._actuators.batteries[battery.spec.battery_id].accepted
            if held is not None:
                self._observer.battery_accepted(battery, held.power_w, self._clock.now())

    def _pause_s(self) -> float:
        now: datetime = self._clock.now()
        change = self._instructions.next_change(now)
        until = CYCLE_S if change is None else (change - now).total_seconds()
        return max(0.0, min(CYCLE_S, until) - _SPACING_S)

    def _note(self, decision: Decision) -> None:
        if decision.binding != self._binding:
            self._binding = decision.binding
            log.info("control", binding=decision.binding)


def _words(outcome: Outcome) -> str:
    if not outcome.without:
        return "accepted by every device"
    return f"accepted, except by {', '.join(outcome.without)} (offline or without answer)"
