"""What a utility has and may ask for over IEEE 2030.5, as people write it (YAML and JSON).

Names are ours and lead to resources by links only. Durations are in seconds, powers in W, voltages
and shares in percent. Signs are those of the standard: `opModFixedW` and `opModTargetW` are
positive when the DER delivers; limits are never negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from contracts.config import Settings
from contracts.sep2.modes import CURVE_MODES
from vtn_sim.sep2.modes import ModeSpec, check_mode
from vtn_sim.spec import MAX_SECONDS, XmlText

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
Lfdi = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{40}$"), AfterValidator(str.upper)]
Mrid = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{32}$")]
Description = Annotated[XmlText, Field(max_length=32)]
Category = Annotated[int, Field(ge=0, lt=2**32)]
"""Bits of `contracts.sep2.codes.DeviceCategory`."""
Primacy = Annotated[int, Field(ge=0, le=255)]
Pin = Annotated[int, Field(ge=0, le=999_999)]
"""Registration PIN with its check digit."""
Duration = Annotated[int, Field(ge=0, le=MAX_SECONDS)]
Random = Annotated[int, Field(ge=-3600, le=3600)]
Percent = Annotated[float, Field(ge=-100, le=100)]
Modes = Mapping[str, ModeSpec]


class ModesSpec(Settings):
    """What is to be controlled: modes by the standard's element names."""

    modes: Modes = Field(default_factory=dict)
    """W for `...W` and `...LimW`, var for `opModTargetVar`, percent for `opModMaxLimW` and
    `opModFixedW`, true or false for `opModConnect` and `opModEnergize`, the name of a curve of the
    program for curves, and parts by name for power factors, `opModFixedVar` and `opModFreqDroop`.
    """
    ramp_s: Annotated[float, Field(ge=0, le=86_400)] | None = None

    @model_validator(mode="after")
    def _known_modes(self) -> Self:
        for name, value in self.modes.items():
            check_mode(name, value)
        return self


class EventSpec(Settings):
    """What all events have."""

    program: Name
    name: Name | None = None
    """Made up when not given; it is how the event is spoken of here, devices know the mRID."""
    mrid: Mrid | None = None
    """Made up when not given. Must not be one that devices have seen from an earlier run."""
    duration_s: Annotated[int, Field(ge=1, le=MAX_SECONDS)]
    randomize_start_s: Random = 0
    randomize_duration_s: Random = 0
    response_required: Annotated[int, Field(ge=0, le=7)] = 3
    """1 received, 2 every change of state, 4 of the user; to be added."""
    description: Description = ""


class ControlSpec(EventSpec, ModesSpec):
    """A DERControl."""

    device_category: Category | None = None
    """Which of the program's devices it is for; none: all."""


class LoadControlSpec(EventSpec):
    """An EndDeviceControl (DRLC)."""

    device_category: Category
    mandatory: bool = False
    shift_forward: bool = False
    """Asks for more consumption instead of less."""
    duty_cycle_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    offset_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """How much less load."""
    target_w: Annotated[int, Field(ge=0, le=65_535)] | None = None
    """Reduction of the load."""
    override_s: Annotated[int, Field(ge=0, le=65_535)] | None = None


class CurveSpec(Settings):
    """A DERCurve of a program."""

    name: Name
    mode: str
    """The mode it is for, `opModVoltVar` for example."""
    points: Annotated[tuple[tuple[int, int], ...], Field(min_length=1, max_length=10)]
    """x and y, before their multipliers."""
    x_multiplier: Annotated[int, Field(ge=-9, le=9)] = 0
    y_multiplier: Annotated[int, Field(ge=-9, le=9)] = 0
    y_ref: Annotated[int, Field(ge=0, le=7)] = 1
    """What y is a part of (`contracts.sep2.codes.UnitRef`): 1 is setMaxW."""
    open_loop_s: Annotated[float, Field(ge=0, le=600)] | None = None

    @model_validator(mode="after")
    def _curve_mode(self) -> Self:
        if self.mode not in CURVE_MODES:
            raise ValueError(f"{self.mode!r} follows no curve")
        return self


