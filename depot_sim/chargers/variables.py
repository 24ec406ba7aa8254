"""Settings that a central system may read and write, whatever the version calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from depot_sim.chargers.station import Station

_LONGEST_S = 86_400


@dataclass(frozen=True, slots=True)
class Variable:
    """How to read one, and how to write it when it may be written.

    `write` raises ValueError for text it cannot take.
    """

    read: Callable[[Station], str]
    write: Callable[[Station, str], None] | None = None


def fixed(text: str) -> Variable:
    """A value that never changes."""
    return Variable(lambda _: text)


def seconds(text: str) -> int:
    """A number of seconds within 0..86400.

    Raises:
        ValueError: it is not.
    """
    value = int(text)
    if not 0 <= value <= _LONGEST_S:
        raise ValueError(f"{value} s is outside 0..{_LONGEST_S}")
    return value


def _set_heartbeat(station: Station, text: str) -> None:
    station.settings.heartbeat_interval_s = seconds(text)


def _set_meter(station: Station, text: str) -> None:
    station.settings.meter_interval_s = seconds(text)


HEARTBEAT = Variable(lambda s: str(s.settings.heartbeat_interval_s), _set_heartbeat)
METER_INTERVAL = Variable(lambda s: str(s.settings.meter_interval_s), _set_meter)
MAX_STACK_LEVEL = Variable(lambda s: str(s.personality.max_stack_level))
MAX_PERIODS = Variable(lambda s: str(s.personality.max_periods))
OUTLETS = Variable(lambda s: str(len(s.outlets)))
MEASURANDS = (
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Current.Import",
    "Voltage",
    "SoC",
)
"""What a sample holds, always."""
