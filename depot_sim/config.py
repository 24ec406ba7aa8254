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
from depot_sim.faults import USUAL_AMOUNT, FaultKind
from depot_sim.mqtt import device as mqtt
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from depot_sim.sunspec.meter import SunSpecMeter

EXAMPLE = Path(__file__).with_name("depots") / "example.yaml"

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,25}$")]
"""Safe in a URL, an MQTT topic and an OCPP serial number."""
Positive = Annotated[float, Field(gt=0, le=1e8, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


Entry = str | dict[str, Value | dict[str, Value]]
"""One entry of a personality (`chargers.personality`)."""


class ModbusSettings(Settings):
    """Where a Modbus TCP device listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    unit_id: Annotated[int, Field(ge=1, le=247)] = 1


class MeterSettings(ModbusSettings):
    """The grid meter; `rated_a` per phase sets its resolution."""

    id: Id = "pcc"
    rated_a: Positive = 400.0


class BuildingSettings(Settings):
    """The load nobody controls: `base_w`, give or take `swing_w`."""

    base_w: NotNegative = 10_000.0
    swing_w: NotNegative = 2_000.0


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


class CellsSettings(Settings):
    """What a battery can do, whatever it speaks; `efficiency` is one way."""

    id: Id
    capacity_wh: Positive
    max_charge_w: Positive
    max_discharge_w: Positive
    soc_pct: Percent = 50.0
    efficiency: Annotated[float, Field(gt=0, le=1)] = 0.96


class SunSpecBatterySettings(CellsSettings, ModbusSettings):
    """A battery on Modbus; `functions`: also curves and constants an inverter follows by itself."""

    kind: Literal["sunspec"]
    functions: bool = False


class BrokerSettings(Settings):
    """The site's MQTT broker and the device's login there."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    username: str | None = None
    password: str | None = None


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


class MqttBatterySettings(CellsSettings, MqttSettings):
    """A battery on MQTT."""


BatterySettings = Annotated[
    SunSpecBatterySettings | MqttBatterySettings, Field(discriminator="kind")
]


class RoofSettings(Settings):
    """Where PV is; the sky offers `clearness` of `rated_w`, give or take `swing` of it."""

    id: Id
    rated_w: Positive
    clearness: Share = 0.7
    swing: Share = 0.2


class SunSpecPvSettings(RoofSettings, ModbusSettings):
    """A PV inverter on Modbus.

    `functions`: it has the 700 series of models, with curves and constants it follows by itself,
    instead of the older 103 and 123.
    """

    kind: Literal["sunspec"] = "sunspec"
    functions: bool = False


class MqttPvSettings(RoofSettings, MqttSettings):
    """A PV inverter on MQTT."""


def _kind(settings: object) -> object:
    if isinstance(settings, Mapping):
        return settings.get("kind", "sunspec")
    return getattr(settings, "kind", "sunspec")


PvSettings = Annotated[
    Annotated[SunSpecPvSettings, Tag("sunspec")] | Annotated[MqttPvSettings, Tag("mqtt")],
    Discriminator(_kind),
]


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
    meter: MeterSettings = MeterSettings()
    meters: tuple[MqttMeterSettings, ...] = ()
    building: BuildingSettings = BuildingSettings()
    chargers: tuple[ChargerSettings, ...] = ()
    batteries: tuple[BatterySettings, ...] = ()
    pv: tuple[PvSettings, ...] = ()
    faults: tuple[FaultSettings, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        devices = (self.meter, *self.meters, *self.chargers, *self.batteries, *self.pv)
        twice = [name for name, count in Counter(d.id for d in devices).items() if count > 1]
        if twice:
            raise ValueError(f"ids used twice: {', '.join(sorted(twice))}")
        return self

    @model_validator(mode="after")
    def _faults_can_happen(self) -> Self:
        possible = self._fault_kinds()
        for fault in self.faults:
            if fault.device not in possible:
                raise ValueError(f"faults: no device {fault.device!r}")
            if fault.kind not in possible[fault.device]:
                kinds = ", ".join(sorted(possible[fault.device]))
                raise ValueError(f"faults: {fault.device!r} knows {kinds}, not {fault.kind}")
        return self

    def _fault_kinds(self) -> dict[str, frozenset[FaultKind]]:
        on_mqtt = [one.id for one in (*self.batteries, *self.pv) if one.kind == "mqtt"]
        on_sunspec = [b.id for b in self.batteries if b.kind == "sunspec"]
        inverters = {False: SunSpecInverter.FAULTS, True: SunSpecInverter700.FAULTS}
        return {
            **{c.id: charger.FAULTS for c in self.chargers},
            **dict.fromkeys(on_mqtt, mqtt.SETPOINT_FAULTS),
            **dict.fromkeys((one.id for one in self.meters), mqtt.METER_FAULTS),
            **dict.fromkeys(on_sunspec, SunSpecBattery.FAULTS),
            **{p.id: inverters[p.functions] for p in self.pv if p.kind == "sunspec"},
            self.meter.id: SunSpecMeter.FAULTS,
        }
