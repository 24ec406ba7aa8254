"""AC power of an inverter, whatever family of models reports it; the sign is flipped here.

The definitions say that positive is generation (701.W; 101-113.W by use); ours is consumption.
Operating states gate the number: an inverter that says it is off may still show what it made last,
or "not implemented" because it sleeps.
"""

from __future__ import annotations

from datetime import datetime

from contracts.reading import Quality, Reading
from site_agent.devices.sunspec.codec import ModelCodec
from site_agent.devices.sunspec.unit import Codecs, Read

MEASUREMENT: Codecs = {
    701: ModelCodec(701, ("W", "St", "InvSt", "ConnSt", "DERMode")),
    **{model_id: ModelCodec(model_id, ("W", "St")) for model_id in (103, 102, 101, 113, 112, 111)},
}
"""Models with the inverter's AC power, the 1547 one first."""

_701 = 701
_OFF_701, _ASLEEP_701, _FAULT_701 = 0, 1, 6
_OFF, _ASLEEP, _FAULT = 1, 2, 7
_GRID_FORMING, _CONNECTED = 0b10, 1
"""Of 701.DERMode and 701.ConnSt."""


def power(read: Read, at: datetime, idle_w: float) -> Reading:
    """Power, consumption positive.

    An inverter that says it is off or asleep exchanges no more than `idle_w`: more is a
    contradiction (INVALID), and no number at all then means 0 W (ESTIMATED, from its state).
    """
    generated_w = read.values["W"]
    if generated_w is None:
        return (
            Reading(value=0.0, quality=Quality.ESTIMATED, at=at)
            if idle(read)
            else Reading.missing(at, Quality.INVALID)
        )
    if idle(read) and abs(generated_w) > idle_w:
        return Reading.missing(at, Quality.INVALID)
    return Reading(value=0.0 - generated_w, quality=Quality.GOOD, at=at)


def faulted(read: Read) -> bool:
    """Whether the inverter says it is in fault."""
    if read.model_id == _701:
        return read.values["InvSt"] == _FAULT_701
    return read.values["St"] == _FAULT


def islanded(read: Read) -> bool | None:
    """Whether the inverter says that it forms a grid cut off from the public one.

    701.DERMode has the bit GRID_FORMING; as some inverters form the grid while connected to it too,
    ConnSt must not say CONNECTED. None: it does not tell its mode.
    """
    mode = read.values.get("DERMode") if read.model_id == _701 else None
    if mode is None:
        return None
    return bool(int(mode) & _GRID_FORMING) and read.values["ConnSt"] != _CONNECTED


def idle(read: Read) -> bool:
    """Whether the inverter says it is off or asleep."""
    if read.model_id == _701:
        return read.values["St"] == _OFF_701 or read.values["InvSt"] in (_OFF_701, _ASLEEP_701)
    return read.values["St"] in (_OFF, _ASLEEP)
