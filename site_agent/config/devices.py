"""Settings of devices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from contracts.config import Settings
from site_agent.config.buses import (
    BusSensors,
    CanSettings,
    DlmsMeterSettings,
    MBusMeterSettings,
)
from site_agent.config.mqtt import DeviceName, MqttDeviceSettings, MqttSensorSettings
from site_agent.config.values import (
    Amps,
    Host,
    Name,
    Parity,
    Percent,
    Port,
    Positive,
    SerialDevice,
)
from site_agent.domain.device import BatterySpec, Lapse, PvSpec
from site_agent.domain.site import ROOT


def kind_of(settings: object) -> object:
    """The kind of a device; `sunspec` where none is said."""
    if isinstance(settings, Mapping):
        return settings.get("kind", "sunspec")
    return getattr(settings, "kind", "sunspec")


def charger_kind_of(settings: object) -> object:
    """The kind of a charger; `ocpp` where none is said."""
    if isinstance(settings, Mapping):
        return settings.get("kind", "ocpp")
    return getattr(settings, "kind", "ocpp")


class SerialSettings(Settings):
    """A serial device with a Modbus RTU bus behind it."""

    device: SerialDevice
    """Best a path that stays the same when it is plugged in elsewhere: `/dev/serial/by-id/...`."""
    baud: Annotated[int, Field(ge=1200, le=1_000_000)] = 19200
    parity: Parity = "E"
    stop_bits: Literal[1, 2] = 1


class ModbusTlsSettings(Settings):
    """Modbus/TCP Security: both sides show certificates (TLS 1.2 or newer)."""

    ca: Path
    """Whom to trust."""
    cert: Path
    key: Path


class ModbusSettings(Settings):
    """Where a Modbus device is: at a `host` or on a `serial` bus."""

    host: Host | None = None
    port: Port | None = None
    """None: 502, or 802 with `tls`."""
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    framing: Literal["tcp", "rtu"] = "tcp"
    """`rtu`: a serial bus behind a transparent socket server."""
    tls: ModbusTlsSettings | None = None
    serial: SerialSettings | None = None
    timeout_s: Annotated[float, Field(ge=0.05, le=10)] = 1.0
    """How long a connect, and apart from it each answer, may take."""
    pace_s: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Silence before every request, for devices that need one; a serial bus has its own least."""

    @model_validator(mode="after")
    def _leads_to_one_place(self) -> ModbusSettings:
        if (self.host is None) == (self.serial is None):
            raise ValueError("either host or serial")
        if self.serial is not None and (self.port is not None or self.tls is not None):
            raise ValueError("port and tls belong to a host")
        if self.tls is not None and self.framing != "tcp":
            raise ValueError("tls needs framing tcp")
        return self


class ProfileSettings(ModbusSettings):
    """A Modbus device described by a profile; without `unit`, it has the profile's usual one."""

    kind: Literal["profile"]
    profile: Annotated[str, Field(min_length=1, max_length=300)]
    """The id of a profile that comes with the agent, or the path of one (`*.yaml`)."""

    @property
    def own_unit(self) -> int | None:
        """The unit, if it was said."""
        return self.unit if "unit" in self.model_fields_set else None


class ProfileSensorSettings(ProfileSettings):
    """Something measured beside the power: frequency, irradiance, a temperature, a contact."""

    id: Name


SensorSettings = Annotated[
    ProfileSensorSettings | MqttSensorSettings | BusSensors, Field(discriminator="kind")
]


class SunSpecMeterSettings(ModbusSettings):
    """The meter at the connection point, by SunSpec."""

    kind: Literal["sunspec"] = "sunspec"
    invert: bool = False
    """True where it counts export as positive."""
    period_s: Annotated[float, Field(ge=0.05, le=10)] = 0.25
    max_age_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0


class MqttMeterSettings(MqttDeviceSettings):
    """The meter at the connection point, on MQTT."""

    id: DeviceName = "meter"
    map: str | Mapping[str, object] = "gridyard.meter"
    """The id of a topic map that comes with the agent, the path of one (`*.yaml`), or the map."""
    invert: bool = False
    """True where it counts export as positive and its map does not say so."""
    max_age_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0


class ProfileMeterSettings(ProfileSettings):
    """The meter at the connection point, by a profile."""

    invert: bool = False
    """True where it counts export as positive and its profile does not say so."""
    max_age_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0


