"""What a simulated depot consists of, as a YAML file says it.

Powers are in W, energies in Wh, currents in A per phase, times in s from the start. Port 0 lets
the system choose; the real one is reported in `depot_sim.depot.DepotAddresses`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from contracts.config import Settings
from depot_sim.chargers import charger
from depot_sim.chargers.personality import Value, compose
from depot_sim.config_field import (
    BuildingSettings,
    BusSettings,
    CellsSettings,
    ContactsSettings,
    GridSettings,
    MeterSettings,
    ModbusSettings,
    PlaceSettings,
    RoofSettings,
    SubMeterSettings,
    SunSpecBatterySettings,
    SunSpecPvSettings,
    VendorBatterySettings,
    VendorPvSettings,
)
from depot_sim.config_values import Id, NotNegative, Percent, Positive
from depot_sim.config_wires import CanBmsSettings, WireSettings
from depot_sim.faults import USUAL_AMOUNT, FaultKind
from depot_sim.grid import GRID, GRID_FAULTS
from depot_sim.mqtt import device as mqtt
from depot_sim.vendor.alfen import AlfenCharger

BUILDING = "building"
"""What a meter may measure that has no id."""
EXAMPLE = Path(__file__).with_name("depots") / "example.yaml"

Entry = str | dict[str, Value | dict[str, Value]]
"""One entry of a personality (`chargers.personality`)."""


class VehicleSettings(Settings):
    """A vehicle and the fleet's plan for it."""

    id: Id
    id_tag: Annotated[str, Field(min_length=1, max_length=20)]
    capacity_wh: Positive
    soc_pct: Percent
    max_ac_w: Positive = 11_040.0
    max_dc_w: NotNegative = 0.0
    max_discharge_w: NotNegative = 0.0
    """What it gives back at the outlet; 0: nothing."""
    min_soc_pct: Percent = 20.0
    """It gives back only down to here."""
    phases: Literal[1, 2, 3] = 3
    min_current_a: Annotated[float, Field(ge=0, le=80)] = 6.0
    """On AC it takes less than this per phase not at all."""
    taper_from_pct: Annotated[float, Field(ge=1, le=99)] = 85.0
    """From here on it takes less and less."""
    efficiency: Annotated[float, Field(ge=0.5, le=1)] = 0.92
    """Stored share of what the outlet delivers beyond the fixed loss."""
    fixed_loss_w: Annotated[float, Field(ge=0, le=2000)] = 0.0
    """Lost whatever flows, so that charging slowly is charging poorly; 100 to 300 are usual."""
    battery_c: Annotated[float, Field(ge=-40, le=60)] = 20.0
    """A battery below 15 °C takes less; it warms while charging."""
    ambient_c: Annotated[float, Field(ge=-40, le=60)] = 20.0
    reports_soc: bool = True
    """False: nobody learns its state of charge over the charger."""
    reaction_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """Time to follow a new limit; 1 to 3 s are usual."""
    sleeps_after_s: Positive | None = None
    """After so long a pause it needs a remote start or a new plug; none: it stays awake."""
    departure_after_s: NotNegative | None = None
    required_soc_pct: Percent = 80.0
    tag_type: Literal["ISO14443", "MacAddress", "eMAID", "NoAuthorization"] = "ISO14443"
    """What `id_tag` is, in the words of OCPP 2.0.1; 1.6 does not tell it."""


