"""Settings of what is on Modbus, of the sky, the building and the grid; see `depot_sim.config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from contracts.config import Settings
from depot_sim.config_values import (
    Celsius,
    Id,
    NotNegative,
    Percent,
    Port,
    Positive,
    Share,
)
from depot_sim.faults import FaultKind
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from depot_sim.sunspec.meter import SunSpecMeter
from depot_sim.vendor.contacts import Contacts
from depot_sim.vendor.meters import VendorMeter
from depot_sim.vendor.sungrow import SungrowBattery, SungrowInverter
from depot_sim.vendor.victron import VictronBattery

# --- lines ---------------------------------------------------------------------------------------


class TlsSettings(Settings):
    """PEM files of Modbus in TLS."""

    cert: Path
    key: Path
    client_ca: Path | None = None
    """Clients must show a certificate of this authority; none: they need not."""


class LineSettings(Settings):
    """Where a Modbus device or a whole bus listens."""

    host: str = "127.0.0.1"
    port: Port = 0
    framing: Literal["tcp", "rtu"] = "tcp"
    """`rtu`: as a transparent socket server of a serial bus does."""
    tls: TlsSettings | None = None
    serial: Path | None = None
    """A serial line (or one end of a pty) instead of a port."""


class BusSettings(LineSettings):
    """A line that several devices share; they name it by its id."""

    id: Id


class ModbusSettings(LineSettings):
    """A device with a line of its own, or on a `bus`."""

    unit_id: Annotated[int, Field(ge=1, le=247)] = 1
    bus: Id | None = None

    @model_validator(mode="after")
    def _bus_or_line(self) -> Self:
        line = set(LineSettings.model_fields) & self.model_fields_set
        if self.bus is not None and line:
            raise ValueError(f"a device on a bus has no {', '.join(sorted(line))} of its own")
        return self


# --- devices -------------------------------------------------------------------------------------


class MeterSettings(ModbusSettings):
    """A meter; `rated_a` per phase sets the resolution of `sunspec`."""

    kind: Literal["sunspec", "sunspec-float", "em540", "sdm630"] = "sunspec"
    """SunSpec 203 or 213, a Carlo Gavazzi EM540, an Eastron SDM630."""
    id: Id = "pcc"
    rated_a: Positive = 400.0

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return (SunSpecMeter if self.kind.startswith("sunspec") else VendorMeter).FAULTS


class SubMeterSettings(MeterSettings):
    """One more meter on Modbus, of the connection point or of one part of the depot."""

    id: Id
    of: Id = "pcc"
    """`pcc`, `building`, or a device's id."""


class CellsSettings(Settings):
    """What a battery can do, whatever it speaks; `efficiency` is one way.

    Left out, the rest is that of an ideal battery (`physics.battery.Traits` tells each).
    """

    id: Id
    capacity_wh: Positive
    max_charge_w: Positive
    max_discharge_w: Positive
    soc_pct: Percent = 50.0
    efficiency: Annotated[float, Field(gt=0, le=1)] = 0.96
    lowest_pct: Percent = 0.0
    highest_pct: Percent = 100.0
    taper_from_pct: Percent = 100.0
    taper_below_pct: Percent = 0.0
    ramp_w_per_s: Positive | None = None
    reaction_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    standby_w: NotNegative = 0.0
    resistive_loss: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    ambient_c: Celsius | None = None

    @model_validator(mode="after")
    def _window_is_open(self) -> Self:
        if self.lowest_pct >= self.highest_pct:
            raise ValueError("lowest_pct must lie below highest_pct")
        return self


class SunSpecBatterySettings(CellsSettings, ModbusSettings):
    """A battery on Modbus; `functions`: also curves and constants an inverter follows by itself."""

    kind: Literal["sunspec"]
    control: Literal["704", "124"] = "704"
    """Set in watts (704, with 713 and 802), or by the rates of an older hybrid inverter (124)."""
    functions: bool = False
    heartbeat_s: Positive | None = None
    """It drops its setpoint when the controller's heartbeat stands still for so long."""
    islands: bool = False
    """In an outage it feeds the building."""

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return SunSpecBattery.FAULTS

    @model_validator(mode="after")
    def _old_ones_can_less(self) -> Self:
        if self.control == "124" and (self.functions or self.heartbeat_s or self.islands):
            raise ValueError("control 124 has neither functions nor heartbeat_s nor islands")
        return self


class VendorBatterySettings(CellsSettings, ModbusSettings):
    """A battery with its maker's registers: a Sungrow SH hybrid, a Victron Multi."""

    kind: Literal["sungrow", "victron"]

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return {"sungrow": SungrowBattery, "victron": VictronBattery}[self.kind].FAULTS


