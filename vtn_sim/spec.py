"""What a utility may ask for, as people write it: in scenarios (YAML) and in the REST API (JSON).

Durations are whole seconds, power is in kW in the load convention: a `delta` of -120 asks for
120 kW less consumption.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from contracts.config import Settings
from contracts.openadr import words

MAX_SECONDS = 31 * 86_400
_XML_TEXT = re.compile(r"[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""The characters of XML 1.0 (2.2)."""
Seconds = Annotated[int, Field(ge=0, le=MAX_SECONDS)]


def _xml_text(text: str) -> str:
    if not _XML_TEXT.fullmatch(text):
        raise ValueError("holds a character that XML cannot carry")
    return text


XmlText = Annotated[str, AfterValidator(_xml_text)]
Identifier = Annotated[XmlText, Field(min_length=1, max_length=200)]
SignalName = Annotated[XmlText, Field(max_length=100), AfterValidator(words.signal_name)]
Unit = Literal["none", "W", "kW", "MW", "kWh", "currency", "currencyPerKW", "currencyPerKWh"]
Start = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC)),
]

_PRICES = ("price", "priceRelative", "priceMultiplier")
_TYPES = {
    "SIMPLE": ("level",),
    "ELECTRICITY_PRICE": _PRICES,
    "ENERGY_PRICE": _PRICES,
    "DEMAND_CHARGE": _PRICES,
    "BID_PRICE": ("price",),
    "BID_LOAD": ("setpoint",),
    "BID_ENERGY": ("setpoint",),
    "CHARGE_STATE": ("setpoint", "delta", "multiplier"),
    "LOAD_DISPATCH": ("delta", "setpoint", "multiplier", "level"),
    "LOAD_CONTROL": (
        "x-loadControlCapacity",
        "x-loadControlLevelOffset",
        "x-loadControlPercentOffset",
        "x-loadControlSetpoint",
    ),
}
"""Types of each signal (profile 2.0b, table of signals); an `x-...` signal may have any."""
_LEVELS = (0.0, 1.0, 2.0, 3.0)


class IntervalSpec(Settings):
    """One value for so long; 0 seconds lasts to the end of an open-ended event."""

    duration_s: Seconds
    value: Annotated[float, Field(allow_inf_nan=False)]
    """kW of LOAD_DISPATCH, level 0-3 of SIMPLE, currency per kWh of ELECTRICITY_PRICE."""


class InterfaceSpec(Settings):
    """A `transportInterface`: the edge between two pricing nodes."""

    receipt: Identifier
    delivery: Identifier


Outline = Annotated[tuple[float, ...], Field(min_length=2, max_length=1000)]
"""Coordinates one after another."""


class TargetSpec(Settings):
    """Who is addressed; the parts are OR-ed, nothing named means everyone."""

    ven_ids: tuple[Identifier, ...] = ()
    group_ids: tuple[Identifier, ...] = ()
    resource_ids: tuple[Identifier, ...] = ()
    party_ids: tuple[Identifier, ...] = ()
    group_names: tuple[Identifier, ...] = ()
    pnodes: tuple[Identifier, ...] = ()
    aggregated_pnodes: tuple[Identifier, ...] = ()
    meter_assets: tuple[Identifier, ...] = ()
    end_device_assets: tuple[Identifier, ...] = ()
    """Device classes, `Electric_Vehicle` for example."""
    service_delivery_points: tuple[Identifier, ...] = ()
    service_areas: tuple[Outline, ...] = ()
    service_locations: tuple[Outline, ...] = ()
    transport_interfaces: tuple[InterfaceSpec, ...] = ()


class SignalSpec(Settings):
    """One series of values."""

    name: SignalName = "LOAD_DISPATCH"
    """A signal of the profile, or `x-...`, which no VEN knows."""
    type: words.SignalType = words.SignalType.DELTA
    unit: Unit | None = None
    """None: kW of LOAD_DISPATCH and BID_LOAD, kWh of BID_ENERGY and CHARGE_STATE, currency for
    each kWh or kW of prices, none of the others."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    """ISO 4217, of prices."""
    targets: TargetSpec = TargetSpec()
    """Of this signal alone, device classes for example."""
    intervals: Annotated[tuple[IntervalSpec, ...], Field(min_length=1, max_length=3000)]

    @property
    def duration_s(self) -> int:
        """Sum of the intervals."""
        return sum(interval.duration_s for interval in self.intervals)

    @model_validator(mode="after")
    def _check(self) -> Self:
        types = _TYPES.get(self.name)
        if types is not None and self.type not in types:
            raise ValueError(f"{self.name} comes with type {' or '.join(types)}")
        if self.name == "SIMPLE" and any(i.value not in _LEVELS for i in self.intervals):
            raise ValueError("a SIMPLE level is 0, 1, 2 or 3")
        return self


class BaselineSpec(Settings):
    """What the load would be without the event, from its start on."""

    baseline_id: Identifier = "baseline"
    name: Identifier = "baseline"
    resource_ids: tuple[Identifier, ...] = ()
    intervals: Annotated[tuple[IntervalSpec, ...], Field(min_length=1, max_length=3000)]
    """In kW."""


class EventSpec(Settings):
    """One event without its place in time."""

    event_id: Identifier | None = None
    """Made up when not given. Must not be one a VEN has seen from an earlier run."""
    duration_s: Seconds | None = None
    """None: as long as its signals. 0: until further notice."""
    signals: Annotated[tuple[SignalSpec, ...], Field(min_length=1, max_length=10)]
    market_context: Annotated[XmlText, Field(min_length=1, max_length=500)] = (
        "http://utility.example/programs/depots"
    )
    targets: TargetSpec = TargetSpec()
    priority: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """1 is the highest, 0 the lowest."""
    test: bool | Annotated[XmlText, Field(max_length=200)] = False
    """Any text but `false` makes it a test (profile rule 6)."""
    notification_s: Seconds = 0
    ramp_up_s: Seconds = 0
    recovery_s: Seconds = 0
    start_tolerance_s: Seconds = 0
    """Start and end may be later by a random part of this."""
    response_required: bool = True
    baseline: BaselineSpec | None = None
    recipients: tuple[Identifier, ...] | None = None
    """venIDs of those who get it, whoever is addressed; none: as the targets say."""
    unchecked_durations: bool = False
    """Send it though its intervals do not add up."""
    modification_reason: Annotated[XmlText, Field(max_length=500)] = ""
    comment: Annotated[XmlText, Field(max_length=500)] = ""

    @property
    def duration(self) -> timedelta:
        """Length of the event, zero when open-ended."""
        seconds = self.signals[0].duration_s if self.duration_s is None else self.duration_s
        return timedelta(seconds=seconds)

    @model_validator(mode="after")
    def _check_durations(self) -> Self:
        """Profile rule 8: the intervals of every signal add up to the event."""
        wanted = int(self.duration.total_seconds())
        sums = {signal.duration_s for signal in self.signals}
        if wanted and not self.unchecked_durations and sums != {wanted}:
            raise ValueError(f"intervals last {sorted(sums)} s, the event {wanted} s")
        return self
