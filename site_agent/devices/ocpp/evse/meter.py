"""What one EVSE's meter says now: samples of the present only, with quality and age."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from contracts.power import power_from_current_w
from contracts.reading import Quality, Reading
from site_agent.devices.freshness import Freshness
from site_agent.devices.ocpp.evse.clock_offset import ClockOffset
from site_agent.devices.ocpp.limits.profiles import Supply
from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.domain.device import ChargerSpec

_WINDOW = timedelta(seconds=30)
"""The slope is taken over about this span: shorter, and a coarse register makes it jump."""
_APART = timedelta(seconds=1)
"""Between readings that are remembered for the slope: who floods us is not remembered whole."""
_LOST_AFTER = timedelta(seconds=120)
_SLOW = Freshness(stale_after=timedelta(minutes=5), lost_after=timedelta(hours=1))
"""Energy and state of charge stay meaningful longer."""
_IMPLAUSIBLE = 3.0
"""Times rated power or current: no EVSE does that."""
_LOADED_A = 2.0
"""A phase that carries this is in use; less may be electronics, or too coarse to tell."""
_SURELY = 2
"""Samples in a row that must agree on the phases in use."""
_VOLTAGE_SHARE = 0.15
"""How far a voltage may be off the nominal one and still be believed."""
_MOVES_V = 5.0
"""A voltage that moves by less is taken as the same."""
_DEAD_POWER_W = 100.0
_LIVE_SLOPE_W = 1000.0


class Meter:
    """Readings of one EVSE; outside of a sample's age they say so themselves."""

    def __init__(self, spec: ChargerSpec, interval_s: float) -> None:
        self._freshness = Freshness(
            stale_after=timedelta(seconds=2 * interval_s + 5), lost_after=_LOST_AFTER
        )
        self._most_a = _IMPLAUSIBLE * spec.max_current_a
        self.most_w = power_from_current_w(self._most_a, len(spec.phases), spec.voltage_v)
        """More than this is no measurement."""
        self.clock = ClockOffset()
        self._newest: datetime | None = None
        self._power: Reading | None = None
        self._current: Reading | None = None
        self._soc: Reading | None = None
        self._fed_back: tuple[float, float] | None = None
        """The register of what was fed back: first seen of this vehicle, and now; Wh."""
        self._spec = spec
        self._voltage_v = spec.voltage_v
        self._supply = Supply.of(spec)
        self._phases_seen: tuple[int, int] = (0, 0)
        self.phases_used: int | None = None
        """Phases the vehicle has been seen to draw on; None: not known."""
        self._register: deque[tuple[datetime, float]] = deque()
        self._slope_before: Reading | None = None
        """The slope when the readings before a new limit were forgotten."""
        self._slope_anew = False
        self._dead_from: tuple[datetime, float] | None = None
        """When power began to read zero, and the register then."""
        self.mismatch = False
        """Whether the register climbs while power reads zero: then the register is believed."""

    def take(self, sample: Sample, received: datetime) -> bool:
        """Take a sample; False when it is no news: told late, or older than the newest."""
        at = self.clock.to_ours(sample.at, received)
        if at is None or (self._newest is not None and at < self._newest):
            return False
        self._newest = at
        if sample.register_wh is not None:
            self._take_register(at, sample.register_wh)
        if sample.power_w is not None:
            self._power = _reading(sample.power_w, self.most_w, at)
        if sample.current_a is not None:
            self._current = _reading(sample.current_a, self._most_a, at)
        self._take_phases(sample)
        if sample.fed_back_wh is not None:
            first_wh = sample.fed_back_wh if self._fed_back is None else self._fed_back[0]
            self._fed_back = (first_wh, sample.fed_back_wh)
        if sample.soc_pct is not None:
            self._soc = Reading(value=sample.soc_pct, quality=Quality.GOOD, at=at)
        self._judge()
        return True

    @property
    def register_wh(self) -> float | None:
        """The newest reading of the energy register."""
        return self._register[-1][1] if self._register else None

    def forget_vehicle(self) -> None:
        """The vehicle has gone: its state of charge says nothing about the next one."""
        self._soc = self._fed_back = None
        self.phases_used = None
        self._phases_seen = (0, 0)
        self._supplied()

    def rest(self, now: datetime) -> None:
        """A transaction is over: power and current before `now` say nothing about the present."""
        self._newest = now
        self._power = self._current = None

    def power_w(self, now: datetime) -> Reading:
        """As measured; from the slope of the register when power is missing, old or dead."""
        slope = self._slope()
        newest = self._power
        if slope is not None and (newest is None or self.mismatch or newest.at < slope.at):
            newest = slope
        return self._aged(newest, now)

    def current_a(self, now: datetime) -> Reading:
        """Of the most loaded phase; missing when the charger does not measure it."""
        return self._aged(self._current, now)

    def limit_changed(self) -> None:
        """Another limit is in force: the register's slope begins anew, not to smear the change."""
        self._slope_anew = True

    def drawn_a(self, now: datetime) -> Reading:
        """As `current_a`; from power and the phases in use when current is not measured."""
        if self._current is not None:
            return self.current_a(now)
        power = self.power_w(now)
        if power.value is None:
            return power
        supply = self.supply()
        amps = power.value / (supply.phases * supply.voltage_v)
        return Reading(value=amps, quality=power.quality, at=power.at)

    def supply(self) -> Supply:
        """What limits in W are reckoned with, so that no phase gets more than its limit in A.

        As many phases as are in use, all until that is known; the lower of the nominal and the
        measured voltage. The same object as long as nothing has changed.
        """
        return self._supply

    def soc_pct(self, now: datetime) -> Reading:
        """Of the vehicle, where the charger knows it."""
        return Reading.missing(now) if self._soc is None else _SLOW.at(self._soc, now)

    def energy_wh(self, start_wh: float | None, now: datetime) -> Reading:
        """Since the register read `start_wh`, less what the vehicle has been seen to feed back."""
        if not self._register or start_wh is None:
            return Reading.missing(now)
        at, register_wh = self._register[-1]
        if register_wh < start_wh:
            return Reading.missing(at, Quality.INVALID)
        first_wh, newest_wh = self._fed_back or (0.0, 0.0)
        taken_wh = register_wh - start_wh - (newest_wh - first_wh)
        return _SLOW.at(Reading(value=taken_wh, quality=Quality.GOOD, at=at), now)

    def _take_phases(self, sample: Sample) -> None:
        voltage, nominal = sample.voltage_v, self._spec.voltage_v
        plausible = voltage is not None and abs(voltage - nominal) <= _VOLTAGE_SHARE * nominal
        if voltage is not None and plausible and abs(voltage - self._voltage_v) >= _MOVES_V:
            self._voltage_v = voltage
            self._supplied()
        loaded = len([amps for amps in sample.currents_a if amps >= _LOADED_A])
        if not 1 <= loaded <= len(self._spec.phases):
            return
        before, times = self._phases_seen
        self._phases_seen = (loaded, times + 1 if loaded == before else 1)
        fewer = self.phases_used is not None and loaded < self.phases_used
        sure = fewer or self._phases_seen[1] >= _SURELY
        if sure and loaded != self.phases_used:
            self.phases_used = loaded  # fewer count at once: the same power is more current
            self._supplied()

    def _supplied(self) -> None:
        self._supply = Supply(
            phases=self.phases_used or len(self._spec.phases),
            voltage_v=min(self._voltage_v, self._spec.voltage_v),
        )

    def _take_register(self, at: datetime, register_wh: float) -> None:
        register = self._register
        if register and register_wh < register[-1][1]:
            register.clear()  # reset or replaced: no slope across it
            self._slope_before = None
            self._dead_from = None
        if self._slope_anew:
            self._slope_before = self._slope()
            register.clear()
            self._slope_anew = False
        crowded = len(register) > 1 and at - register[-2][0] < _APART
        if register and (crowded or register[-1][0] == at):
            register.pop()
        register.append((at, register_wh))
        while len(register) > 2 and register[1][0] <= at - _WINDOW:  # noqa: PLR2004 - a slope's two
            register.popleft()

    def _slope(self) -> Reading | None:
        """Power from the register, reckoned only when somebody asks."""
        if len(self._register) < 2:  # noqa: PLR2004 - a slope needs two
            return self._slope_before
        power_w = _slope_w(self._register[0], self._register[-1])
        return _reading(power_w, self.most_w, self._register[-1][0], Quality.ESTIMATED)

    def _judge(self) -> None:
        """What the register gained before power fell to zero is not held against the zero."""
        power = self._power
        dead = power is not None and power.value is not None and abs(power.value) < _DEAD_POWER_W
        if not dead or not self._register:
            self._dead_from, self.mismatch = None, False
            return
        newest = self._register[-1]
        self._dead_from = self._dead_from or newest
        self.mismatch = _slope_w(self._dead_from, newest) > _LIVE_SLOPE_W

    def _aged(self, reading: Reading | None, now: datetime) -> Reading:
        return Reading.missing(now) if reading is None else self._freshness.at(reading, now)


def _slope_w(first: tuple[datetime, float], last: tuple[datetime, float]) -> float:
    hours = (last[0] - first[0]) / timedelta(hours=1)
    return (last[1] - first[1]) / hours if hours > 0 else 0.0


def _reading(value: float, most: float, at: datetime, quality: Quality = Quality.GOOD) -> Reading:
    if abs(value) > most:
        return Reading.missing(at, Quality.INVALID)
    return Reading(value=value, quality=quality, at=at)
