"""Two IEEE 2030.5 clients brought to do the same: find a fleet by links, and poll its controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from contracts.clock import SystemClock
from contracts.identity import certificate_der, lfdi, sep2_client_context
from gateway.utility.sep2.discovery import Discovery
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport

if TYPE_CHECKING:
    from py20305.client.csip_client import CsipClient

POLL_RATE_S = 300
"""pollRate of the programs and their controls; everything else is polled more seldom."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One program as an EndDevice has it; mRIDs in upper case."""

    lfdi: str
    program: str
    controls: frozenset[str]
    default: str | None


class Client(Protocol):
    """One client of one server, for one measurement."""

    async def discover(self) -> None:
        """From DeviceCapability to every program, control and default of every EndDevice."""
        ...

    async def poll(self) -> None:
        """Look again at every list of programs, list of controls and default, once."""
        ...

    def seen(self) -> frozenset[Seen]:
        """What it knows."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class _SkippingClock(SystemClock):
    """The real clock, but what is due later can be made due now."""

    def __init__(self) -> None:
        self.skipped_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped_s


class Ours:
    """The reading half of the gateway's client."""

    def __init__(self, settings: Sep2Settings) -> None:
        tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
        own_lfdi = lfdi(certificate_der(settings.cert))
        self._clock = _SkippingClock()
        self._transport = Sep2Transport(settings, tls)
        self._discovery = Discovery(settings, self._transport, self._clock, own_lfdi)

    async def discover(self) -> None:
        """See `Client`."""
        while await self._discovery.step():
            pass

    async def poll(self) -> None:
        """See `Client`."""
        self._clock.skipped_s += POLL_RATE_S
        await self.discover()

    def seen(self) -> frozenset[Seen]:
        """See `Client`."""
        return frozenset(
            Seen(
                device.lfdi,
                found.program.canonical_mrid,
                frozenset(control.canonical_mrid for control in found.controls),
                None if found.default is None else found.default.canonical_mrid,
            )
            for device in self._discovery.view.devices.values()
            for found in device.programs
        )

    async def aclose(self) -> None:
        """See `Client`."""
        await self._transport.aclose()


class Theirs:
    """py20305, as its own program drives it."""

    def __init__(self, settings: Sep2Settings) -> None:
        """As ours.

        Raises:
            ImportError: it is not installed.
        """
        from py20305.client.csip_client import CsipClient  # noqa: PLC0415 - for development only
        from py20305.client.tls import TlsConfig  # noqa: PLC0415

        base, _, path = str(settings.url).rpartition("/")
        tls = TlsConfig(client_cert=settings.cert, client_key=settings.key, ca_cert=settings.ca)
        self._client: CsipClient = CsipClient(
            base, tls=tls, server_2018_compat=True, dcap_path=f"/{path}"
        )

    async def discover(self) -> None:
        """See `Client`."""
        await self._client.connect()

    async def poll(self) -> None:
        """See `Client`."""
        await self._client.poll_now()

    def seen(self) -> frozenset[Seen]:
        """See `Client`."""
        state = self._client.state
        return frozenset(
            Seen(
                device.lfdi.hex().upper(),
                found.program.m_rid.value.hex().upper(),
                frozenset(one.m_rid.value.hex().upper() for one in found.der_controls),
                None
                if found.default_dercontrol is None
                else found.default_dercontrol.m_rid.value.hex().upper(),
            )
            for device in state.end_devices.values()
            for href in state.device_mapping.device_to_programs.get(device.href, ())
            for found in [state.der_programs[href]]
        )

    async def aclose(self) -> None:
        """See `Client`."""
        await self._client.shutdown()