class DefaultSpec(ModesSpec):
    """A DefaultDERControl."""

    grad_w_percent_per_s: Annotated[float, Field(ge=0, le=655)] | None = None
    """setGradW, in percent of setMaxW."""
    soft_grad_w_percent_per_s: Annotated[float, Field(ge=0, le=655)] | None = None
    es_delay_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    es_high_freq_hz: Annotated[float, Field(ge=0, le=655)] | None = None
    es_low_freq_hz: Annotated[float, Field(ge=0, le=655)] | None = None
    es_high_volt_percent: Annotated[float, Field(ge=0, le=300)] | None = None
    es_low_volt_percent: Annotated[float, Field(ge=0, le=300)] | None = None


class ProgramSpec(Settings):
    """A DERProgram."""

    name: Name
    primacy: Primacy
    """The lower one wins."""
    description: Description = ""
    default: DefaultSpec | None = None
    curves: tuple[CurveSpec, ...] = ()


class LoadProgramSpec(Settings):
    """A DemandResponseProgram."""

    name: Name
    primacy: Primacy
    description: Description = ""


class PriceSpec(Settings):
    """Prices from a time of day on."""

    at: time
    price: Annotated[float, Field(ge=-1000, le=1000)]
    """Currency per kWh delivered to the customer."""
    export_price: Annotated[float, Field(ge=-1000, le=1000)] | None = None
    """Currency per kWh received from the customer."""


def _whole_day(prices: tuple[PriceSpec, ...]) -> tuple[PriceSpec, ...]:
    times = [price.at for price in prices]
    if times != sorted(set(times)) or times[0] != time(0):
        raise ValueError("prices start at 00:00 and go on in order of time")
    return prices


DayPrices = Annotated[
    tuple[PriceSpec, ...], Field(min_length=1, max_length=288), AfterValidator(_whole_day)
]


class TariffSpec(Settings):
    """A TariffProfile whose prices repeat every day."""

    name: Name
    primacy: Primacy = 0
    currency: Annotated[int, Field(ge=0, le=999)] = 840
    """ISO 4217 number: 840 USD, 978 EUR, 36 AUD."""
    rate_code: Annotated[XmlText, Field(max_length=20)] = ""
    time_zone: ZoneInfo = ZoneInfo("UTC")
    response_required: Annotated[int, Field(ge=0, le=7)] = 0
    """Of its TimeTariffIntervals."""
    days: Annotated[int, Field(ge=1, le=31)] = 2
    """How many local days are published, today included."""
    prices: DayPrices


class FsaSpec(Settings):
    """A FunctionSetAssignments: one group that devices belong to."""

    name: Name
    description: Description = ""
    programs: tuple[Name, ...] = ()
    """DERPrograms."""
    load_programs: tuple[Name, ...] = ()
    """DemandResponsePrograms."""
    tariffs: tuple[Name, ...] = ()


class DeviceSpec(Settings):
    """An EndDevice the utility knows of."""

    lfdi: Lfdi
    label: Name | None = None
    """How it is spoken of here; none: by its LFDI."""
    pin: Pin = 111_115
    aggregator: Name | None = None
    """Who stands in for it; none: the first aggregator."""
    direct: bool = False
    """It connects itself, with a certificate of its own, and no aggregator stands in for it."""
    fsas: Annotated[tuple[Name, ...], Field(max_length=15)] = ()
    ders: Annotated[int, Field(ge=0, le=24)] = 1
    device_category: Category = 0
    registered: bool = True
    """False: listed only once it has been POSTed (in-band)."""
    connection_point: Annotated[XmlText, Field(max_length=32)] = ""
    """CSIP-AUS, in Australia the NMI; the device may PUT it."""

    @property
    def key(self) -> str:
        """The name in messages and paths of the REST API."""
        return self.label or self.lfdi


class AggregatorSpec(Settings):
    """A client that stands in for many EndDevices; it has one of its own."""

    name: Name = "aggregator"
    lfdi: Lfdi | None = None
    certificate: Path | None = None
    """Its certificate, from which the LFDI follows."""
    pin: Pin = 111_115

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if (self.lfdi is None) == (self.certificate is None):
            raise ValueError("give either lfdi or certificate")
        return self
