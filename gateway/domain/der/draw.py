"""Randomisation of events (IEEE 2030.5-2018, 10.2.4), drawn once per control and device.

The seed is the control's mRID and the device's LFDI, so that a lost store gives the same draw, and
the devices of a fleet are spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

_SECOND = timedelta(seconds=1)
_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Random amounts in whole seconds."""

    start: timedelta = timedelta(0)
    """Move of the start; negative means earlier."""
    duration: timedelta = timedelta(0)
    """Change of the duration; negative means shorter."""
    cancel: timedelta = timedelta(0)
    """Delay of the stop when a running control is cancelled with randomisation; >= 0."""


def draw(
    mrid: str, lfdi: str, *, randomize_start: timedelta, randomize_duration: timedelta
) -> Draws:
    """Each amount uniform between nothing and its bound, both included, with the bound's sign.

    The stop of a cancelled control is delayed by up to the larger of both bounds, sign dropped.
    """
    if not randomize_start and not randomize_duration:
        return _NONE
    seed = sha256(f"{mrid}|{lfdi}".casefold().encode()).digest()
    longest = max(abs(randomize_start), abs(randomize_duration))
    start, duration, cancel = (
        _share(bound, int.from_bytes(seed[at * _BYTES : (at + 1) * _BYTES]))
        for at, bound in enumerate((randomize_start, randomize_duration, longest))
    )
    return Draws(start=start, duration=duration, cancel=cancel)


_NONE = Draws()


def _share(bound: timedelta, number: int) -> timedelta:
    seconds = number % (abs(bound) // _SECOND + 1)
    return timedelta(seconds=seconds if bound > timedelta(0) else -seconds)
