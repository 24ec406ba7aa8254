"""Settings that a central system may read and write, whatever the version calls them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from depot_sim.chargers.station import Station

_LONGEST_S = 86_400
_PASSWORD = re.compile(r"[!-~]{16,40}")


@dataclass(frozen=True, slots=True)
class Variable:
    """How to read one (None: a secret), and how to write it when it may be written.

    `write` raises ValueError for text it cannot take.
    """

    read: Callable[[Station], str] | None
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


def kept(name: str, usual: str, check: Callable[[str], object] = seconds) -> Variable:
    """A setting that is kept and has no other effect; `check` raises ValueError for bad text."""

    def write(station: Station, text: str) -> None:
        check(text)
        station.settings.kept[name] = text

    return Variable(lambda station: station.settings.kept.get(name, usual), write)


def flag(text: str) -> bool:
    """Whether the text is true; it is true or false.

    Raises:
        ValueError: neither.
    """
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def switch(field: str) -> Variable:
    """A true-or-false setting of the station."""

    def write(station: Station, text: str) -> None:
        setattr(station.settings, field, flag(text))

    return Variable(lambda station: str(getattr(station.settings, field)).lower(), write)


def _set_password(station: Station, text: str) -> None:
    if not _PASSWORD.fullmatch(text):
        raise ValueError("a password has 16 to 40 printable characters")
    station.settings.password = text


def _set_heartbeat(station: Station, text: str) -> None:
    station.settings.heartbeat_interval_s = seconds(text)


def _set_connection_timeout(station: Station, text: str) -> None:
    station.settings.connection_timeout_s = seconds(text)


def _set_meter(station: Station, text: str) -> None:
    station.settings.meter_interval_s = seconds(text)


PASSWORD = Variable(None, _set_password)
"""Takes effect with the next connection."""
LOCAL_LIST = switch("local_list")
LOCAL_PRE_AUTHORIZE = switch("local_pre_authorize")
LOCAL_AUTHORIZE_OFFLINE = switch("local_authorize_offline")
OFFLINE_UNKNOWN = switch("offline_unknown")
REMOTE_NEEDS_AUTHORIZATION = switch("remote_needs_authorization")
SECURITY_PROFILE = Variable(lambda s: str(s.settings.security_profile))
HEARTBEAT = Variable(lambda s: str(s.settings.heartbeat_interval_s), _set_heartbeat)
CONNECTION_TIMEOUT = Variable(
    lambda s: str(s.settings.connection_timeout_s), _set_connection_timeout
)
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
_EXPORTED = ("Power.Active.Export", "Energy.Active.Export.Register", "Current.Export")


def _sampled(station: Station) -> str:
    """A bidirectional outlet also meters what flows back."""
    both_ways = any(outlet.evse.bidirectional for outlet in station.outlets.values())
    return ",".join((*MEASURANDS, *_EXPORTED) if both_ways else MEASURANDS)


SAMPLED = Variable(_sampled)