class ChargerSettings(Settings):
    """A charger with `evses` equal outlets; `vehicle` comes to the first one.

    `url` is the central system's; the charger's id becomes the last segment of the path.
    """

    id: Id
    version: Literal["1.6", "2.0.1", "2.1"]
    url: Annotated[str, Field(pattern=r"^wss?://")]
    password: str | None = None
    ca: Path | None = None
    """Trusted with `wss://`; without it what the system trusts."""
    cert: Path | None = None
    key: Path | None = None
    """A client certificate and its key, for security profile 3."""
    model: Annotated[str, Field(min_length=1, max_length=20)] = "Simulated EVSE"
    """As it introduces itself; what a central system learns of one model it expects of the next."""
    rated_a: Annotated[float, Field(ge=6, le=1000)] = 32.0
    phases: Literal[1, 2, 3] = 3
    first_phase: Literal[1, 2, 3] = 1
    dc: bool = False
    bidirectional: bool = False
    """A limit below 0 is followed as an order to discharge."""
    evses: Annotated[int, Field(ge=1, le=16)] = 1
    personality: tuple[Entry, ...] = ()
    """Names of deviations, alone or with parameters: `rejects-zero`, `{slow: 45}`,
    `{spikes-on-update: {for_s: 5}}`."""
    meter_interval_s: Annotated[int, Field(ge=1, le=3600)] = 10
    vehicle: VehicleSettings | None = None
    plug_in_after_s: NotNegative = 0.0

    @field_validator("personality")
    @classmethod
    def _known(cls, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        compose(entries)
        return entries

    @model_validator(mode="after")
    def _certificates_fit(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        if self.url.startswith("ws:") and (self.ca or self.cert):
            raise ValueError("ca, cert and key need a wss:// url")
        return self

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return charger.FAULTS


class BrokerSettings(Settings):
    """The site's MQTT broker and the device's login there."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    username: str | None = None
    password: str | None = None


class ModbusChargerSettings(ModbusSettings):
    """A socket of an Alfen Eve steered over Modbus, with a vehicle from `plug_in_after_s` on.

    A current it is given is valid for `validity_s`; then it falls back to `safe_a`.
    """

    id: Id
    kind: Literal["alfen"] = "alfen"
    rated_a: Annotated[float, Field(ge=6, le=80)] = 32.0
    phases: Literal[1, 3] = 3
    first_phase: Literal[1, 2, 3] = 1
    validity_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    safe_a: Annotated[float, Field(ge=0, le=80)] = 6.0
    vehicle: VehicleSettings | None = None
    plug_in_after_s: NotNegative = 0.0

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return AlfenCharger.FAULTS


class MqttSettings(Settings):
    """How a device on MQTT speaks."""

    kind: Literal["mqtt"]
    broker: BrokerSettings = BrokerSettings()
    state_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    portal: Id | None = None
    """Speak as a device behind a Victron GX of this portal id; none: our own JSON."""


class MqttMeterSettings(MqttSettings):
    """One more meter at the point of common coupling, on MQTT."""

    id: Id

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return mqtt.METER_FAULTS


class MqttBatterySettings(CellsSettings, MqttSettings):
    """A battery on MQTT."""

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return mqtt.SETPOINT_FAULTS


BatterySettings = Annotated[
    SunSpecBatterySettings | VendorBatterySettings | MqttBatterySettings,
    Field(discriminator="kind"),
]
SubMeters = Annotated[SubMeterSettings | MqttMeterSettings, Field(discriminator="kind")]


class MqttPvSettings(RoofSettings, MqttSettings):
    """A PV inverter on MQTT."""

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return mqtt.SETPOINT_FAULTS


def _kind(settings: object) -> object:
    if isinstance(settings, Mapping):
        return settings.get("kind", "sunspec")
    return getattr(settings, "kind", "sunspec")


PvSettings = Annotated[
    Annotated[SunSpecPvSettings, Tag("sunspec")]
    | Annotated[VendorPvSettings, Tag("sungrow")]
    | Annotated[MqttPvSettings, Tag("mqtt")],
    Discriminator(_kind),
]


PartSettings = ChargerSettings | ModbusChargerSettings | BatterySettings | PvSettings
DeviceSettings = PartSettings | MeterSettings | SubMeters | ContactsSettings | WireSettings


class FaultSettings(Settings):
    """One planned fault; `for_s` None means for good."""

    at_s: NotNegative
    device: Id
    kind: FaultKind
    for_s: NotNegative | None = None
    amount: Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)] | None = None
    """How much of it, as `depot_sim.faults.FaultKind` says of each kind that has an amount."""

    @model_validator(mode="after")
    def _amount_has_a_meaning(self) -> Self:
        if self.amount is not None and self.kind not in USUAL_AMOUNT:
            raise ValueError(f"amount: {self.kind} has none")
        return self


class DepotSettings(Settings):
    """A whole depot. Equal seeds give equal weather and equal building load."""

    site_id: Id
    seed: int = 1
    drift_period_s: Positive = 600.0
    place: PlaceSettings | None = None
    grid: GridSettings = GridSettings()
    buses: tuple[BusSettings, ...] = ()
    meter: MeterSettings = MeterSettings()
    meters: tuple[SubMeters, ...] = ()
    building: BuildingSettings = BuildingSettings()
    chargers: tuple[ChargerSettings, ...] = ()
    modbus_chargers: tuple[ModbusChargerSettings, ...] = ()
    batteries: tuple[BatterySettings, ...] = ()
    pv: tuple[PvSettings, ...] = ()
    contacts: tuple[ContactsSettings, ...] = ()
    wires: tuple[WireSettings, ...] = ()
    """Meters on M-Bus and DLMS/COSEM, and battery managements on CAN."""
    faults: tuple[FaultSettings, ...] = ()

    @property
    def devices(self) -> tuple[DeviceSettings, ...]:
        """Everything that has an id and may fail, but for the grid."""
        return (self.meter, *self.meters, *self.contacts, *self.wires, *self.parts)

    @property
    def parts(self) -> tuple[PartSettings, ...]:
        """The devices that draw or give power."""
        return (*self.chargers, *self.modbus_chargers, *self.batteries, *self.pv)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        names = [GRID, BUILDING, *(one.id for one in self.devices)]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"ids used twice: {', '.join(sorted(twice))}")
        return self

    @model_validator(mode="after")
    def _places_exist(self) -> Self:
        buses = {bus.id for bus in self.buses}
        for device in self.devices:
            bus = device.bus if isinstance(device, ModbusSettings) else None
            if bus is not None and bus not in buses:
                raise ValueError(f"{device.id}: no bus {bus!r}")
        parts = {self.meter.id, BUILDING, *(part.id for part in self.parts)}
        for meter in self.meters:
            if isinstance(meter, SubMeterSettings) and meter.of not in parts:
                raise ValueError(f"{meter.id}: nothing called {meter.of!r} to measure")
        batteries = {one.id for one in self.batteries}
        for wire in self.wires:
            if wire.of not in (batteries if isinstance(wire, CanBmsSettings) else parts):
                raise ValueError(f"{wire.id}: nothing called {wire.of!r} to tell of")
        if self.place is None and any(roof.sky == "sun" for roof in self.pv):
            raise ValueError("sky: sun needs a place")
        return self

    @model_validator(mode="after")
    def _island_feeds_what_exists(self) -> Self:
        fed = {one.id for one in (*self.chargers, *self.modbus_chargers, *self.pv)}
        strange = set(self.grid.backed_up) - fed
        if strange:
            raise ValueError(f"grid.backed_up: no charger or PV called {min(strange)!r}")
        return self

    @model_validator(mode="after")
    def _faults_can_happen(self) -> Self:
        possible = {GRID: GRID_FAULTS, **{one.id: one.fault_kinds for one in self.devices}}
        for fault in self.faults:
            if fault.device not in possible:
                raise ValueError(f"faults: no device {fault.device!r}")
            if fault.kind not in possible[fault.device]:
                kinds = ", ".join(sorted(possible[fault.device]))
                raise ValueError(f"faults: {fault.device!r} knows {kinds}, not {fault.kind}")
        return self
