"""What of a site a request is about: all of it, or one class of devices with its own meter."""

from __future__ import annotations

from enum import StrEnum

from contracts.device_class import DeviceClass
from contracts.site_link import points
from gateway.domain.event import GridEvent
from gateway.domain.program.program import Program

_LOWER_IMPORT = frozenset({DeviceClass.EVSE, DeviceClass.STORAGE})


class Scope(StrEnum):
    """Decides on which meter a request is counted, and as which bound a site is told."""

    SITE = "site"
    """Power at the PCC; told as an import limit."""
    CHARGING = "charging"
    """Chargers alone; told as a load limit, so that no battery gives in their place."""
    STORAGE = "storage"
    """Batteries alone; told as a storage target, so that no vehicle waits in their place."""
    NOTHING = "nothing"
    """Only devices that cannot lower the import: solar inverters."""

    @property
    def point(self) -> str:
        """The measured point on which it is counted."""
        if self is Scope.CHARGING:
            return points.CHARGING_POWER_W
        return points.BATTERY_POWER_W if self is Scope.STORAGE else points.PCC_POWER_W

    @property
    def device_class(self) -> DeviceClass | None:
        """Whose part of the offers counts; None: all of them."""
        if self is Scope.CHARGING:
            return DeviceClass.EVSE
        return DeviceClass.STORAGE if self is Scope.STORAGE else None

    @property
    def words(self) -> str:
        """Who gives; empty when it may be whoever."""
        return _WORDS[self]

    def apart_from(self, other: Scope) -> bool:
        """Whether requests of the two can have no kW in common."""
        return self is not other and Scope.SITE not in (self, other)


_WORDS = {
    Scope.SITE: "",
    Scope.CHARGING: "its chargers alone",
    Scope.STORAGE: "its batteries alone",
    Scope.NOTHING: "its inverters alone",
}


def scope_of(event: GridEvent, program: Program | None) -> Scope:
    """By the classes the event names, or its program where it names none.

    Chargers and batteries are all that can lower an import: a request to both is one to the site.
    """
    named = frozenset(event.device_classes or (program.device_classes if program else ()))
    able = named & _LOWER_IMPORT
    if not named or able == _LOWER_IMPORT:
        return Scope.SITE
    if not able:
        return Scope.NOTHING
    return Scope.CHARGING if DeviceClass.EVSE in able else Scope.STORAGE
