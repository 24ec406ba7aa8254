"""The device model: components, their variables, and reports of them (2.0.1 part 2, B05-B08)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.station import Station
from depot_sim.chargers.variables import Variable

Key = tuple[str, str, int]
"""Component, variable, EVSE (0: the station's)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable and what a report says about it."""

    variable: Variable
    data_type: str
    unit: str | None = None

    @property
    def writable(self) -> bool:
        """Whether the central system may set it: then it is configuration."""
        return self.variable.write is not None


class DeviceModel:
    """All variables of one station."""

    def __init__(self, station: Station, entries: Mapping[Key, Entry]) -> None:
        self._station = station
        self._entries = entries
        self._components = {(component, evse_id) for component, _, evse_id in entries}

    def find(self, component: Json, variable: Json) -> tuple[str, Entry | None]:
        """The status word of GetVariables and, with Accepted, the entry."""
        evse_id = component.get("evse", {}).get("id", 0)
        if "instance" in component or (component["name"], evse_id) not in self._components:
            return "UnknownComponent", None
        entry = self._entries.get((component["name"], variable["name"], evse_id))
        if entry is None or "instance" in variable:
            return "UnknownVariable", None
        return "Accepted", entry

    def base_report(self, *, configuration: bool) -> list[Json]:
        """Everything, or only what can be set."""
        return [
            self._described(key, entry)
            for key, entry in self._entries.items()
            if entry.writable or not configuration
        ]

    def report(self, payload: Json) -> list[Json]:
        """What GetReport selects; criteria and component-variables must both hold."""
        wanted, criteria = payload.get("componentVariable"), payload.get("componentCriteria")
        return [
            self._described(key, entry)
            for key, entry in self._entries.items()
            if (wanted is None or any(_matches(key, one) for one in wanted))
            and (criteria is None or any(self._meets(key, word) for word in criteria))
        ]

    def get(self, asked: Json) -> Json:
        """One entry of GetVariables."""
        status, entry = self._actual(asked)
        result = _result(asked, status)
        if entry is None:
            return result
        if entry.variable.read is None:
            return {**result, "attributeStatus": "Rejected"}
        return {**result, "attributeValue": entry.variable.read(self._station)}

    def set(self, asked: Json) -> Json:
        """One entry of SetVariables."""
        status, entry = self._actual(asked)
        if entry is not None:
            status = self._written(entry.variable, asked["attributeValue"])
        return _result(asked, status)

    def _actual(self, asked: Json) -> tuple[str, Entry | None]:
        status, entry = self.find(asked["component"], asked["variable"])
        if entry is not None and asked.get("attributeType", "Actual") != "Actual":
            return "NotSupportedAttributeType", None
        return status, entry

    def _written(self, variable: Variable, text: str) -> str:
        if variable.write is None:
            return "Rejected"
        try:
            variable.write(self._station, text)
        except ValueError:
            return "Rejected"
        return "Accepted"

    def _meets(self, key: Key, criterion: str) -> bool:
        """Whether the component's variable of that name is true; without one, it is available."""
        component, _, evse_id = key
        entry = self._entries.get((component, criterion, evse_id))
        if entry is None or entry.variable.read is None:
            return criterion in ("Available", "Enabled")
        return entry.variable.read(self._station) == "true"

    def _described(self, key: Key, entry: Entry) -> Json:
        component, variable, evse_id = key
        attribute: Json = {"mutability": "ReadWrite" if entry.writable else "ReadOnly"}
        if entry.variable.read is None:
            attribute["mutability"] = "WriteOnly"
        else:
            attribute["value"] = entry.variable.read(self._station)
        characteristics: Json = {"dataType": entry.data_type, "supportsMonitoring": False}
        if entry.unit is not None:
            characteristics["unit"] = entry.unit
        return {
            "component": {"name": component, **({"evse": {"id": evse_id}} if evse_id else {})},
            "variable": {"name": variable},
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }


def parts(found: list[Json], size: int) -> Iterator[tuple[int, list[Json], bool]]:
    """(sequence number, part, whether more follow)."""
    for start in range(0, len(found), size):
        yield start // size, found[start : start + size], start + size < len(found)


def _matches(key: Key, wanted: Json) -> bool:
    """A selection without an EVSE takes the component on every EVSE, without a variable, all."""
    component, variable, evse_id = key
    asked = wanted["component"]
    pairs = (
        (asked["name"], component),
        (asked.get("evse", {}).get("id", evse_id), evse_id),
        (wanted.get("variable", {}).get("name", variable), variable),
    )
    return all(want == has for want, has in pairs)


def _result(asked: Json, status: str) -> Json:
    return {
        "attributeStatus": status,
        "component": asked["component"],
        "variable": asked["variable"],
    }
