"""The half of the client that acts: controls to sites, answers and reports to the utility.

The other half (`client.Sep2Client`) reads the server and calls `follow` with what it shows.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from contracts.time import Clock
from gateway.ports import EnvelopeIntake, SiteStates, UsageSource, UtilityMemory
from gateway.utility.sep2.alarms import Alarms
from gateway.utility.sep2.arrived import ServerLists
from gateway.utility.sep2.der_reporting import DerReporting
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.mirror import MirrorMetering
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.reporting import Reporting
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.transport import Sep2Transport
from gateway.utility.sep2.view import EMPTY, ServerView


class Acting:
    """Everything that is done for one utility; give `run` to the client's `beside`."""

    def __init__(
        self,
        settings: Sep2Settings,
        own_lfdi: str,
        transport: Sep2Transport,
        envelopes: EnvelopeIntake,
        usage: UsageSource,
        states: SiteStates,
        memory: UtilityMemory,
        clock: Clock,
    ) -> None:
        """`own_lfdi` is the aggregator's own."""
        kept = Sep2Memory(memory, settings.utility_id)
        self._clock = clock
        self._view: ServerView = EMPTY
        self._difference: Difference | None = None
        self._outbox = Sep2Outbox(
            kept, transport, ServerLists(transport), clock, settings.max_backoff_s
        )
        self._steering = Steering(settings, envelopes, self._outbox, kept, clock)
        alarms = Alarms(settings, states, self._outbox, clock)
        self._reporting = Reporting(
            MirrorMetering(settings, own_lfdi, transport, usage, states, kept, clock),
            DerReporting(settings, transport, states, alarms, kept, clock),
            alarms,
            self._present,
            clock,
        )

    @property
    def waiting(self) -> int:
        """How many Responses and LogEvents are still to be sent."""
        return self._outbox.waiting

    async def restore(self) -> None:
        """Take up what a predecessor knew; call it before anything else."""
        await self._outbox.restore()
        await self._steering.restore()
        await self._reporting.restore()

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        """See `Steering.follow`; the reports follow the same view and clock."""
        self._view = view
        self._difference = self._difference or Difference()
        self._difference.measured(self._clock.now(), server_now)
        return await self._steering.follow(view, server_now)

    async def run(self) -> None:
        """Send and report until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._outbox.run())
            tasks.create_task(self._reporting.run())

    def _present(self) -> tuple[ServerView, datetime | None]:
        if self._difference is None:
            return self._view, None
        return self._view, self._difference.theirs(self._clock.now())
