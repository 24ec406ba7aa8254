"""Does the meter move as devices do? A flipped sign, a wrong scale and a lost phase show in that.

Moves of the devices from one five minutes to the next, x, beside the meter's moves, y: the slope
of y = b x through the origin by least squares, with its standard error. The building moves as well,
by chance: it widens the error, not the slope. Nothing is said unless the slope is clearly another
than 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from contracts.metering import PROOF_SHARE
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.anomaly.picture import PCC, Picture, blocks
from gateway.domain.words import pct

PER = 5
"""Slots of a block: what devices tell late falls into the same one."""
LEAST_MOVES = 8
_SURE = 4.0
"""Standard errors between the slope and what it is held to be apart from."""
_RIGHT = (0.8, 1.25)
_NEAR = 0.15
"""A slope this near to a known fault's is called that."""
_TELLING_ERROR = 0.25
"""A standard error beyond this says nothing."""
_FAULTS = (
    (-1.0, Code.SIGN, "Its current transformers are turned round, or its sign is set wrongly"),
    (10.0, Code.TIMES_TEN, "Its scale or transformer ratio is ten times too large"),
    (0.1, Code.TENTH, "Its scale or transformer ratio is ten times too small"),
    (2 / 3, Code.PHASE, "One of its three phases is not measured"),
    (1 / 3, Code.PHASE, "Two of its three phases are not measured"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Of the meter's moves over the devices'."""

    value: float
    error: float
    """Standard error."""
    moves: int


def slope(picture: Picture) -> Slope | None:
    """None: devices moved too seldom to tell."""
    pcc, devices = blocks(picture.pcc_w, PER), blocks(picture.devices_w, PER)
    x, y = np.diff(devices), np.diff(pcc)
    known = ~np.isnan(x) & ~np.isnan(y)
    moved = known & (np.abs(np.nan_to_num(x)) >= PROOF_SHARE * picture.contract_w)
    moves = int(moved.sum())
    if moves < LEAST_MOVES:
        return None
    mine, theirs = x[moved], y[moved]
    power = float(mine @ mine)
    value = float(mine @ theirs) / power
    rest = theirs - value * mine
    return Slope(value=value, error=sqrt(float(rest @ rest) / (moves - 1) / power), moves=moves)


def response(picture: Picture) -> Iterator[Finding]:
    """Whether the meter follows its devices as it must."""
    found = slope(picture)
    if found is None or found.error > _TELLING_ERROR * max(1.0, abs(found.value)):
        return
    low, high = _RIGHT
    margin = _SURE * found.error
    if low - margin <= found.value <= high + margin:
        return
    named = _named(found)
    code, cause = named or (Code.SCALE, "Its scale or transformer ratio is wrong")
    yield Finding(
        code=code,
        subject=PCC,
        evidence=picture.grid.window,
        reason=(
            f"in {found.moves} moves of the devices the meter moved by {pct(found.value)} of each"
            f" (give or take {pct(found.error)})"
        ),
        what_to_do=(
            f"{cause}: check its settings and wiring; until then no event and no bill should rest"
            " on it"
        ),
    )


def _named(found: Slope) -> tuple[Code, str] | None:
    """The fault whose slope this is, if it is near one."""
    near = min(_FAULTS, key=lambda one: abs(one[0] - found.value) / abs(one[0]))
    off = abs(near[0] - found.value) / abs(near[0])
    return (near[1], near[2]) if off <= _NEAR + _SURE * found.error / abs(near[0]) else None
