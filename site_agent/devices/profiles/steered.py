"""A device that is also written by its profile, as a `Controllable`.

**When the agent dies** the device ends the setpoint `lapse.seconds` after the last write or
heartbeat, as its profile says, or keeps it (`lapse: none`, which the spec of the device shows and
which derates the site). The heartbeat ends half a lapse after setpoints are no longer asked for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.points.units import from_canonical
from site_agent.devices.points.vocabulary import CONTROLS
from site_agent.devices.polling import Poller
from site_agent.devices.profiles.codec import as_register, by_sign, decode, encode
from site_agent.devices.profiles.schema import BySign, Control, Lapse, Profile, Register, Step
from site_agent.devices.profiles.source import ProfileSource
from site_agent.ports import Wake

_LOOKS = 3
_PAUSE_S = 0.3
"""Between looks: devices take a moment until they show what they have been told."""
_BEATS = 0xFFFF
_LIMITS = ("current_limit", "power_limit")

Written = tuple[Step, float]


class SteeredSource(ProfileSource):
    """Writes a control's steps in order, and reads back those that can be read."""

    def __init__(
        self,
        profile: Profile,
        link: RegisterLink,
        *,
        name: str,
        clock: Clock,
        wake: Wake,
        unit_id: int | None = None,
        fail_safe_a: float = 0.0,
    ) -> None:
        super().__init__(profile, link, name=name, clock=clock, wake=wake, unit_id=unit_id)
        self._fail_safe_a = fail_safe_a
        self._writing = asyncio.Lock()
        self._held: float | None = None
        self._told_s = -math.inf
        self._beats = 0

    @property
    def lapse_s(self) -> float | None:
        """Seconds after which the device drops a setpoint by itself; None: it never does."""
        lapse = self._profile.lapse
        return lapse.seconds if isinstance(lapse, Lapse) else None

    async def run(self) -> None:
        """Read, and keep the heart beating while setpoints are in force, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            if self._profile.heartbeat is not None:
                tasks.create_task(self._heart(self._profile.heartbeat.every).run())

    async def write(self, control: str, value: float | None) -> None:
        """Write a control; None releases it. Returns when the device shows that it has it.

        Raises:
            TransientError: no answer, or it does not show what was written.
            PermanentError: refused, or the device has no such control.
            ProtocolError: it is another device than that of the profile.
        """
        wanted = self._profile.controls.get(control)
        if wanted is None:
            raise PermanentError(f"{self._name} has no control {control}")
        async with self._writing:
            await self._recognise()
            priority = self._priority(control, value)
            steps = wanted.release if value is None else wanted.write
            written = await self._numbers(control, wanted, steps, value)
            self._held = value  # from its first step on it may be in force
            self._told_s = self._clock.monotonic()
            await self._beat(priority)
            await self._write_all(written, priority)

    def _priority(self, control: str, value: float | None) -> Priority:
        """A limit that falls, or one that is the first, goes before everything else."""
        falls = value is not None and (self._held is None or value < self._held)
        return Priority.SAFETY if control in _LIMITS and falls else Priority.CONTROL

    def _heart(self, every_s: float) -> Poller:
        async def beat() -> None:
            if self._held is not None and self._alive():
                await self._beat(Priority.CONTROL)

        return Poller(
            f"{self._name} (heartbeat)",
            beat,
            period_s=every_s,
            clock=self._clock,
            wake=self._wake,
        )

    def _alive(self) -> bool:
        """Whether setpoints are still asked for: they come again at a third of the lapse."""
        lapse_s = self.lapse_s
        silence_s = self._clock.monotonic() - self._told_s
        return lapse_s is None or silence_s <= lapse_s / 2

    async def _beat(self, priority: Priority) -> None:
        heartbeat = self._profile.heartbeat
        if heartbeat is None:
            return
        self._beats = (self._beats + 1) % _BEATS
        written = [(step, self._plain(step, float(self._beats))) for step in heartbeat.write]
        await self._write_all(written, priority)

    async def _numbers(
        self, name: str, control: Control, steps: Sequence[Step], value: float | None
    ) -> list[Written]:
        wanted = 0.0 if value is None else value
        if control.at_rest is not None and control.at_rest[0] <= wanted < control.at_rest[1]:
            wanted = control.at_rest[0]
        if control.invert:
            wanted = 0.0 - wanted
        base = await self._base(control) if any(s.put == "percent" for s in steps) else 0.0
        told = from_canonical(wanted, control.unit or CONTROLS[name].unit)
        numbers = {"value": told, "magnitude": abs(told), "percent": 100.0 * wanted / (base or 1.0)}
        return [
            (step, self._plain(step, numbers.get(str(step.put), 0.0), wanted)) for step in steps
        ]

    def _plain(self, step: Step, number: float, setpoint: float = 0.0) -> float:
        """The number a step writes; `number` is what its word stands for, if it depends."""
        if isinstance(step.put, BySign):
            return by_sign(step.put, setpoint)
        if isinstance(step.put, float):
            return step.put
        own = {"lapse": self.lapse_s or 0.0, "fail_safe": self._fail_safe_a}
        return own.get(step.put, number)

    async def _base(self, control: Control) -> float:
        base = control.base
        if isinstance(base, Register):
            base = (await self.numbers([base], Priority.CONTROL))[base]
        if base is None or base <= 0:
            raise TransientError(f"{self._name} does not say what its maximum is")
        return base

    async def _write_all(self, written: Sequence[Written], priority: Priority) -> None:
        for step, number in written:
            await self._write_one(step, number, priority)
        for look in range(_LOOKS):
            lost = await self._lost(written, priority)
            if not lost:
                return
            if look < _LOOKS - 1:
                await self._clock.sleep(_PAUSE_S)
        where = ", ".join(str(step.address) for step in lost)
        raise TransientError(f"{self._name} did not keep what was written to {where}")

    async def _write_one(self, step: Step, number: float, priority: Priority) -> None:
        unit = self._unit_id if step.unit_id is None else step.unit_id
        words = encode(step, number, self._profile.defaults)
        if step.table == "coil":
            await self._link.write_coil(unit, step.address, bool(words[0]), priority=priority)
        elif step.single:
            await self._link.write_register(unit, step.address, words[0], priority=priority)
        else:
            await self._link.write_registers(unit, step.address, words, priority=priority)

    async def _lost(self, written: Sequence[Written], priority: Priority) -> list[Step]:
        """The steps whose registers do not read what was last written to them."""
        last = {step.address: (step, number) for step, number in written}
        kept = [(step, number) for step, number in last.values() if step.verify]
        if not kept:
            return []
        registers = {step: as_register(step) for step, _ in kept}
        shown = await self.numbers(registers.values(), priority)
        return [
            step for step, number in kept if not self._shows(step, number, shown[registers[step]])
        ]

    def _shows(self, step: Step, number: float, shown: float | None) -> bool:
        words = encode(step, number, self._profile.defaults)
        meant = decode(as_register(step), words, self._profile.defaults)
        if shown is None or meant is None:
            return False
        return abs(shown - meant) <= step.slack + 1e-6 * abs(meant)


def source_of(
    profile: Profile,
    link: RegisterLink,
    *,
    name: str,
    clock: Clock,
    wake: Wake,
    unit_id: int | None = None,
    fail_safe_a: float = 0.0,
) -> ProfileSource:
    """The source of a profile; one with controls is a `Controllable`."""
    if not profile.controls:
        return ProfileSource(profile, link, name=name, clock=clock, wake=wake, unit_id=unit_id)
    return SteeredSource(
        profile,
        link,
        name=name,
        clock=clock,
        wake=wake,
        unit_id=unit_id,
        fail_safe_a=fail_safe_a,
    )