class RoofSettings(Settings):
    """Where PV is.

    By default the sky drifts: `clearness` of `rated_w`, give or take `swing` of it, at any hour.
    Where the depot has a `place`, `sky: sun` follows the sun there, with clouds before it for a
    part `cover` of the time; `oversize` is the modules' rating over the inverter's.
    """

    id: Id
    rated_w: Positive
    sky: Literal["drift", "sun"] = "drift"
    clearness: Share = 0.7
    swing: Share = 0.2
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 15.0
    azimuth_deg: Annotated[float, Field(ge=0, le=360)] = 180.0
    cover: Share = 0.3
    oversize: Annotated[float, Field(gt=0, le=2)] = 1.2
    ambient_c: Celsius = 15.0


class SunSpecPvSettings(RoofSettings, ModbusSettings):
    """A PV inverter on Modbus.

    `functions`: it has the 700 series of models, with curves and constants it follows by itself,
    instead of the older 103 and 123. `strings`: model 160, or 714, with so many.
    """

    kind: Literal["sunspec"] = "sunspec"
    functions: bool = False
    strings: Annotated[int, Field(ge=0, le=24)] = 0
    heartbeat_s: Positive | None = None
    """With `functions`: it drops its limit when the controller's heartbeat stands still so long."""

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return (SunSpecInverter700 if self.functions else SunSpecInverter).FAULTS


class VendorPvSettings(RoofSettings, ModbusSettings):
    """A PV inverter with its maker's registers: a Sungrow SG, whose limits never lapse."""

    kind: Literal["sungrow"]

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return SungrowInverter.FAULTS


class ClosingSettings(Settings):
    """One planned closing of a contact."""

    at_s: NotNegative
    contact: Annotated[int, Field(ge=0, le=15)]
    for_s: Positive | None = None
    """None: for good."""


class ContactsSettings(ModbusSettings):
    """A remote I/O module; its contacts are open until they close as planned."""

    id: Id
    count: Annotated[int, Field(ge=1, le=16)] = 8
    closes: tuple[ClosingSettings, ...] = ()

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return Contacts.FAULTS

    @model_validator(mode="after")
    def _contacts_exist(self) -> Self:
        for closing in self.closes:
            if closing.contact >= self.count:
                raise ValueError(f"contact {closing.contact}: there are {self.count}, from 0")
        return self


# --- surroundings --------------------------------------------------------------------------------


Factor = Annotated[float, Field(ge=0, le=10)]


class StepSettings(Settings):
    """A load that comes on by itself (`physics.building.Step`)."""

    at_s: NotNegative
    for_s: Positive
    power_w: Positive
    phases: Literal[1, 2, 3] = 3
    first_phase: Literal[1, 2, 3] = 1
    every_s: Positive | None = None


class BuildingSettings(Settings):
    """The load nobody controls: `base_w`, give or take `swing_w`, times its `shape` of the day.

    `shape` has factors for equal parts of the day from local midnight on; the depot starts at
    `start_hour`, or (None) at the clock's hour in UTC.
    """

    base_w: NotNegative = 10_000.0
    swing_w: NotNegative = 2_000.0
    shape: Annotated[tuple[Factor, ...], Field(min_length=1, max_length=96)] = (1.0,)
    start_hour: Annotated[float, Field(ge=0, lt=24)] | None = None
    steps: tuple[StepSettings, ...] = ()
    power_factor: Annotated[float, Field(ge=0.5, le=1)] = 1.0


class PlaceSettings(Settings):
    """Where on earth the depot is, and when its second 0; None: now."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    begin: AwareDatetime | None = None


class GridSettings(Settings):
    """The grid in front of the depot, and how devices come back after an outage.

    Chargers return one after the other, `charger_gap_s` apart; PV after `pv_s` (60 s of a sound
    grid are usual in Europe), everything else after `others_s`.
    """

    wander_hz: Annotated[float, Field(ge=0, le=2)] = 0.0
    wander_v: Annotated[float, Field(ge=0, le=50)] = 0.0
    impedance_ohm: Annotated[float, Field(ge=0, le=1)] = 0.0
    others_s: NotNegative = 3.0
    charger_gap_s: NotNegative = 2.0
    pv_s: NotNegative = 60.0
    backed_up: tuple[Id, ...] = ()
    """Chargers and PV that a battery which islands keeps alive in an outage, beside the building.
    When it cannot bear them all, the island collapses: they lose power until the grid is back."""
