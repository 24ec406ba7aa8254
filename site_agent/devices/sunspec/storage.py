"""What a battery says of its cells: charge, what it may give and take just now, its trouble.

713 comes first, then 802, then 124; limits of the bank (802) change from minute to minute and bind
at once, ratings (702) hardly ever do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import ModelCodec, Values
from site_agent.devices.sunspec.unit import Codecs, SunSpecUnit
from site_agent.domain.device import BatterySpec

_BANK_POINTS = (
    *("SoC", "State", "V", "AChaMax", "ADisChaMax", "WChaRteMax", "WDisChaRteMax"),
)  # fmt: skip
_STORAGE: Codecs = {713: ModelCodec(713, ("SoC", "Sta"))}
_BANK: Codecs = {802: ModelCodec(802, _BANK_POINTS)}
_OLD: Codecs = {124: ModelCodec(124, ("ChaState",))}
_CAPACITY: Codecs = {
    702: ModelCodec(702, ("WChaRteMax", "WChaRteMaxRtg", "WDisChaRteMax", "WDisChaRteMaxRtg")),
}
_ERROR_713 = 2
_DISCONNECTED, _INITIALIZING, _SUSPENDING, _FAULT = 1, 2, 6, 99
_FULL_PCT = 100.0
_NO_LIMIT = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Most a battery takes and gives, W as magnitudes; infinite where it does not say."""

    charge_w: float = _NO_LIMIT
    discharge_w: float = _NO_LIMIT

    def within(self, spec: BatterySpec) -> BatterySpec:
        """The spec with powers no larger than these."""
        return replace(
            spec,
            max_charge_w=min(spec.max_charge_w, self.charge_w),
            max_discharge_w=min(spec.max_discharge_w, self.discharge_w),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The cells at an instant."""

    soc_pct: float | None = None
    """0 to 100; None: not told, or nonsense."""
    bounds: Bounds = Bounds()
    faulted: bool = False


async def read_storage(unit: SunSpecUnit) -> Storage:
    """Ask the models that may know; raises as `SunSpecUnit.read`."""
    modern, bank = await _values(unit, _STORAGE), await _values(unit, _BANK)
    known = [pct for pct in (modern.get("SoC"), bank.get("SoC")) if pct is not None]
    if not known:
        known = [pct for pct in (await _values(unit, _OLD)).values() if pct is not None]
    return Storage(
        soc_pct=known[0] if known and 0.0 <= known[0] <= _FULL_PCT else None,
        bounds=bank_bounds(bank),
        faulted=modern.get("Sta") == _ERROR_713 or bank.get("State") == _FAULT,
    )


async def read_ratings(unit: SunSpecUnit) -> Bounds:
    """What model 702 names; raises as `SunSpecUnit.read`."""
    return rated_bounds(await _values(unit, _CAPACITY))


def rated_bounds(capacity: Values) -> Bounds:
    """The settings of model 702, else its ratings."""
    return Bounds(
        charge_w=_first(capacity.get("WChaRteMax"), capacity.get("WChaRteMaxRtg")),
        discharge_w=_first(capacity.get("WDisChaRteMax"), capacity.get("WDisChaRteMaxRtg")),
    )


def bank_bounds(bank: Values) -> Bounds:
    """What model 802 allows now: its rates, and its currents at the voltage it has."""
    if bank.get("State") in (_DISCONNECTED, _INITIALIZING, _SUSPENDING):
        return Bounds(charge_w=0.0, discharge_w=0.0)
    volts = bank.get("V")
    charge_w, discharge_w = bank.get("WChaRteMax"), bank.get("WDisChaRteMax")
    return Bounds(  # a nameplate of 0 W is one that nobody has filled in
        charge_w=min(_first(charge_w or None), _power(bank.get("AChaMax"), volts)),
        discharge_w=min(_first(discharge_w or None), _power(bank.get("ADisChaMax"), volts)),
    )


def _power(amperes: float | None, volts: float | None) -> float:
    """An open circuit or no voltage at all says nothing; no current allowed says no power."""
    if amperes is None or (amperes and not volts):
        return _NO_LIMIT
    return abs(amperes) * (volts or 0.0)


def _first(*watts: float | None) -> float:
    known = [abs(one) for one in watts if one is not None]
    return known[0] if known else _NO_LIMIT


async def _values(unit: SunSpecUnit, codecs: Codecs) -> Values:
    if not await unit.has(codecs):
        return {}
    return (await unit.read(codecs, Priority.SLOW)).values
