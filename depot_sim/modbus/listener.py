"""Where Modbus devices listen, and how."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from contracts.errors import ConfigError
from depot_sim.modbus.framing import Framing


class Address(NamedTuple):
    """Where a Modbus server listens; on a serial line `host` is its device, and the port 0."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """PEM files of Modbus/TCP Security: the server's own and, if clients must show one, their CA.

    The role extension of client certificates is not looked at.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer.

        Raises:
            ConfigError: a file is missing or holds no certificate or key.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:
            raise ConfigError(f"{self.cert}, {self.key}, {self.client_ca}: {error}") from error
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where a device shall listen; port 0 lets the system choose.

    With `serial`, the path of a serial line or of one end of a pty, it listens there, framed as RTU
    whatever `framing` says. `unit_id` is the device's number there.
    """

    host: str = "127.0.0.1"
    port: int = 0
    unit_id: int = 1
    framing: Framing = Framing.TCP
    tls: Tls | None = None
    serial: Path | None = None
