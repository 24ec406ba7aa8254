"""Bring a decision to the devices: first what lowers load or PV, all at once, then what raises it.

Raises of load go before raises of PV, so that a battery gives less before PV makes more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.domain.decide.control import Decision
from site_agent.domain.device import BatterySetpoint, ChargerSetpoint, PvSetpoint
from site_agent.flows.control.lane import Lane
from site_agent.flows.control.observer import Devices

REFRESH_S = 20.0
"""A charger's limit is asked for again this often; who stops asking lets its lease end."""
PATIENCE_S = 2.0
"""How long raises wait for falls; a device slower than this is counted at its worst meanwhile."""
_SAME_A = 0.15
_SAME_W = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How far a decision has reached the devices."""

    complete: bool
    """Every device that takes setpoints at all holds its own; free PV does not count."""
    without: tuple[str, ...]
    """Devices that are offline, or that failed to take theirs."""


@dataclass(frozen=True, slots=True)
class _Move:
    lane: Lane[Any]
    setpoint: ChargerSetpoint | BatterySetpoint | PvSetpoint


class Actuators:
    """One lane per device."""

    def __init__(self, devices: Devices, clock: Clock) -> None:
        self._devices = devices
        self._clock = clock
        self.chargers = {
            c.spec.evse_id: Lane[ChargerSetpoint](c.spec.evse_id, c.set_limit, clock=clock)
            for c in devices.chargers
        }
        self.batteries = {
            b.spec.battery_id: Lane[BatterySetpoint](b.spec.battery_id, b.set_power, clock=clock)
            for b in devices.batteries
        }
        self.pv = {
            p.spec.pv_id: Lane[PvSetpoint](p.spec.pv_id, p.set_limit, clock=clock)
            for p in devices.pv
        }

    def is_silent(self, device_id: str) -> bool:
        """Whether a device does not take setpoints."""
        lane: Lane[Any] = (self.chargers | self.batteries | self.pv)[device_id]
        return lane.silent

    def accepted_a(self, evse_id: str) -> float | None:
        """The limit a charger has last accepted from us, A."""
        accepted = self.chargers[evse_id].accepted
        return None if accepted is None else accepted.limit_a

    def under_way_a(self, evse_id: str) -> float | None:
        """The limit a charger may take at any moment, A; None: none is under way."""
        under_way = self.chargers[evse_id].under_way
        return None if under_way is None else under_way.limit_a

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What must run for anything to be sent."""
        lanes: list[Lane[Any]] = [*self.chargers.values(), *self.batteries.values()]
        return [lane.run() for lane in [*lanes, *self.pv.values()]]

    async def apply(self, decision: Decision) -> Outcome:
        """Send what has changed or must be told again.

        Raises follow only once every fall has been accepted; otherwise the next cycle decides
        anew.
        """
        for moves in self._moves(decision):
            if not await self._send(moves):
                break
        return self._outcome(decision)

    def hurry(self, setpoints: Iterable[BatterySetpoint]) -> None:
        """Ask batteries that have held something already for this, without waiting for anything.

        One that is busy, offline or resting is asked by the next cycle.
        """
        now = self._clock.now()
        online = {b.spec.battery_id for b in self._devices.batteries if b.state(now).online}
        for setpoint in setpoints:
            lane = self.batteries[setpoint.battery_id]
            held_w = None if lane.accepted is None else lane.accepted.power_w
            known = held_w is not None and setpoint.battery_id in online
            if known and abs(setpoint.power_w - (held_w or 0.0)) > _SAME_W:
                lane.ask(setpoint)

    def _moves(self, decision: Decision) -> tuple[list[_Move], ...]:
        falls: list[_Move] = []
        rises: list[_Move] = []
        freed: list[_Move] = []
        now = self._clock.now()
        for charger, setpoint in zip(self._devices.chargers, decision.chargers, strict=True):
            state = charger.state(now)
            takes = state.controllable or setpoint.limit_a <= 0  # one without limits: only a stop
            if state.online and takes and self._must_tell(setpoint):
                move = _Move(self.chargers[setpoint.evse_id], setpoint)
                (rises if setpoint.limit_a > state.granted_a else falls).append(move)
        for battery, power in zip(self._devices.batteries, decision.batteries, strict=True):
            if battery.state(now).online:
                lane_b = self.batteries[power.battery_id]
                held_w = lane_b.accepted.power_w if lane_b.accepted else 0.0
                falling = power.power_w < held_w - _SAME_W
                (falls if falling else rises).append(_Move(lane_b, power))
        for inverter, limit in zip(self._devices.pv, decision.pv, strict=True):
            if inverter.state(now).online:
                lane_p = self.pv[limit.pv_id]
                (falls if _lowers(lane_p.accepted, limit) else freed).append(_Move(lane_p, limit))
        return falls, rises, freed

    def _must_tell(self, setpoint: ChargerSetpoint) -> bool:
        lane = self.chargers[setpoint.evse_id]
        if lane.accepted is None:
            return True
        changed = abs(lane.accepted.limit_a - setpoint.limit_a) >= _SAME_A
        return changed or self._clock.monotonic() - lane.accepted_s >= REFRESH_S

    async def _send(self, moves: Iterable[_Move]) -> bool:
        """Ask all at once and wait a little; whether all of them accepted."""
        asked = [move.lane for move in moves if move.lane.ask(move.setpoint)]
        if asked:
            await first_of(_all_answered(asked), self._clock.sleep(PATIENCE_S))
        return not any(lane.silent for lane in asked)

    def _outcome(self, decision: Decision) -> Outcome:
        answers = list(self._answers(decision))
        return Outcome(
            complete=all(holds or not able for _, able, holds in answers),
            without=tuple(device_id for device_id, able, _ in answers if not able),
        )

    def _answers(self, decision: Decision) -> Iterator[tuple[str, bool, bool]]:
        """(device, whether it takes setpoints, whether it holds its own); free PV is left out."""
        now = self._clock.now()
        for charger, limit in zip(self._devices.chargers, decision.chargers, strict=True):
            state = charger.state(now)
            unfailing = self.chargers[limit.evse_id].failure is None
            able = unfailing and state.online and state.controllable
            yield limit.evse_id, able, not self._must_tell(limit)
        for battery, power in zip(self._devices.batteries, decision.batteries, strict=True):
            lane_b = self.batteries[power.battery_id]
            able, held_b = lane_b.failure is None and battery.state(now).online, lane_b.accepted
            holds = held_b is not None and abs(held_b.power_w - power.power_w) <= _SAME_W
            yield power.battery_id, able, holds
        for inverter, most in zip(self._devices.pv, decision.pv, strict=True):
            lane_p = self.pv[most.pv_id]
            able = lane_p.failure is None and inverter.state(now).online
            if most.limit_w is not None:
                yield most.pv_id, able, not _lowers(lane_p.accepted, most)


def _lowers(held: PvSetpoint | None, wanted: PvSetpoint) -> bool:
    """Whether PV may make less than before."""
    if wanted.limit_w is None:
        return False
    return held is None or held.limit_w is None or wanted.limit_w < held.limit_w - _SAME_W


async def _all_answered(lanes: Iterable[Lane[Any]]) -> None:
    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(lane.answered())
