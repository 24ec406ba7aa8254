"""One utility over IEEE 2030.5, put together: memory, outbox, steering, reporting, client."""

from __future__ import annotations

from contracts.identity import (
    certificate_der,
    lfdi,
    sep2_client_context,
    sep2_server_context,
)
from contracts.time import Clock
from gateway.ports import EnvelopeIntake, UtilityHealth, UtilityMemory
from gateway.utility.sep2.arrived import ServerLists
from gateway.utility.sep2.client import Sep2Client
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.transport import Sep2Transport


class Sep2Aggregator:
    """`gateway.ports.UtilityLink`: what a predecessor knew is taken up before anything is asked.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """

    def __init__(
        self,
        settings: Sep2Settings,
        envelopes: EnvelopeIntake,
        memory: UtilityMemory,
        clock: Clock,
    ) -> None:
        tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
        transport = Sep2Transport(settings, tls)
        remembered = Sep2Memory(memory, settings.utility_id)
        self._outbox = Sep2Outbox(
            remembered, transport, ServerLists(transport), clock, settings.max_backoff_s
        )
        self._steering = Steering(settings, envelopes, self._outbox, remembered, clock)
        listener = settings.listener
        self._client = Sep2Client(
            settings,
            transport,
            self._steering,
            clock,
            own_lfdi=lfdi(certificate_der(settings.cert)),
            listener_tls=None
            if listener is None
            else sep2_server_context(listener.cert, listener.key, settings.ca, settings.ciphers),
            beside=(self._outbox.run,),
        )

    @property
    def health(self) -> UtilityHealth:
        """How the way to the server is right now."""
        return self._client.health

    async def run(self) -> None:
        """Follow the server until cancelled."""
        await self._outbox.restore()
        await self._steering.restore()
        await self._client.run()
