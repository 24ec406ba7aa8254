"""What a SunSpec device is, from the models it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from contracts.reading import Quality
from site_agent.devices.commissioning.capture import Device
from site_agent.devices.commissioning.found import Found, Group, Nature, Shown
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.sunspec.describe import DecodedModel, DecodedPoint, decode_all, decode_model
from site_agent.devices.sunspec.unit import SunSpecUnit

_METERS = {201, 202, 203, 204, 211, 212, 213, 214}
_INVERTERS = {101, 102, 103, 111, 112, 113, 701}
_SENSORS = {302, 303, 304, 305, 306, 307, 308}

_STORAGE = {124, 713, 714, 802, 803, 804, 805}
_MEASURING = _METERS | _INVERTERS | _SENSORS | _STORAGE | {122, 160}

_CAPACITY = ("713:WHRtg", "802:WHRtg", "120:WHRtg")
_CHARGE = ("702:WChaRteMax", "702:WChaRteMaxRtg", "802:WChaRteMax", "120:MaxChaRte", "124:WChaMax")
_DISCHARGE = (
    "702:WDisChaRteMax",
    "702:WDisChaRteMaxRtg",
    "802:WDisChaRteMax",
    "120:MaxDisChaRte",
    "124:WChaMax",
)
_POWER = ("702:WMax", "702:WMaxRtg", "121:WMax", "120:WRtg")
_RATINGS: Mapping[Nature, Mapping[str, tuple[str, ...]]] = {
    Nature.BATTERY: {
        "capacity_wh": _CAPACITY,
        "max_charge_w": _CHARGE,
        "max_discharge_w": _DISCHARGE,
    },
    Nature.PV: {"rated_w": _POWER},
}
"""Where a setting may be found, the device's own setting before its rating."""


async def survey(link: RegisterLink, unit: int, at: datetime) -> Found:
    """Read everything; raises as `decode_all`."""
    return found_in(unit, await decode_all(SunSpecUnit(link, unit)), at)


async def measured(device: SunSpecUnit, unit: int, at: datetime) -> Found:
    """Read again what it measures, and not its settings and curves; raises as `SunSpecUnit`."""
    models = []
    for place in await device.models():
        if place.model_id in _MEASURING:
            words = await device.registers(place, place.length + 2, Priority.SLOW)
            models.append(decode_model(place, words))
    return found_in(unit, models, at)


def found_in(unit: int, models: Sequence[DecodedModel], at: datetime) -> Found:
    """What a device with these models is."""
    nature = nature_of(models)
    wanted = _RATINGS.get(nature, {}) if nature else {}
    ratings = {key: _first(models, places) for key, places in wanted.items()}
    return Found(
        unit=unit,
        profile=None,
        nature=nature,
        identity=_identity(models),
        groups=tuple(_group(model) for model in models),
        at=at,
        ratings={key: value for key, value in ratings.items() if value is not None},
    )


def nature_of(models: Iterable[DecodedModel]) -> Nature | None:
    """What it is: storage counts only where the device says how much of it there is."""
    models = tuple(models)
    ids = {model.model_id for model in models}
    if ids & _METERS:
        return Nature.METER
    if ids & _INVERTERS:
        return Nature.BATTERY if _first(models, (*_CAPACITY, "124:WChaMax")) else Nature.PV
    return Nature.SENSOR if ids & _SENSORS else None


def _identity(models: Iterable[DecodedModel]) -> Device:
    common = next((model for model in models if model.model_id == 1), None)
    told = {} if common is None else {point.name: point.value for point in common.points}

    def text(name: str) -> str | None:
        value = told.get(name)
        return value.strip() if isinstance(value, str) else None

    return Device(manufacturer=text("Mn"), model=text("Md"), version=text("Vr"), serial=text("SN"))


def _first(models: Iterable[DecodedModel], places: Iterable[str]) -> float | None:
    """The first of `model:point` that is a number above 0."""
    told = {
        f"{model.model_id}:{point.name}": point.value for model in models for point in model.points
    }
    for place in places:
        value = told.get(place)
        if isinstance(value, int | float) and value > 0:
            return float(value)
    return None


def _group(model: DecodedModel) -> Group:
    return Group(
        title=f"{model.model_id} {model.label}".strip(),
        points=tuple(_shown(point) for point in model.points),
        address=model.address,
        length=model.length + 2,
        notes=model.notes,
    )


def _shown(point: DecodedPoint) -> Shown:
    return Shown(
        name=point.name,
        value=point.value,
        unit=point.unit,
        meaning=", ".join(point.symbols),
        label=point.label,
        quality=Quality.INVALID if point.missing else Quality.GOOD,
        why=point.missing,
        writable=point.writable,
    )
