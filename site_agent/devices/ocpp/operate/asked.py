"""What a command was asked for: which station and EVSE, and values within bounds."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.errors import PermanentError
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.wire import fields

Args = Mapping[str, object]


def station(central: CentralSystem, args: Args) -> Station:
    """The station named by `charge_point`.

    Raises:
        PermanentError: there is none of this name.
    """
    name = fields.text(args, "charge_point", 255)
    found = central.stations.get(name)
    if found is None:
        known = ", ".join(sorted(central.stations)[:20]) or "none"
        raise PermanentError(f"no charge point {name!r} in the settings; there are: {known}")
    return found


def online(one: Station) -> Link:
    """The station's connection.

    Raises:
        PermanentError: it is not connected.
    """
    if one.link is None:
        raise PermanentError(f"{one.config.charge_point_id}: not connected")
    return one.link


def evse(one: Station, args: Args) -> tuple[int, OcppCharger]:
    """The EVSE named by `evse`, or the only one.

    Raises:
        PermanentError: there is none of this number, or it must be said which.
    """
    number = args.get("evse")
    if number is None and len(one.evses) == 1:
        return next(iter(one.evses.items()))
    known = ", ".join(map(str, one.evses))
    if number is None:
        raise PermanentError(f"say which EVSE: {known}")
    if not isinstance(number, int) or number not in one.evses:
        raise PermanentError(f"no EVSE {number!r}; there are: {known}")
    return number, one.evses[number]


def evse_or_none(one: Station, args: Args) -> int | None:
    """The number of the EVSE, or None for the whole station."""
    return None if args.get("evse") is None else evse(one, args)[0]


def count(args: Args, key: str, most: int, otherwise: int) -> int:
    """A whole number from 1 to `most`.

    Raises:
        PermanentError: it is none.
    """
    if args.get(key) is None:
        return otherwise
    value = fields.whole(args, key)
    if not 1 <= value <= most:
        raise PermanentError(f"{key} must lie between 1 and {most}")
    return value