MeterSettings = Annotated[
    Annotated[SunSpecMeterSettings, Tag("sunspec")]
    | Annotated[MqttMeterSettings, Tag("mqtt")]
    | Annotated[ProfileMeterSettings, Tag("profile")]
    | Annotated[MBusMeterSettings, Tag("mbus")]
    | Annotated[DlmsMeterSettings, Tag("dlms")],
    Discriminator(kind_of),
]


class CloudSettings(Settings):
    """A station's existing cloud CSMS, which goes on working behind the agent."""

    url: Annotated[str, Field(pattern=r"^wss?://[^\s?#@]+$", max_length=500)]
    """Without the identity, which becomes the last segment."""
    identity: Name | None = None
    """How the cloud knows the station; None: as the agent does."""
    password: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, repr=False
    )
    """HTTP Basic password; the user name is the identity."""
    ca: Path | None = None
    """Whom to trust at `wss`; None: the system's roots."""
    cert: Path | None = None
    """With `key`: shown where the cloud asks for a client certificate (security profile 3)."""
    key: Path | None = None
    final_word: Literal["cloud", "both", "local"] = "cloud"
    """Who decides whether a driver may charge; `cloud`: our own policy counts while it is away."""
    firmware: bool = True
    """Whether the cloud may update firmware."""
    patience_s: Annotated[float, Field(ge=0.1, le=20)] = 3.0
    """How long a charger may wait for the cloud's answer."""
    most_kept: Annotated[int, Field(ge=100, le=100_000)] = 10_000
    """Messages about transactions kept while the cloud is away; beyond it samples are thinned."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> CloudSettings:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        if self.url.startswith("ws:") and (self.ca is not None or self.cert is not None):
            raise ValueError("ca, cert and key need wss")
        return self


class _EvseSettings(Settings):
    id: Name
    node: Name = ROOT
    phases: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    min_current_a: Amps = 6.0
    max_current_a: Amps = 32.0
    fail_safe_current_a: Amps = 6.0
    """What it falls back to by itself when the agent is gone."""
    dc: bool = False

    @model_validator(mode="after")
    def _currents_are_legal(self) -> Self:
        if not self.phases or len(set(self.phases)) < len(self.phases):
            raise ValueError("phases: one to three different ones of 1, 2, 3")
        if not 0 < self.min_current_a <= self.max_current_a:
            raise ValueError("min_current_a must lie between 0 and max_current_a")
        legal = self.min_current_a <= self.fail_safe_current_a <= self.max_current_a
        if self.fail_safe_current_a and not legal:
            raise ValueError("fail_safe_current_a must be 0 or from min_current_a to max_current_a")
        return self


class ChargerSettings(_EvseSettings):
    """One EVSE that speaks OCPP."""

    kind: Literal["ocpp"] = "ocpp"
    charge_point_id: str | None = None
    """How its station introduces itself; None: like the EVSE."""
    connector: Annotated[int, Field(ge=1, le=100)] = 1
    """Connector (OCPP 1.6) or EVSE number (2.0.1, 2.1) within its station."""
    versions: tuple[Literal["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], ...] = (
        "ocpp2.0.1",
        "ocpp2.1",
        "ocpp1.6",
    )
    """OCPP versions it may speak, the preferred one first."""
    password: Annotated[str, Field(min_length=8, max_length=40)] | None = Field(
        default=None, repr=False
    )
    tolerant: bool = False
    """Also admit it without a known subprotocol."""
    cloud: CloudSettings | None = None
    """Its station's existing cloud CSMS; of several EVSEs the first one's counts."""
    max_discharge_a: Amps = 0.0
    """Most a vehicle may feed back through it, A per phase; 0: charging only (needs OCPP 2.1)."""

    @property
    def station(self) -> str:
        """The charge point it belongs to."""
        return self.charge_point_id or self.id


class ProfileChargerSettings(_EvseSettings, ProfileSettings):
    """One EVSE that speaks Modbus, by a profile; it charges where nobody needs a card."""


AnyChargerSettings = Annotated[
    Annotated[ChargerSettings, Tag("ocpp")] | Annotated[ProfileChargerSettings, Tag("profile")],
    Discriminator(charger_kind_of),
]


class OcppSettings(Settings):
    """The server of the chargers."""

    host: str = "0.0.0.0"  # noqa: S104 (chargers come from outside)
    port: Port = 9000
    security_profile: Literal[0, 1, 2, 3] = 0
    """How chargers prove who they are. 0: they need not, 1: password, 2: password over TLS, 3: TLS
    with a certificate that names the charge point.

    A charger's own `password` is asked for in every profile. 0 and 1 only on a network of their
    own; 2 and 3 need `cert` and `key`, 3 also `client_ca`.
    """
    cert: Path | None = None
    """With `key`: speak `wss`."""
    key: Path | None = None
    client_ca: Path | None = None
    """Root certificates of the chargers (security profile 3)."""
    meter_interval_s: Annotated[int, Field(ge=1, le=3600)] | None = 5
    """Sampling interval asked of every charger; None leaves theirs as it is."""
    lease_s: Annotated[float, Field(ge=30, le=3600)] = 300.0

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> OcppSettings:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        if self.security_profile >= 2 and self.cert is None:  # noqa: PLR2004 - TLS begins there
            raise ValueError("security_profile 2 and 3 need cert and key")
        if self.security_profile == 3 and self.client_ca is None:  # noqa: PLR2004 - as above
            raise ValueError("security_profile 3 needs client_ca")
        return self


class _BatterySettings(Settings):
    id: Name
    node: Name = ROOT
    capacity_wh: Positive
    max_charge_w: Positive
    max_discharge_w: Positive
    reserve_soc_pct: Percent = 10.0
    efficiency: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the energy in its cells that comes out: what it can promise is less by the rest."""
    lapse: Lapse = Lapse.DEVICE
    """Whether its setpoint ends by itself; the adapter corrects it by what the device proves."""
    lease_s: Annotated[int, Field(ge=10, le=3600)] = 30
    bms: CanSettings | None = None
    """Its battery management, where that speaks on a wire of its own; its limits bind at once."""


