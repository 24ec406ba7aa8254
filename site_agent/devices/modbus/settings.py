"""Where a register link leads and how patiently it is used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from site_agent.config.devices import ModbusSettings

MODBUS_PORT = 502
TLS_PORT = 802
"""Modbus/TCP Security, clause 6: the port registered as mbap-s."""
_BITS_A_CHARACTER = 11
"""Start, eight of data, parity or a second stop, stop: Modbus over Serial Line V1.02, 2.5.1."""
_SHORTEST_SILENCE_S = 0.00175
"""Between frames above 19200 Bd, where 3.5 characters would be less (the same, 2.5.1.1)."""


class Framing(StrEnum):
    """How requests are framed on the socket."""

    TCP = "tcp"
    RTU = "rtu"
    """A serial bus behind a transparent socket server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """A serial device with a bus behind it: RTU framing, 8 data bits."""

    device: str
    """Path, as `/dev/serial/by-id/...`."""
    baud: int = 19200
    parity: Literal["N", "E", "O"] = "E"
    stop_bits: Literal[1, 2] = 1

    @property
    def silence_s(self) -> float:
        """The silence that parts two frames: 3.5 characters."""
        return max(3.5 * _BITS_A_CHARACTER / self.baud, _SHORTEST_SILENCE_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files for Modbus/TCP Security: whom to trust, and who we are."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """A socket (`host`, `port`, perhaps inside TLS) or a serial line, never both."""

    host: str = ""
    port: int = MODBUS_PORT
    framing: Framing = Framing.TCP
    tls: TlsFiles | None = None
    serial: SerialLine | None = None
    timeout_s: float = 1.0
    """Bounds a connect and, apart from it, each answer."""
    pace_s: float = 0.0
    """Silence before every request, for devices and buses that need one."""

    def __post_init__(self) -> None:
        if bool(self.host) == (self.serial is not None):
            raise ValueError("a link leads to a host or to a serial line")
        if self.tls is not None and (self.serial is not None or self.framing is not Framing.TCP):
            raise ValueError("TLS needs a host and TCP framing")

    @property
    def where(self) -> str:
        """What it leads to; no two links may lead to the same."""
        return f"{self.host}:{self.port}" if self.serial is None else self.serial.device

    @property
    def is_bus(self) -> bool:
        """Whether there is a serial bus at its end, which outlives any connection of ours."""
        return self.serial is not None or self.framing is Framing.RTU

    @property
    def silence_s(self) -> float:
        """Silence kept before every request."""
        return self.pace_s if self.serial is None else max(self.pace_s, self.serial.silence_s)


def link_settings(settings: ModbusSettings) -> LinkSettings:
    """Where one device's settings lead."""
    serial, tls = settings.serial, settings.tls
    return LinkSettings(
        host=settings.host or "",
        port=settings.port or (MODBUS_PORT if tls is None else TLS_PORT),
        framing=Framing(settings.framing),
        tls=None if tls is None else TlsFiles(ca=tls.ca, cert=tls.cert, key=tls.key),
        serial=None if serial is None else SerialLine(**serial.model_dump()),
        timeout_s=settings.timeout_s,
        pace_s=settings.pace_s,
    )
