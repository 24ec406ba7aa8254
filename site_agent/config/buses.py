"""Settings of devices on M-Bus, CAN and DLMS/COSEM, and of a battery's own management on CAN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.values import Host, Name, Parity, PeerPort, SerialDevice

PointName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
HexBytes = Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2}){1,11}$")]
SignalName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}\.[A-Za-z_]\w{0,99}$")]
ObisCode = Annotated[str, Field(pattern=r"^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}$")]
Age = Annotated[float, Field(ge=0.5, le=3600)]
Period = Annotated[float, Field(ge=0.5, le=3600)]
MeterAge = Annotated[float, Field(ge=0.5, le=60)]
Scale = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]


class MBusLineSettings(Settings):
    """A serial line with a level converter."""

    device: SerialDevice
    """Best a path that stays the same when it is plugged in elsewhere: `/dev/serial/by-id/...`."""
    baud: Annotated[int, Field(ge=300, le=115_200)] = 2400
    parity: Parity = "E"


class RecordSettings(Settings):
    """Which record of its telegrams is a point, in hex as a telegram has them."""

    dib: HexBytes
    """DIF and DIFEs."""
    vib: HexBytes
    """VIF and VIFEs."""
    scale: Scale = 1.0


class MBusSettings(Settings):
    """A meter on an M-Bus: at a transparent gateway (`host`, `port`) or on a `serial` line."""

    kind: Literal["mbus"]
    host: Host | None = None
    port: PeerPort | None = None
    serial: MBusLineSettings | None = None
    address: Annotated[int, Field(ge=1, le=254)] | None = None
    """Primary address: 1 to 250; 254 where there is one meter only."""
    secondary: Annotated[str, Field(pattern=r"^[0-9Ff]{8}([0-9A-Fa-f]{8})?$")] | None = None
    """Secondary address: the 8 digits on the meter, or all 16; F stands for any digit."""
    records: Mapping[PointName, RecordSettings] = Field(default_factory=dict)
    """Points that are not found by themselves."""
    shows: tuple[PointName, ...] | None = None
    """Points the meter has; None: all that may be found."""
    timeout_s: Annotated[float, Field(ge=0.2, le=10)] = 2.0
    """How long an answer as a whole may take; at 2400 Bd the longest takes 1.2 s."""
    period_s: Period = 5.0
    max_age_s: Age = 20.0

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.host is None) == (self.serial is None):
            raise ValueError("either host or serial")
        if (self.host is None) != (self.port is None):
            raise ValueError("host and port belong together")
        if (self.address is None) == (self.secondary is None):
            raise ValueError("either address or secondary")
        if self.address is not None and 251 <= self.address <= 253:  # noqa: PLR2004 - reserved
            raise ValueError("address: 251 to 253 are reserved")
        return self


class DlmsSettings(Settings):
    """A DLMS/COSEM meter on TCP."""

    kind: Literal["dlms"]
    host: Host
    port: PeerPort = 4059
    framing: Literal["wrapper", "hdlc"] = "wrapper"
    """`hdlc`: the frames of a serial line, as some meters and modems send them on TCP."""
    client: Annotated[int, Field(ge=1, le=127)] = 16
    """Whom we are to the meter; 16 is the public client, which may read little."""
    server: Annotated[int, Field(ge=1, le=16_383)] = 1
    """The logical device in the meter."""
    password: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, repr=False
    )
    """Low level security; None: no authentication."""
    obis: Mapping[PointName, ObisCode] | None = None
    """Code of each point, also of `import_power` and `export_power`; None: the usual ones."""
    timeout_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    """How long a readout as a whole may take."""
    period_s: Period = 5.0
    max_age_s: Age = 20.0


class MBusMeterSettings(MBusSettings):
    """The meter at the connection point, on M-Bus: slow, so that it ages before it is read anew."""

    invert: bool = False
    """True where it counts export as positive."""
    max_age_s: MeterAge = 15.0


class DlmsMeterSettings(DlmsSettings):
    """The meter at the connection point, by DLMS/COSEM."""

    invert: bool = False
    """True where it counts export as positive."""
    max_age_s: MeterAge = 15.0


class SignalSettings(Settings):
    """Which signals of a DBC file make a value."""

    signals: Annotated[tuple[SignalName, ...], Field(min_length=1, max_length=32)]
    """As `Message.signal`; the last of them that a frame has counts."""
    scale: Scale = 1.0
    offset: Scale = 0.0
    equals: Scale | None = None
    """With it the value is 1 where a signal has this number, else 0."""
    differs: Scale | None = None
    """With it the value is 1 where a signal has another number, else 0."""


class CanSettings(Settings):
    """A battery management system on CAN."""

    kind: Literal["can"] = "can"
    interface: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] = "socketcan"
    """One of python-can's: `socketcan`, `slcan`, ..."""
    channel: Annotated[str, Field(min_length=1, max_length=200)] = "can0"
    bitrate: Annotated[int, Field(ge=10_000, le=1_000_000)] | None = None
    """None where the system sets it, as with socketcan."""
    options: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    """More of the interface's own."""
    dbc: Path | None = None
    """What its frames mean; None: the frames most batteries send (0x351, 0x355, 0x356, ...)."""
    signals: Mapping[PointName, SignalSettings] | None = None
    """Point by point, for a `dbc` of your own."""
    faults: tuple[SignalSettings, ...] = ()
    """Each with `equals` or `differs`; any of them is a fault."""
    keep_alive: bool = False
    """Send frame 0x305 every second, for batteries that want to hear an inverter."""
    max_age_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0
    """Older limits allow nothing."""

    @model_validator(mode="after")
    def _map_belongs_to_a_file(self) -> Self:
        if (self.dbc is None) != (self.signals is None):
            raise ValueError("dbc and signals belong together")
        if self.faults and self.signals is None:
            raise ValueError("faults need a dbc and signals")
        return self


class MBusSensorSettings(MBusSettings):
    """A meter on M-Bus that is only told."""

    id: Name


class DlmsSensorSettings(DlmsSettings):
    """A DLMS/COSEM meter that is only told."""

    id: Name


class CanSensorSettings(CanSettings):
    """What is told on CAN, and nothing is done with."""

    id: Name
    kind: Literal["can"]


BusSensors = MBusSensorSettings | DlmsSensorSettings | CanSensorSettings
