"""What chargers tell of the vehicle itself, beside the card: NotifyEvent and vendors' messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from site_agent.devices.ocpp.authorization.tokens import TOKEN_LENGTH
from site_agent.devices.ocpp.versions.hearing import Hearer
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.domain.fleet.identity import Presented

_LONGEST = 2000
"""Characters of a vendor's message that are looked into."""
_MOST = 20
_SHORTEST_ADDRESS = 12
_VIN_LENGTH = 17
_NAMES: Mapping[str, str] = {
    "vin": "vin",
    "evccid": "evccid",
    "vehicleid": "evccid",  # ConnectedEV.VehicleId, 2.0.1 part 2 appendix
    "macaddress": "evccid",
    "mac": "evccid",
    "emaid": "emaid",
}
"""What vendors call a fact, in lower case without separators."""
_PLACES = ("evseid", "connectorid", "connector")


def take_transfer(station: Hearer, payload: Json) -> bool:
    """Whether a DataTransfer told of a vehicle, in JSON with telling names; it is kept if so."""
    data = _object(payload.get("data"))
    facts = dict(_facts(data.items()))
    place = next((data[name] for name in _PLACES if name in data), None)
    return _keep(station, place, facts)


def take_event(station: Hearer, payload: Json) -> None:
    """Keeps what a NotifyEvent tells of the component ConnectedEV (2.0.1, N07)."""
    for entry in fields.parts(payload, "eventData")[:_MOST]:
        component = fields.part(entry, "component")
        if fields.word(component, "name").lower() == "connectedev":
            name = _plain(fields.word(fields.part(entry, "variable"), "name"))
            facts = dict(_facts([(name, entry.get("actualValue"))]))
            _keep(station, fields.part(component, "evse").get("id"), facts)


def _keep(station: Hearer, place: object, facts: Mapping[str, str]) -> bool:
    if place is None and len(station.evses) == 1:
        place = next(iter(station.evses))
    if not facts or not isinstance(place, int) or place not in station.evses:
        return False
    station.evse(place).present(Presented(**facts))
    return True


def _facts(told: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    for name, value in told:
        fact = _NAMES.get(name)
        if fact is not None and isinstance(value, str) and _plausible(fact, value):
            yield fact, value


def _plausible(fact: str, value: str) -> bool:
    if fact == "vin":
        return len(value) == _VIN_LENGTH and value.isalnum()
    return value.isascii() and _SHORTEST_ADDRESS <= len(value) <= TOKEN_LENGTH


def _object(data: object) -> dict[str, object]:
    """The top level of an object, or of JSON text; its names in plain spelling."""
    if isinstance(data, str):
        try:
            data = json.loads(data) if len(data) <= _LONGEST else None
        except (ValueError, RecursionError):
            return {}
    return {_plain(name): value for name, value in data.items()} if isinstance(data, dict) else {}


def _plain(name: object) -> str:
    return str(name).lower().replace("_", "").replace("-", "")
