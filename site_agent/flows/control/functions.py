"""Autonomous functions to the inverters, when they change and to renew their timers.

Beside the setpoints and never in their way: every inverter has a lane of its own for them, asking
takes no time, and nothing waits for the answer. A control loop that has died no longer asks, and
the inverters' own timers end what it wanted.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.inverter import InverterFunction, Inverters, slot
from contracts.time import Clock
from site_agent.domain.functions import Assignment, Unheld, assign, homeless
from site_agent.domain.instruction import FunctionsHeld
from site_agent.domain.site import ROOT
from site_agent.flows.control.lane import Lane
from site_agent.flows.control.observer import Devices
from site_agent.ports import AutonomousFunctions, Battery, PvInverter

REFRESH_S = 100.0
"""How often functions in force are asked for again; whoever stops asking lets the timers end."""
_PATIENCE_S = 60.0
_TIMEOUT_S = 300.0
"""Some ten curves, and an inverter may take half a minute to adopt one."""

OWN = "own_settings"
"""In a notice: the inverter should have gone back to what it had."""

_Functions = tuple[InverterFunction, ...]


@dataclass(slots=True)
class _Inverter:
    """One battery or PV inverter and the way of functions to it."""

    device_id: str
    kind: Inverters
    device: Battery | PvInverter
    lane: Lane[_Functions] | None = None
    """None: it knows no functions."""
    wanted: Assignment = field(default_factory=Assignment)
    refused: Mapping[str, str] = field(default_factory=dict)
    answers: bool = False
    doubted: bool = True
    """It has been away: what it does is not known."""

    @property
    def settled(self) -> bool:
        """Whether it has answered to what is wanted now."""
        lane = self.lane
        return lane is None or (lane.accepted == self.wanted.functions and not self.doubted)


class Functions:
    """Brings functions to the inverters and tells what has become of them."""

    def __init__(self, devices: Devices, clock: Clock) -> None:
        self._clock = clock
        self._asked: tuple[InverterFunction, ...] = ()
        self._own: tuple[InverterFunction, ...] = ()
        batteries = [_Inverter(b.spec.battery_id, Inverters.STORAGE, b) for b in devices.batteries]
        pv = [_Inverter(p.spec.pv_id, Inverters.GENERATION, p) for p in devices.pv]
        self._inverters = (*batteries, *pv)
        for one in self._inverters:
            port = devices.functions.get(one.device_id)
            one.lane = None if port is None else self._lane(one, port)

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What must run for anything to be sent."""
        return [one.lane.run() for one in self._inverters if one.lane is not None]

    def ask(
        self,
        asked: Sequence[InverterFunction],
        now: datetime,
        own: Sequence[InverterFunction] = (),
    ) -> None:
        """Every cycle: what is in force, in order of `site_seq`; sends what has changed or is due.

        `own`: what the site itself would like, from inverters that can; what utilities ask for goes
        before it, and nobody is told where it is not done.

        An inverter that is offline is left alone, and asked at once when it is back, since it may
        have lost what it had.
        """
        self._asked, self._own = tuple(asked), tuple(own)
        for one in self._inverters:
            wanted = asked if one.lane is None else (*own, *asked)
            one.wanted = assign(wanted, one.kind)
            one.answers = one.device.state(now).online
            if not one.answers:
                one.doubted = True
            elif one.lane is not None and self._due(one, one.lane):
                one.lane.ask(one.wanted.functions)

    def held(self) -> FunctionsHeld:
        """How far they have got, for the instructions that ask for them."""
        unheld = self.unheld()
        return FunctionsHeld(
            settled=all(one.settled for one in self._inverters if self._able(one)),
            slots=frozenset(
                slot(function)
                for one in self._inverters
                if one.lane is not None and one.settled
                for function in one.wanted.functions
                if slot(function) not in one.refused
            ),
            without=", ".join(f"{one.slot} not done by {one.subject}" for one in unheld),
        )

    def doing(self, name: str) -> frozenset[str]:
        """The devices that do what is asked for in this slot."""
        return frozenset(
            one.device_id
            for one in self._inverters
            if one.lane is not None
            and one.answers
            and one.settled
            and name not in one.refused
            and any(slot(function) == name for function in one.wanted.functions)
        )

    def unheld(self) -> tuple[Unheld, ...]:
        """What is asked for and not done."""
        kinds = {one.kind for one in self._inverters}
        here = (found for one in self._inverters for found in self._unheld(one))
        return (*homeless(self._asked, kinds, ROOT), *here)

    def _lane(self, one: _Inverter, port: AutonomousFunctions) -> Lane[_Functions]:
        async def send(functions: _Functions) -> None:
            one.refused = await port.hold(functions)
            one.doubted = False

        name = f"{one.device_id} functions"
        return Lane(name, send, clock=self._clock, patience_s=_PATIENCE_S, timeout_s=_TIMEOUT_S)

    def _due(self, one: _Inverter, lane: Lane[_Functions]) -> bool:
        old = self._clock.monotonic() - lane.accepted_s >= REFRESH_S
        return not one.settled or (old and bool(one.wanted.functions))

    def _able(self, one: _Inverter) -> bool:
        return one.answers and (one.lane is None or one.lane.failure is None)

    def _unheld(self, one: _Inverter) -> Iterator[Unheld]:
        for name, winner in one.wanted.displaced:
            yield Unheld(subject=one.device_id, slot=name, reason=f"{winner} excludes it")
        if one.answers and one.lane and one.lane.failure and not one.wanted.functions:
            reason = f"not back yet: {one.lane.failure}"
            yield Unheld(subject=one.device_id, slot=OWN, reason=reason, refused=False)
        for function in one.wanted.functions:
            name = slot(function)
            if function in self._own and function not in self._asked:
                continue
            if one.lane is None:
                reason = "this device knows no autonomous functions"
                yield Unheld(subject=one.device_id, slot=name, reason=reason)
            elif not one.settled or one.lane.failure is not None:
                reason = one.lane.failure or "not confirmed yet"
                yield Unheld(subject=one.device_id, slot=name, reason=reason, refused=False)
            elif name in one.refused:
                yield Unheld(subject=one.device_id, slot=name, reason=one.refused[name])
