"""Sampled values of a meter, from either version's words to W, A, Wh and %.

Sign: `Power.Active.Import` is positive, `Power.Active.Export` (a vehicle that discharges) is
subtracted, and so it is with currents. Lenient: a sample that cannot be read is left out and
counted, the others are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite

import msgspec

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_REGISTER = "Energy.Active.Import.Register"
_IMPORT, _EXPORT = "Power.Active.Import", "Power.Active.Export"
_CURRENT, _CURRENT_BACK = "Current.Import", "Current.Export"
_SOC, _VOLTAGE = "SoC", "Voltage"
_REGISTER_BACK = "Energy.Active.Export.Register"
_POWER_UNITS: Mapping[object, float] = {"": 1.0, "W": 1.0, "kW": 1000.0}
_UNITS: Mapping[object, Mapping[object, float]] = {
    _REGISTER: {"": 1.0, "Wh": 1.0, "kWh": 1000.0},
    _REGISTER_BACK: {"": 1.0, "Wh": 1.0, "kWh": 1000.0},
    _IMPORT: _POWER_UNITS,
    _EXPORT: _POWER_UNITS,
    _CURRENT: {"": 1.0, "A": 1.0},
    _CURRENT_BACK: {"": 1.0, "A": 1.0},
    _SOC: {"": 1.0, "Percent": 1.0, "%": 1.0},
    _VOLTAGE: {"": 1.0, "V": 1.0},
}
_PHASES: Mapping[object, str] = {
    None: "", "L1": "L1", "L2": "L2", "L3": "L3", "L1-N": "L1", "L2-N": "L2", "L3-N": "L3",
}  # fmt: skip
"""Neutral and line-to-line values say nothing about a phase's load."""

_Values = dict[object, dict[str, float]]
"""By measurand, then by phase ("" for all phases together)."""
_NUMBERS = (str, int, float)
_NONE: Mapping[str, float] = {}
_ReadValue = Callable[[Json], tuple[float, object]]


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a meter said at one instant of the charger's clock."""

    at: datetime
    power_w: float | None = None
    current_a: float | None = None
    """Of the most loaded phase."""
    currents_a: tuple[float, ...] = ()
    """Of each phase the charger tells apart."""
    voltage_v: float | None = None
    """Lowest of its phases, to neutral."""
    register_wh: float | None = None
    fed_back_wh: float | None = None
    """The register of what vehicles have fed back."""
    soc_pct: float | None = None


def read_v16(payload: Json, key: str = "meterValue") -> tuple[list[Sample], int]:
    """The samples of a 1.6 message, oldest first, and how many values could not be read."""
    return _read(payload, key, _value_v16)


def read_v201(payload: Json) -> tuple[list[Sample], int]:
    """As `read_v16`, for 2.0.1."""
    return _read(payload, "meterValue", _value_v201)


def _read(payload: Json, key: str, read_value: _ReadValue) -> tuple[list[Sample], int]:
    samples, bad = [], 0
    for entry in fields.parts(payload, key):
        try:
            at = fields.moment(entry, "timestamp")
        except ProtocolError:
            bad += 1
            continue
        values, unread = _values(entry, read_value)
        bad += unread
        samples.append(_sample(at, values))
    if len(samples) > 1:
        samples.sort(key=lambda sample: sample.at)
    return samples, bad


def _values(entry: Json, read_value: _ReadValue) -> tuple[_Values, int]:
    values: _Values = {}
    sampled = entry.get("sampledValue")
    items = sampled if isinstance(sampled, list) else []
    bad = 0
    for item in items:
        try:
            _put(values, item, read_value)
        except (ProtocolError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            bad += 1
    return values, bad


def _put(values: _Values, item: Json, read_value: _ReadValue) -> None:
    get = item.get
    meaning = _meaning(get("measurand"), get("phase"), get("location"))
    if meaning is None:
        return
    measurand, phase, units = meaning
    value, unit = read_value(item)
    scaled = value * units[unit]
    if not isfinite(scaled):
        raise ValueError("not a finite number")
    phases = values.get(measurand)
    if phases is None:
        values[measurand] = {phase: scaled}
    else:
        phases[phase] = scaled


@lru_cache(maxsize=256)
def _meaning(
    measurand: object, phase: object, location: object
) -> tuple[object, str, Mapping[object, float]] | None:
    """Measurand, phase ("" for all) and units of a value; None: it is none of ours."""
    measurand = measurand or _REGISTER
    units, of_phase = _UNITS.get(measurand), _PHASES.get(phase)
    elsewhere = location not in (None, "Outlet") and measurand != _SOC
    return None if units is None or of_phase is None or elsewhere else (measurand, of_phase, units)


def _value_v16(item: Json) -> tuple[float, object]:
    """1.6 writes numbers as strings; some chargers write numbers."""
    value = item["value"]
    if item.get("format") == "SignedData" or not isinstance(value, _NUMBERS):
        raise ValueError("no plain number")
    return float(value), item.get("unit") or ""


def _value_v201(item: Json) -> tuple[float, object]:
    measure = fields.part(item, "unitOfMeasure")
    power = fields.whole(measure, "multiplier") if measure.get("multiplier") is not None else 0
    if abs(power) > 9:  # noqa: PLR2004 - giga to nano; 10**huge would take for ever
        raise ValueError("implausible multiplier")
    return fields.number(item, "value") * 10.0**power, measure.get("unit") or ""


def _sample(at: datetime, values: _Values) -> Sample:
    taken, given = _total(values, _IMPORT), _total(values, _EXPORT)
    power_w = taken if given is None else (taken or 0.0) - given
    soc, currents = values.get(_SOC, _NONE).get(""), _currents(values)
    voltages = values.get(_VOLTAGE)
    return Sample(
        at=at,
        power_w=power_w,
        current_a=max(currents.values()) if currents else None,
        currents_a=tuple([value for phase, value in currents.items() if phase]),
        voltage_v=min(voltages.values()) if voltages else None,
        register_wh=_total(values, _REGISTER),
        fed_back_wh=_total(values, _REGISTER_BACK),
        soc_pct=soc if soc is not None and 0 <= soc <= 100 else None,  # noqa: PLR2004 - percent
    )


def _currents(values: _Values) -> Mapping[str, float]:
    """By phase, what is fed back subtracted."""
    taken, given = values.get(_CURRENT, _NONE), values.get(_CURRENT_BACK, _NONE)
    if not given:
        return taken
    phases = dict.fromkeys((*taken, *given))
    return {phase: taken.get(phase, 0.0) - given.get(phase, 0.0) for phase in phases}


def _total(values: _Values, measurand: str) -> float | None:
    """The value without a phase, else the sum of the phases."""
    phases = values.get(measurand)
    if not phases:
        return None
    return phases[""] if "" in phases else sum(phases.values())
