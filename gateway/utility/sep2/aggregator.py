"""One utility over IEEE 2030.5, put together: the half that reads and the half that acts."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.identity import (
    certificate_der,
    lfdi,
    sep2_client_context,
    sep2_server_context,
)
from contracts.time import Clock
from gateway.domain.completeness import Duty
from gateway.ports import SiteControl, UtilityHealth
from gateway.utility.sep2.acting import Acting, Sep2Ports
from gateway.utility.sep2.client import Sep2Client
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport


class Sep2Aggregator:
    """`gateway.ports.UtilityLink` and `ControlSource`.

    What a predecessor knew is taken up before anything is asked.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """

    def __init__(self, settings: Sep2Settings, ports: Sep2Ports, clock: Clock) -> None:
        tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
        transport = Sep2Transport(settings, tls)
        own_lfdi = lfdi(certificate_der(settings.cert))
        self._acting = Acting(settings, own_lfdi, transport, ports, clock)
        self.utility_id = settings.utility_id
        listener = settings.listener
        self._client = Sep2Client(
            settings,
            transport,
            self._acting,
            clock,
            own_lfdi=own_lfdi,
            listener_tls=None
            if listener is None
            else sep2_server_context(listener.cert, listener.key, settings.ca, settings.ciphers),
            beside=(self._acting.run,),
        )

    @property
    def health(self) -> UtilityHealth:
        """How the way to the server is right now."""
        return self._client.health

    @property
    def duties(self) -> Sequence[Duty]:
        """What the server is to have of our telemetry."""
        return self._acting.duties

    def controls(self, site_id: str) -> Sequence[SiteControl]:
        """See `gateway.ports.ControlSource`."""
        return self._acting.controls(site_id)

    async def choose(self, control_id: str, site_id: str, *, out: bool) -> bool:
        """See `gateway.ports.ControlSource`.

        Raises:
            PermanentError: no such control binds the site any more, or nobody may opt out of it.
            TransientError: it cannot be done right now.
        """
        changed = await self._acting.choose(control_id, site_id, out=out)
        self._client.look_again()
        return changed

    async def run(self) -> None:
        """Follow the server until cancelled."""
        await self._acting.restore()
        await self._client.run()
