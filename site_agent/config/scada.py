"""Settings of the site's own Modbus server, for a control centre (SCADA) or an operator's RTU."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field

from contracts.config import Settings
from site_agent.config.values import Port

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
Networks = tuple[IPv4Network | IPv6Network, ...]


class ScadaTlsSettings(Settings):
    """Modbus/TCP Security: clients need a certificate under `client_ca` (TLS 1.2 or newer)."""

    cert: Path
    key: Path
    client_ca: Path


class ScadaSettings(Settings):
    """The site as a Modbus TCP server (docs/reference/scada-registers.md).

    Its limits can be written only where `telecontrol` has an input of kind `registers`.
    """

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    port: Port = 1502
    """802 is usual with `tls`, 502 without, where the agent may open them."""
    unit: Annotated[int, Field(ge=1, le=247)] = 1
    """Its unit id; 0 and 255 reach it as well, as the standard has it for TCP."""
    clients: Annotated[Networks, Field(max_length=100)] = ()
    """Addresses or networks that may connect, such as `10.1.0.0/24`; empty: all."""
    writers: Annotated[Networks, Field(max_length=100)] = ()
    """Of these, the ones that may write; empty: all that may connect."""
    most_clients: Annotated[int, Field(ge=1, le=64)] = 8
    idle_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    """A client that asks nothing for so long is disconnected."""
    tls: ScadaTlsSettings | None = None

    @property
    def guarded(self) -> bool:
        """Whether not just anybody can connect."""
        return self.host in _LOOPBACK or bool(self.clients) or self.tls is not None

    @property
    def guards_writes(self) -> bool:
        """Whether not just anybody can write."""
        return self.guarded or bool(self.writers)
