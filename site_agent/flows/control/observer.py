"""One frozen picture of the depot, with what only the control loop can know of its devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from site_agent.domain.decide.battery import fails
from site_agent.domain.device import BatteryState, ChargerState, PvState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy, TrustPolicy
from site_agent.domain.protect.room import granted, moment_of
from site_agent.domain.site import SiteModel, SiteSnapshot
from site_agent.domain.trust.meter import MeterTrust
from site_agent.domain.trust.plausibility import plausible_battery, plausible_charger, plausible_pv
from site_agent.domain.trust.told import told
from site_agent.flows.control.compliance import Compliance
from site_agent.ports import AutonomousFunctions, Battery, Charger, Meter, PvInverter

DEFAULT_TRUST = TrustPolicy()
_ABOUT = 0.1
"""A battery setpoint that moves by less than this share of its power counts as the same."""
_SURELY = timedelta(seconds=15)
"""How long a charger must go on after it was asked to pause, to count as one that cannot."""
_DISTRUST = timedelta(minutes=10)
"""How long a battery that gave less than asked is believed to have no more than it gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Everything the agent reads and steers."""

    meter: Meter
    chargers: Sequence[Charger]
    batteries: Sequence[Battery]
    pv: Sequence[PvInverter]
    functions: Mapping[str, AutonomousFunctions] = field(default_factory=dict)
    """By device id, of those batteries and PV inverters that have any."""


class NeedSource(Protocol):
    """Who is plugged in, and what they need (`flows.fleet.sessions`)."""

    def needs(self, chargers: Sequence[ChargerState], now: datetime) -> tuple[VehicleNeed, ...]:
        """The need of every plugged-in vehicle."""
        ...


class Acceptance(Protocol):
    """What devices make of their setpoints (`flows.control.actuators`)."""

    def is_silent(self, device_id: str) -> bool:
        """Whether a device does not take setpoints."""
        ...

    def accepted_a(self, evse_id: str) -> float | None:
        """The limit a charger has last accepted from us, A."""
        ...

    def under_way_a(self, evse_id: str) -> float | None:
        """The limit a charger may take at any moment, A; None: none is under way."""
        ...


class Observer:
    """Takes snapshots."""

    def __init__(
        self,
        model: SiteModel,
        devices: Devices,
        needs: NeedSource,
        policy: ControlPolicy,
        acceptance: Acceptance,
        trust: TrustPolicy = DEFAULT_TRUST,
    ) -> None:
        self._model = model
        self._devices = devices
        self._needs = needs
        self._acceptance = acceptance
        self._goes_on_since: dict[str, datetime] = {}
        self._unpausable: set[str] = set()
        self._compliance = Compliance(policy.obey_after, model.device_max_age)
        self._policy = policy
        self._batteries: dict[str, tuple[float, datetime]] = {}
        self._limited: dict[str, tuple[float | None, datetime]] = {}
        """The limit each PV inverter holds, and since when."""
        self._gave: dict[str, tuple[float, datetime]] = {}
        self._trusted = trust
        self._trust = MeterTrust(model, trust)
        self._rated = {spec.battery_id: spec for spec in model.batteries}

    def snapshot(self, now: datetime) -> SiteSnapshot:
        """The depot at `now`, as far as it is believed."""
        seen = [plausible_charger(c.state(now), self._trusted) for c in self._devices.chargers]
        snapshot = SiteSnapshot(
            at=now,
            model=self._model,
            pcc=self._devices.meter.state(now),
            chargers=tuple(self._judged(charger, now) for charger in seen),
            batteries=tuple(self._believed(b, now) for b in self._stored(now)),
            pv=tuple(self._limitable(inverter.state(now)) for inverter in self._devices.pv),
            needs=self._needs.needs(seen, now),
        )
        moment = moment_of(snapshot, self._policy)
        pcc, belief = self._trust.judge(
            snapshot.pcc,
            lambda: told(snapshot, moment, self._trust.young),
            lambda: granted(snapshot, moment),
        )
        raw = snapshot.pcc
        pcc = replace(pcc, voltage_v=raw.voltage_v, frequency_hz=raw.frequency_hz)
        return replace(snapshot, pcc=pcc, belief=belief)

    def _stored(self, now: datetime) -> Iterator[BatteryState]:
        for battery in self._devices.batteries:
            state = battery.state(now)
            rated = self._rated.get(state.spec.battery_id, state.spec)
            yield plausible_battery(state, rated, self._trusted)

    def battery_accepted(self, battery: BatteryState, power_w: float, now: datetime) -> None:
        """A battery has accepted this setpoint."""
        name = battery.spec.battery_id
        before = self._batteries.get(name)
        step = _ABOUT * max(battery.spec.max_charge_w, battery.spec.max_discharge_w)
        same = before is not None and abs(power_w - before[0]) < step
        self._batteries[name] = (power_w, before[1] if before is not None and same else now)

    def pv_accepted(self, pv_id: str, limit_w: float | None, now: datetime) -> None:
        """A PV inverter has accepted this limit (None: its release)."""
        before = self._limited.get(pv_id)
        if before is None or before[0] != limit_w:
            self._limited[pv_id] = (limit_w, now)

    def _judged(self, charger: ChargerState, now: datetime) -> ChargerState:
        name = charger.spec.evse_id
        self._learn_pause(charger, now)
        silent = self._acceptance.is_silent(name)
        return replace(
            charger,
            online=charger.online and not silent,
            confirmed_limit_a=self._highest_a(charger) if silent else charger.confirmed_limit_a,
            obeys=charger.obeys and self._compliance.obeys(charger, now),
            pausable=charger.pausable and name not in self._unpausable,
        )

    def _highest_a(self, charger: ChargerState) -> float | None:
        """A limit that waits behind other messages to a silent charger may still reach it."""
        confirmed_a = charger.confirmed_limit_a
        waits_a = self._acceptance.under_way_a(charger.spec.evse_id)
        return confirmed_a if waits_a is None else max(confirmed_a or 0.0, waits_a)

    def _limitable(self, inverter: PvState) -> PvState:
        silent = self._acceptance.is_silent(inverter.spec.pv_id)
        inverter = plausible_pv(inverter, self._trusted)
        limit_w, since = self._limited.get(inverter.spec.pv_id, (None, None))
        return replace(
            inverter,
            takes_limits=inverter.takes_limits and not silent,
            limited_w=limit_w,
            limited_since=since,
        )

    def _learn_pause(self, charger: ChargerState, now: datetime) -> None:
        """Some chargers refuse 0 A and hold their minimum instead."""
        name = charger.spec.evse_id
        asked_to_pause = self._acceptance.accepted_a(name) == 0
        goes_on = charger.transaction_id is not None and bool(charger.confirmed_limit_a)
        if not (asked_to_pause and goes_on):
            self._goes_on_since.pop(name, None)
        elif now - self._goes_on_since.setdefault(name, now) >= _SURELY:
            self._unpausable.add(name)

    def _commanded(self, battery: BatteryState) -> BatteryState:
        name = battery.spec.battery_id
        confirmed_w, since = self._batteries.get(name, (None, None))
        return replace(
            battery,
            online=battery.online and not self._acceptance.is_silent(name),
            confirmed_w=confirmed_w,
            in_force_since=since,
        )

    def _believed(self, state: BatteryState, now: datetime) -> BatteryState:
        """A battery that gave less than asked, with the power it has shown."""
        battery = self._commanded(state)
        name = battery.spec.battery_id
        if battery.online and not battery.islanded and fails(battery, self._policy):
            self._gave[name] = (max(0.0, -(battery.power_w.value or 0.0)), now)
        gave_w, at = self._gave.get(name, (0.0, now - _DISTRUST))
        if now - at >= _DISTRUST:
            return battery
        most_w = min(battery.spec.max_discharge_w, gave_w)
        return replace(battery, obeys=False, spec=replace(battery.spec, max_discharge_w=most_w))
