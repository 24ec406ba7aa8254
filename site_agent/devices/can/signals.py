"""From signals to canonical points and to the limits of a battery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from contracts.errors import ConfigError
from site_agent.devices.can.database import SignalDatabase
from site_agent.devices.points.vocabulary import POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRule:
    """Which signals make a value: the last one told, or whether any of them equals something."""

    signals: tuple[str, ...]
    """As `Message.signal`; the last of them that is there counts."""
    scale: float = 1.0
    offset: float = 0.0
    equals: float | None = None
    """With it the value is 1 where a signal has this number, else 0."""
    differs: float | None = None
    """With it the value is 1 where a signal has another number than this, else 0."""


LIMITS = ("charge_current", "discharge_current", "highest_voltage", "lowest_voltage")
PERMITS = ("charge_enable", "discharge_enable")
"""What a map may name beside points: limits of the battery, A and V, and whether it may at all."""
POWERS = ("max_charge_power", "max_discharge_power")
"""The points that are made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalMap:
    """Which signals are which points, limits and faults."""

    rules: Mapping[str, SignalRule]
    """By point, or by a name of `LIMITS` or `PERMITS`."""
    faults: tuple[SignalRule, ...] = ()
    """Each says whether there is a fault; any of them makes the point `fault`."""

    @property
    def signals(self) -> frozenset[str]:
        """Every signal that matters."""
        rules = (*self.rules.values(), *self.faults)
        return frozenset(signal for rule in rules for signal in rule.signals)

    @property
    def points(self) -> tuple[str, ...]:
        """Every point that may be told."""
        named = [name for name in self.rules if name not in (*LIMITS, *PERMITS)]
        fault = ["fault"] if self.faults else []
        powers = POWERS if set(LIMITS) & set(self.rules) else ()
        return tuple(dict.fromkeys([*named, *fault, *powers]))

    def check(self, database: SignalDatabase) -> None:
        """Raise ConfigError unless all that is named exists."""
        for signal in self.signals:
            database.check(signal)
        unknown = set(self.rules) - {*POINTS, *LIMITS, *PERMITS}
        if unknown:
            raise ConfigError(f"no such points: {', '.join(sorted(unknown))}")


_ALARMS = (
    "general",
    "high_voltage",
    "low_voltage",
    "hot",
    "cold",
    "hot_charge",
    "cold_charge",
    "discharge_current",
    "charge_current",
    "contactor",
    "short_circuit",
    "internal",
    "imbalance",
)
BATTERY_MAP = SignalMap(
    rules=MappingProxyType(
        {
            "soc": SignalRule(signals=("Charge.soc",)),
            "soh": SignalRule(signals=("Charge.soh",)),
            "dc_voltage": SignalRule(signals=("Actual.voltage",)),
            "dc_current": SignalRule(signals=("Actual.current",)),
            "temperature": SignalRule(signals=("Actual.temperature",)),
            "charge_current": SignalRule(signals=("Limits.charge_current",)),
            "discharge_current": SignalRule(signals=("Limits.discharge_current",)),
            "highest_voltage": SignalRule(signals=("Limits.charge_voltage",)),
            "lowest_voltage": SignalRule(signals=("Limits.discharge_voltage",)),
            "charge_enable": SignalRule(signals=("Requests.charge_enable",)),
            "discharge_enable": SignalRule(signals=("Requests.discharge_enable",)),
        }
    ),
    faults=(
        SignalRule(signals=tuple(f"Alarms.alarm_{what}" for what in _ALARMS), equals=1.0),
        SignalRule(signals=("Protection.protections",), differs=0.0),
    ),
)
"""Of `battery.dbc`."""


def value_of(rule: SignalRule, told: Mapping[str, float]) -> float | None:
    """What a rule makes of the signals of a frame; None when none of its signals is there."""
    values = [told[signal] for signal in rule.signals if signal in told]
    if not values:
        return None
    if rule.equals is not None:
        return float(any(value == rule.equals for value in values))
    if rule.differs is not None:
        return float(any(value != rule.differs for value in values))
    return values[-1] * rule.scale + rule.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the battery allows, as far as it has told; currents are magnitudes."""

    charge_current: float | None = None
    discharge_current: float | None = None
    highest_voltage: float | None = None
    lowest_voltage: float | None = None
    charge_enable: float = 1.0
    discharge_enable: float = 1.0

    def heard(self, name: str, value: float) -> Limits:
        """The limits after one of them was told. A current counts by its size."""
        size = abs(value) if name.endswith("_current") else value
        return replace(self, **{name: size})

    def charge_w(self, voltage_v: float | None) -> float | None:
        """Most it takes, W; None while that is not known.

        At a voltage above the highest, or without permission, it takes nothing. Without a measured
        voltage the lowest one counts: it makes the least of a current.
        """
        volts = self.lowest_voltage if voltage_v is None else voltage_v
        if not self.charge_enable or _beyond(voltage_v, self.highest_voltage):
            return 0.0
        return _product(self.charge_current, volts)

    def discharge_w(self, voltage_v: float | None) -> float | None:
        """Most it gives, W; as `charge_w`, with the lowest voltage."""
        volts = self.lowest_voltage if voltage_v is None else voltage_v
        if not self.discharge_enable or _beyond(self.lowest_voltage, voltage_v):
            return 0.0
        return _product(self.discharge_current, volts)


def _beyond(high: float | None, low: float | None) -> bool:
    return high is not None and low is not None and high > low


def _product(amperes: float | None, volts: float | None) -> float | None:
    return None if amperes is None or volts is None else max(0.0, amperes * volts)
