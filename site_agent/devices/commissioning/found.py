"""A device as it was found: who it is, what it is, and everything it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.reading import Quality
from site_agent.devices.commissioning.capture import Device

Value = float | int | str | None


class Nature(StrEnum):
    """What a device is to a site."""

    METER = "meter"
    PV = "pv"
    BATTERY = "battery"
    CHARGER = "charger"
    SENSOR = "sensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value, named and signed as the device or its profile does."""

    name: str
    value: Value
    unit: str = ""
    meaning: str = ""
    """What the number stands for, where it is a code."""
    label: str = ""
    quality: Quality = Quality.GOOD
    why: str = ""
    """Why there is no value."""
    writable: bool = False

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        told = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "meaning": self.meaning,
            "quality": self.quality.value,
            "why": self.why,
        }
        return {key: value for key, value in told.items() if value not in ("", None)} | {
            "value": self.value
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Values that belong together: a SunSpec model, or all of a profile."""

    title: str
    points: tuple[Shown, ...] = ()
    address: int | None = None
    length: int | None = None
    """Registers it takes."""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "title": self.title,
            "address": self.address,
            "length": self.length,
            "notes": list(self.notes),
            "points": [point.as_dict() for point in self.points],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One device behind one unit id."""

    unit: int
    profile: str | None
    """Id of the profile that describes it; None: it describes itself (SunSpec)."""
    nature: Nature | None
    """None: nothing that a site can use is known of it."""
    identity: Device
    groups: tuple[Group, ...]
    at: datetime
    ratings: Mapping[str, float] = field(default_factory=dict)
    """Settings that can be taken from the device, by their key in the site's settings."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "unit": self.unit,
            "profile": self.profile,
            "sunspec": self.profile is None,
            "nature": self.nature,
            "identity": self.identity.model_dump(),
            "ratings": dict(self.ratings),
            "at": self.at.isoformat(),
            "groups": [group.as_dict() for group in self.groups],
        }

    @property
    def name(self) -> str:
        """Maker and model, for people."""
        told = [part for part in (self.identity.manufacturer, self.identity.model) if part]
        return " ".join(told) or "a device without a name"

    def serials(self) -> Iterator[str]:
        """Every serial number it shows, of itself and of its parts."""
        for group in self.groups:
            for point in group.points:
                if isinstance(point.value, str) and point.name.endswith("SN"):
                    yield point.value


def alike(one: Found, other: Found) -> bool:
    """Whether two unit ids show the same: one device, if it has told its serial number."""
    named = (one.profile, one.identity) == (other.profile, other.identity)
    return named and _layout(one.groups) == _layout(other.groups)


def _layout(groups: Sequence[Group]) -> list[tuple[str, int | None]]:
    return [(group.title, group.address) for group in groups]