class SunSpecBatterySettings(_BatterySettings, ModbusSettings):
    """A battery by SunSpec."""

    kind: Literal["sunspec"]
    invert_setpoint: bool = False
    """True where 704.WSet (or the rates of 124) count charging as positive."""
    hybrid: bool = False
    """True where PV hangs on the same inverter: its power is then measured at the DC side."""


class MqttBatterySettings(_BatterySettings, MqttDeviceSettings):
    """A battery on MQTT."""

    id: DeviceName
    map: str | Mapping[str, object] = "gridyard.battery"
    """The id of a topic map that comes with the agent, the path of one (`*.yaml`), or the map."""


class _LeaseOfProfile(ProfileSettings):
    @model_validator(mode="after")
    def _lease_is_the_profiles(self) -> Self:
        if "lease_s" in self.model_fields_set:
            raise ValueError("lease_s: its profile says how long setpoints last")
        return self


class ProfileBatterySettings(_BatterySettings, _LeaseOfProfile):
    """A battery by a profile."""


BatterySettings = Annotated[
    SunSpecBatterySettings | MqttBatterySettings | ProfileBatterySettings,
    Field(discriminator="kind"),
]


class _PvSettings(Settings):
    id: Name
    node: Name = ROOT
    rated_w: Positive
    lapse: Lapse = Lapse.DEVICE
    """Whether its limit ends by itself; the adapter corrects it by what the device proves."""
    lease_s: Annotated[int, Field(ge=10, le=3600)] = 30


class SunSpecPvSettings(_PvSettings, ModbusSettings):
    """A PV inverter by SunSpec."""

    kind: Literal["sunspec"] = "sunspec"


class MqttPvSettings(_PvSettings, MqttDeviceSettings):
    """A PV inverter on MQTT."""

    id: DeviceName
    map: str | Mapping[str, object] = "gridyard.pv"
    """The id of a topic map that comes with the agent, the path of one (`*.yaml`), or the map."""


class ProfilePvSettings(_PvSettings, _LeaseOfProfile):
    """A PV inverter by a profile."""


PvSettings = Annotated[
    Annotated[SunSpecPvSettings, Tag("sunspec")]
    | Annotated[MqttPvSettings, Tag("mqtt")]
    | Annotated[ProfilePvSettings, Tag("profile")],
    Discriminator(kind_of),
]


def battery_spec(battery: BatterySettings) -> BatterySpec:
    """One battery in the domain's words."""
    return BatterySpec(
        battery_id=battery.id,
        node=battery.node,
        capacity_wh=battery.capacity_wh,
        max_charge_w=battery.max_charge_w,
        max_discharge_w=battery.max_discharge_w,
        reserve_soc_pct=battery.reserve_soc_pct,
        efficiency=battery.efficiency,
        lapse=battery.lapse,
        lapses_after=timedelta(seconds=battery.lease_s),
    )


def pv_spec(inverter: PvSettings) -> PvSpec:
    """One inverter in the domain's words."""
    return PvSpec(
        pv_id=inverter.id,
        node=inverter.node,
        rated_w=inverter.rated_w,
        lapse=inverter.lapse,
        lapses_after=timedelta(seconds=inverter.lease_s),
    )
