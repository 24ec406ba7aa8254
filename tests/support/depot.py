"""A depot made of small physics, behind the site agent's device ports, on any clock.

Currents follow limits after `follow_s`, chargers sample every `sample_s` (so their readings are
older than the meter's), and answers take `latency_s`: what makes control hard in the field.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.errors import PermanentError, TransientError
from contracts.power import NOMINAL_VOLTAGE_V
from contracts.reading import Reading
from contracts.time import Clock
from site_agent.domain.device import (
    PHASES,
    BatterySetpoint,
    BatterySpec,
    BatteryState,
    ChargerSetpoint,
    ChargerSpec,
    ChargerState,
    Lapse,
    MeterState,
    PvSetpoint,
    PvSpec,
    PvState,
)
from support.site import reading

STEP_S = 0.25
JITTER_W = 15.0
"""What a meter shows is never quite still."""


@dataclass
class Vehicle:
    """What is plugged in."""

    capacity_wh: float = 80_000.0
    soc_pct: float = 30.0
    max_a: float = 32.0
    phases: int = 3
    tag: str | None = None


@dataclass
class FakeCharger:
    """A charger and its vehicle."""

    spec: ChargerSpec
    clock: Clock
    vehicle: Vehicle | None = field(default_factory=Vehicle)
    follow_s: float = 1.0
    sample_s: float = 5.0
    latency_s: float = 0.1
    online: bool = True
    ignores: bool = False
    """Accepts every limit and draws what it likes."""
    hangs: bool = False
    """Never answers."""
    refuses: bool = False
    limit_a: float | None = None
    since: datetime | None = None
    drawn_a: float = 0.0
    energy_wh: float = 0.0
    told: list[ChargerSetpoint] = field(default_factory=list)
    _sample: tuple[float, float, datetime] | None = None

    async def set_limit(self, setpoint: ChargerSetpoint) -> None:
        self.told.append(setpoint)
        if self.hangs:
            await asyncio.Event().wait()
        await self.clock.sleep(self.latency_s)
        if not self.online:
            raise TransientError("offline")
        if self.refuses:
            raise PermanentError("no profile of any kind")
        if setpoint.limit_a != self.limit_a:
            self.limit_a, self.since = setpoint.limit_a, self.clock.now()

    def state(self, now: datetime) -> ChargerState:
        drawn, power, at = self._sample or (0.0, 0.0, now)
        vehicle = self.vehicle
        return ChargerState(
            spec=self.spec,
            online=self.online,
            plugged=vehicle is not None,
            transaction_id="t" if vehicle else None,
            id_tag=vehicle.tag if vehicle else None,
            power_w=reading(power, at),
            current_a=reading(drawn, at),
            energy_wh=reading(self.energy_wh, at),
            soc_pct=reading(vehicle.soc_pct if vehicle else None, at),
            confirmed_limit_a=self.limit_a,
            limit_in_force_since=self.since,
        )

    @property
    def power_w(self) -> float:
        phases = min(len(self.spec.phases), self.vehicle.phases) if self.vehicle else 0
        return self.drawn_a * phases * self.spec.voltage_v

    def phase_a(self, phase: int) -> float:
        used = self.spec.phases[: self.vehicle.phases] if self.vehicle else ()
        return self.drawn_a if phase in used else 0.0

    def step(self, now: datetime, seconds: float) -> None:
        wanted = self._wanted_a(now)
        self.drawn_a += (wanted - self.drawn_a) * min(1.0, seconds / max(seconds, self.follow_s))
        if self.vehicle:
            charged = self.power_w * seconds / 3600
            self.energy_wh += charged
            self.vehicle.soc_pct += 100 * charged / self.vehicle.capacity_wh
        due = self._sample is None or (now - self._sample[2]).total_seconds() >= self.sample_s
        if due and self.online:
            self._sample = (self.drawn_a, self.power_w, now)

    def shift_samples(self, seconds: float) -> None:
        """Let it sample so much earlier than the others."""
        self._sample = (0.0, 0.0, self.clock.now() - timedelta(seconds=seconds))

    def _wanted_a(self, now: datetime) -> float:
        if self.vehicle is None or self.vehicle.soc_pct >= 100:
            return 0.0
        most = min(self.vehicle.max_a, self.spec.max_current_a)
        if self.ignores:
            return most
        limit_a = self.spec.fail_safe_current_a if self.limit_a is None else self.limit_a
        return min(most, limit_a) if limit_a >= self.spec.min_current_a else 0.0


@dataclass
class FakeBattery:
    """A battery that follows within a second, while it is told to within its lease (if any)."""

    spec: BatterySpec
    clock: Clock
    soc_pct: float = 60.0
    online: bool = True
    stuck: bool = False
    """Accepts, but gives nothing."""
    lease_s: float = 30.0
    balance_w: float | None = None
    """In an island: what it has to take (negative: give), whatever it is told; None: no island."""
    power_w: float = 0.0
    told: list[BatterySetpoint] = field(default_factory=list)
    _held: tuple[float, float] = (0.0, float("-inf"))
    _sample: tuple[float, datetime] | None = None

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        self.told.append(setpoint)
        await self.clock.sleep(0.05)
        if not self.online:
            raise TransientError("offline")
        self._held = (setpoint.power_w, self.clock.monotonic())

    def state(self, now: datetime) -> BatteryState:
        power, at = self._sample or (0.0, now)
        return BatteryState(
            spec=self.spec,
            online=self.online,
            power_w=reading(power, at),
            soc_pct=reading(self.soc_pct, at),
            islanded=self.balance_w is not None,
        )

    async def run(self) -> None:
        await asyncio.Event().wait()

    def step(self, now: datetime, seconds: float) -> None:
        asked, told_s = self._held
        ends = self.spec.lapse is Lapse.DEVICE
        lapsed = ends and self.clock.monotonic() - told_s > self.lease_s
        wanted = 0.0 if self.stuck or lapsed else asked
        self.power_w += (wanted - self.power_w) * 0.6
        if self.balance_w is not None:
            self.power_w = self.balance_w
        self.soc_pct += 100 * self.power_w * seconds / 3600 / self.spec.capacity_wh
        if self.online and (self._sample is None or (now - self._sample[1]).total_seconds() >= 1.0):
            self._sample = (self.power_w, now)


@dataclass
class FakePv:
    """An inverter under a sky."""

    spec: PvSpec
    clock: Clock
    sun_w: float = 0.0
    limit_w: float | None = None
    refuses: bool = False
    """Takes no limit."""
    changed: list[tuple[datetime, float | None]] = field(default_factory=list)

    async def set_limit(self, setpoint: PvSetpoint) -> None:
        if self.refuses:
            raise PermanentError("no controls")
        if setpoint.limit_w != self.limit_w:
            self.changed.append((self.clock.now(), setpoint.limit_w))
        self.limit_w = setpoint.limit_w

    @property
    def power_w(self) -> float:
        return -min(self.sun_w, self.sun_w if self.limit_w is None else self.limit_w)

    def state(self, now: datetime) -> PvState:
        return PvState(spec=self.spec, online=True, power_w=reading(self.power_w, now))

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class MeterFaults:
    """What is wrong with the meter at the connection point; nothing, to begin with."""

    frozen: bool = False
    sign: float = 1.0
    scale: float = 1.0
    """Of its power and currents."""
    registers_scale: float = 1.0
    lag_s: float = 0.0
    dead_phase: int | None = None
    """It has lost the voltage of this phase: no current, no power of it."""
    silent_phase: int | None = None
    """It no longer tells the current of this phase."""
    resolution_w: float = 0.0
    register_wh: float = 1.0
    no_registers: bool = False

    def reading(
        self, truth_w: Sequence[float], import_wh: float, export_wh: float, at: datetime
    ) -> MeterState:
        factor = self.sign * self.scale
        watts = [0.0 if n == self.dead_phase else w for n, w in enumerate(truth_w, start=1)]
        amps: list[float | None] = [w * factor / NOMINAL_VOLTAGE_V for w in watts]
        if self.silent_phase is not None:
            amps[self.silent_phase - 1] = None
        one, two, three = (reading(current, at) for current in amps)
        return MeterState(
            power_w=reading(rounded(sum(watts) * factor, self.resolution_w), at),
            current_a=(one, two, three),
            import_wh=reading(self._register(import_wh), at),
            export_wh=reading(self._register(export_wh), at),
        )

    def _register(self, wh: float) -> float:
        if self.no_registers:
            return 0.0
        return wh * self.registers_scale // self.register_wh * self.register_wh


def rounded(value: float, resolution: float) -> float:
    return round(value / resolution) * resolution if resolution else value


def replace_times(state: MeterState, at: datetime) -> MeterState:
    """The same values, read later."""
    one, two, three = (replace(current, at=at) for current in state.current_a)
    return replace(
        state,
        power_w=replace(state.power_w, at=at),
        current_a=(one, two, three),
        import_wh=replace(state.import_wh, at=at),
        export_wh=None if state.export_wh is None else replace(state.export_wh, at=at),
        voltage_v=None if state.voltage_v is None else replace(state.voltage_v, at=at),
        frequency_hz=None if state.frequency_hz is None else replace(state.frequency_hz, at=at),
    )


class FakeDepot:
    """All devices and the building; its meter sees the sum. `run` makes time pass in it."""

    def __init__(
        self,
        clock: Clock,
        chargers: Iterable[FakeCharger] = (),
        batteries: Iterable[FakeBattery] = (),
        pv: Iterable[FakePv] = (),
        building_w: float = 10_000.0,
    ) -> None:
        self.clock = clock
        self.chargers: Sequence[FakeCharger] = tuple(chargers)
        self.batteries: Sequence[FakeBattery] = tuple(batteries)
        self.pv: Sequence[FakePv] = tuple(pv)
        self.building_w = building_w
        self.meter_works = True
        self.hertz = 50.0
        self.grid_away = False
        """The batteries carry everything; the meter has no voltage."""
        self.meter = MeterFaults()
        self.import_wh = self.export_wh = 1_000_000.0
        """What has really flowed, W h."""
        self.trace: list[tuple[datetime, float]] = []
        """(instant, power at the PCC)"""
        self._metered: MeterState | None = None
        self._shown: deque[tuple[datetime, MeterState]] = deque()

    @property
    def load_w(self) -> float:
        """Chargers, and batteries that charge."""
        batteries = sum(max(0.0, battery.power_w) for battery in self.batteries)
        return sum(charger.power_w for charger in self.chargers) + batteries

    @property
    def generation_w(self) -> float:
        """PV, and batteries that discharge."""
        batteries = sum(min(0.0, battery.power_w) for battery in self.batteries)
        return batteries + sum(inverter.power_w for inverter in self.pv)

    @property
    def pcc_w(self) -> float:
        if self.grid_away:
            return 0.0
        return self.building_w + sum(charger.power_w for charger in self.chargers) + self._der_w

    def state(self, now: datetime) -> MeterState:
        if self._metered is None:
            missing = Reading.missing(now)
            return MeterState(power_w=missing, current_a=(missing,) * 3, import_wh=missing)
        return self._metered

    async def run(self) -> None:
        while True:
            self.step()
            await self.clock.sleep(STEP_S)

    def step(self) -> None:
        now = self.clock.now()
        for charger in self.chargers:
            charger.step(now, STEP_S)
        for battery in self.batteries:
            battery.balance_w = self._balance_w() if self.grid_away else None
            battery.step(now, STEP_S)
        self.trace.append((now, self.pcc_w))
        self.import_wh += max(0.0, self.pcc_w) * STEP_S / 3600
        self.export_wh += max(0.0, -self.pcc_w) * STEP_S / 3600
        if self.meter_works:
            self._metered = self._read(now)

    def _read(self, now: datetime) -> MeterState:
        """What the meter shows, with its faults."""
        jitter_w = JITTER_W * math.sin(self.clock.monotonic() * 1.7)
        truth = [self._phase_a(phase) * NOMINAL_VOLTAGE_V + jitter_w / 3 for phase in PHASES]
        if self.grid_away:
            truth = [0.0 for _ in PHASES]
        one = replace(
            self.meter.reading(truth, self.import_wh, self.export_wh, now),
            voltage_v=reading(0.0 if self.grid_away else NOMINAL_VOLTAGE_V, now),
            frequency_hz=reading(0.0 if self.grid_away else self.hertz, now),
        )
        self._shown.append((now, one))
        while now - self._shown[0][0] > timedelta(seconds=self.meter.lag_s):
            self._shown.popleft()
        late = self._shown[0][1]
        shown = replace_times(late, now)
        if self.meter.frozen and self._metered is not None:
            shown = replace_times(self._metered, now)
        return shown

    def _balance_w(self) -> float:
        """Each battery's share of what the rest of the island makes beyond what it draws, W."""
        chargers = sum(charger.power_w for charger in self.chargers)
        made = sum(inverter.power_w for inverter in self.pv)
        return -(self.building_w + chargers + made) / len(self.batteries)

    def peak_w(self, since: datetime, until: datetime) -> float:
        return max(power for at, power in self.trace if since <= at < until)

    def mean_w(self, since: datetime, until: datetime) -> float:
        values = [power for at, power in self.trace if since <= at < until]
        return sum(values) / len(values)

    def over_s(self, limit_w: float, since: datetime) -> float:
        """For how long the limit was exceeded, s."""
        return sum(STEP_S for at, power in self.trace if at >= since and power > limit_w)

    @property
    def _der_w(self) -> float:
        batteries = sum(battery.power_w for battery in self.batteries)
        return batteries + sum(inverter.power_w for inverter in self.pv)

    def _phase_a(self, phase: int) -> float:
        balanced = self.building_w + self._der_w
        chargers = sum(charger.phase_a(phase) for charger in self.chargers)
        return chargers + balanced / (3 * NOMINAL_VOLTAGE_V)


def unplug(charger: FakeCharger) -> None:
    charger.vehicle = None
    charger.drawn_a = 0.0
