"""DC power of a battery behind a hybrid inverter, whose AC power holds PV as well.

By 714 (its ports for storage), else 802, else 160. Their definitions name no sign; here discharge
is positive in 714 and 802, like generation at the AC side. In 160 one module counts what goes into
the battery and another what comes out, by names like those of Fronius (`StCha`, `StDisCha`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import datetime

from contracts.reading import Quality, Reading
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import ModelCodec
from site_agent.devices.sunspec.discovery import find
from site_agent.devices.sunspec.layout import Point, fit
from site_agent.devices.sunspec.unit import Codecs, SunSpecUnit

_PORTS, _MODULES = 714, 160
_STORAGE_PORT = 1
_BANK: Codecs = {802: ModelCodec(802, ("W",))}
_INTO, _OUT_OF = "stcha", "stdischa"


async def dc_power(unit: SunSpecUnit, at: datetime) -> Reading:
    """Power of the battery alone, charging positive; INVALID where no model tells it.

    Raises: as `SunSpecUnit.read`.
    """
    given_w = _total(await _ports(unit))
    if given_w is None and await unit.has(_BANK):
        given_w = (await unit.read(_BANK, Priority.FAST)).values["W"]
    if given_w is None:
        given_w = _total(await _modules(unit))
    if given_w is None:
        return Reading.missing(at, Quality.INVALID)
    return Reading(value=0.0 - given_w, quality=Quality.GOOD, at=at)


async def _ports(unit: SunSpecUnit) -> list[float | None]:
    """What each port for storage gives."""
    data = await _data(unit, _PORTS)
    points = fit(_PORTS, data).points
    return [
        points[f"Prt.{port}.DCW"].number(data)
        for port in _numbered(points, "Prt", "DCW")
        if points[f"Prt.{port}.PrtTyp"].raw(data) == _STORAGE_PORT
    ]


async def _modules(unit: SunSpecUnit) -> list[float | None]:
    """What the modules that belong to the battery give: what goes into it counts negative."""
    data = await _data(unit, _MODULES)
    points = fit(_MODULES, data).points
    given: list[float | None] = []
    for module in _numbered(points, "module", "DCW"):
        name = points[f"module.{module}.IDStr"].text(data).lower()
        watts = points[f"module.{module}.DCW"].number(data)
        if name.startswith(_OUT_OF):
            given.append(watts)
        elif name.startswith(_INTO):
            given.append(None if watts is None else -watts)
    return given


async def _data(unit: SunSpecUnit, model_id: int) -> bytes:
    """The registers of a model, none where the device lacks it."""
    place = find(await unit.models(), (model_id,))
    if place is None:
        return b""
    registers = await unit.registers(place, place.length + 2, Priority.FAST)
    return struct.pack(f">{len(registers)}H", *registers)


def _numbered(points: Mapping[str, Point], group: str, last: str) -> Iterator[int]:
    """The numbers of the groups that are whole up to their point `last`."""
    number = 1
    while f"{group}.{number}.{last}" in points:
        yield number
        number += 1


def _total(watts: list[float | None]) -> float | None:
    """The sum, None unless there is one and every part of it is known."""
    known = [one for one in watts if one is not None]
    return sum(known) if known and len(known) == len(watts) else None
