"""What of a site a request is about, and so on which meter it is counted, and in which direction.

A meter of power that leaves is counted with its sign turned. Then a limit on exports reads like one
on imports: what lies above it is a reduction, which the same split, delivery and settlement serve.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Protocol

from contracts.device_class import DeviceClass
from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.site_link import points
from gateway.domain.event import GridEvent, SignalKind, effective_signal

_LOWER_IMPORT = frozenset({DeviceClass.EVSE, DeviceClass.STORAGE})


class Scope(StrEnum):
    """Decides on which meter a request is counted, and as which bound a site is told."""

    SITE = "site"
    """Power at the PCC; told as an import limit."""
    CHARGING = "charging"
    """Chargers alone; told as a load limit, so that no battery gives in their place."""
    STORAGE = "storage"
    """Batteries alone; told as a storage target, so that no vehicle waits in their place."""
    EXPORT = "export"
    """Power that leaves at the PCC; told as an export limit, to be kept in any way."""
    GENERATION = "generation"
    """What inverters make, and batteries that discharge; told as a generation limit."""
    NOTHING = "nothing"
    """Only devices that cannot lower the import: solar inverters."""

    @property
    def point(self) -> str:
        """The measured point on which it is counted."""
        return _POINTS.get(self, points.PCC_POWER_W)

    @property
    def turned(self) -> bool:
        """Whether that point is counted in the generator convention: what leaves is positive."""
        return self in (Scope.EXPORT, Scope.GENERATION)

    def counted(self, load: StepSeries) -> StepSeries:
        """A series of the point, or of changes of load, as it is counted; and back again."""
        return load.map(_turn) if self.turned else load

    def read(self, reading: Reading | None) -> Reading | None:
        """A reading of the point as it is counted."""
        if not self.turned or reading is None or reading.value is None:
            return reading
        return replace(reading, value=_turn(reading.value))

    @property
    def device_class(self) -> DeviceClass | None:
        """Whose part of the offers counts; None: all of them."""
        return _CLASSES.get(self)

    @property
    def words(self) -> str:
        """Who gives; empty when it may be whoever."""
        return _WORDS[self]

    @property
    def meter(self) -> str:
        """The meter in words, for reports; of import and export at the connection: empty."""
        return _METERS[self]

    def apart_from(self, other: Scope) -> bool:
        """Whether requests of the two can have no kW in common.

        What keeps power from leaving lowers no import.
        """
        if self.turned or other.turned:
            return self.turned is not other.turned
        return self is not other and Scope.SITE not in (self, other)


_POINTS = {
    Scope.CHARGING: points.CHARGING_POWER_W,
    Scope.STORAGE: points.BATTERY_POWER_W,
    Scope.GENERATION: points.GENERATION_POWER_W,
}
_CLASSES = {
    Scope.CHARGING: DeviceClass.EVSE,
    Scope.STORAGE: DeviceClass.STORAGE,
    Scope.GENERATION: DeviceClass.PV,
}
_WORDS = {
    Scope.SITE: "",
    Scope.CHARGING: "its chargers alone",
    Scope.STORAGE: "its batteries alone",
    Scope.EXPORT: "its exports alone",
    Scope.GENERATION: "its generation alone",
    Scope.NOTHING: "its inverters alone",
}


_METERS = {
    Scope.SITE: "",
    Scope.CHARGING: "what the chargers draw",
    Scope.STORAGE: "what the batteries draw",
    Scope.EXPORT: "what leaves at the connection",
    Scope.GENERATION: "what inverters make, and batteries that discharge",
    Scope.NOTHING: "",
}


class Narrowing(Protocol):
    """A program, as far as it matters here."""

    @property
    def device_classes(self) -> tuple[DeviceClass, ...]:
        """Whose load its events are about where they do not say."""


def scope_of(event: GridEvent, program: Narrowing | None) -> Scope:
    """By what the event asks for, and by the classes that it names, or else its program.

    Chargers and batteries are all that can lower an import: a request to both is one to the site.
    Inverters alone can only be asked for less generation.
    """
    signal = effective_signal(event)
    if signal is not None and signal.kind is SignalKind.EXPORT_LIMIT_W:
        return Scope.EXPORT
    if signal is not None and signal.kind is SignalKind.GENERATION_LIMIT_W:
        return Scope.GENERATION
    named = frozenset(event.device_classes or (program.device_classes if program else ()))
    able = named & _LOWER_IMPORT
    if not named or able == _LOWER_IMPORT:
        return Scope.SITE
    if not able:
        return Scope.GENERATION if _less_generation(event) else Scope.NOTHING
    return Scope.CHARGING if DeviceClass.EVSE in able else Scope.STORAGE


def _less_generation(event: GridEvent) -> bool:
    """Whether inverters alone can follow: a change of load upwards, or a load that is none."""
    signal = effective_signal(event)
    if signal is None:
        return False
    values_w = [step.value for step in signal.series]
    if signal.kind is SignalKind.DELTA_W:
        return min(values_w) >= 0
    return signal.kind is SignalKind.SETPOINT_W and max(values_w) <= 0


def _turn(value_w: float) -> float:
    """The other convention; 0 rather than -0."""
    return 0.0 - value_w
