"""The half of the client that acts: controls to sites, answers and reports to the utility.

The other half (`client.Sep2Client`) reads the server and calls `follow` with what it shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.sep2.resources import (
    DrResponse,
    FlowReservationResponseResponse,
    PriceResponse,
)
from contracts.time import Clock
from gateway.domain.completeness import Duty
from gateway.ports import (
    EnvelopeIntake,
    EventIntake,
    SiteControl,
    SiteStates,
    UsageSource,
    UtilityMemory,
)
from gateway.utility.sep2.alarms import Alarms
from gateway.utility.sep2.arrived import ServerLists
from gateway.utility.sep2.der_reporting import DerReporting
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.drlc import LoadControl
from gateway.utility.sep2.event_answers import EventAnswers
from gateway.utility.sep2.flow_reservation import FlowReservations, Readiness
from gateway.utility.sep2.load_shed import LoadShed
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.mirror import MirrorMetering
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.pricing import Pricing
from gateway.utility.sep2.reporting import Reporting
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.transport import Sep2Transport
from gateway.utility.sep2.view import EMPTY, ServerView


@dataclass(frozen=True, slots=True, kw_only=True)
class Sep2Ports:
    """What the client needs of the rest of the gateway."""

    envelopes: EnvelopeIntake
    events: EventIntake
    usage: UsageSource
    states: SiteStates
    readiness: Readiness
    memory: UtilityMemory


class Acting:
    """Everything that is done for one utility; give `run` to the client's `beside`."""

    def __init__(
        self,
        settings: Sep2Settings,
        own_lfdi: str,
        transport: Sep2Transport,
        ports: Sep2Ports,
        clock: Clock,
    ) -> None:
        """`own_lfdi` is the aggregator's own."""
        kept = Sep2Memory(ports.memory, settings.utility_id)
        self._clock = clock
        self._view: ServerView = EMPTY
        self._difference: Difference | None = None
        lists = ServerLists(transport)
        self._outbox = Sep2Outbox(kept, transport, lists, clock, settings.max_backoff_s)
        self._steering = Steering(settings, ports.envelopes, self._outbox, kept, clock)
        polled = Polled(settings, transport, clock)
        usage, states, events = ports.usage, ports.states, ports.events

        self._alarms = Alarms(settings, states, self._outbox, clock)
        self._metering = MirrorMetering(settings, own_lfdi, transport, usage, states, kept, clock)
        self._ders = DerReporting(settings, transport, states, self._alarms, kept, clock)
        self._load_shed = LoadShed(settings, transport, polled, states, kept, clock)
        answers = EventAnswers("price", PriceResponse, settings, self._outbox)
        self._pricing = Pricing(settings, polled, answers, events, kept, clock)
        seed = settings.utility_id
        answers = EventAnswers("drlc", DrResponse, settings, self._outbox, seed)
        self._load_control = LoadControl(settings, polled, answers, events, kept, clock)
        answers = EventAnswers("flow", FlowReservationResponseResponse, settings, self._outbox)
        self._flow = FlowReservations(
            settings,
            transport,
            polled,
            answers,
            ports.readiness,
            self._steering.renew,
            kept,
            clock,
        )
        self._steering.also = self._flow.pieces
        self._reporting = Reporting(
            {
                "readings": self._metering.tell,
                "der information": self._ders.tell,
                "alarms": self._alarms.tell,
                "load that can be shed": self._load_shed.tell,
                "prices": self._pricing.tell,
                "load control": self._load_control.tell,
                "flow reservations": self._flow.tell,
            },
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
        self._alarms.restore()
        for restore in (
            self._metering.restore,
            self._ders.restore,
            self._load_shed.restore,
            self._pricing.restore,
            self._load_control.restore,
            self._flow.restore,
        ):
            await restore()

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        """See `Steering.follow`; all else follows the same view and clock."""
        self._view = view
        self._difference = self._difference or Difference()
        self._difference.measured(self._clock.now(), server_now)
        return await self._steering.follow(view, server_now)

    @property
    def duties(self) -> Sequence[Duty]:
        """See `MirrorMetering.duties`."""
        return self._metering.duties

    def controls(self, site_id: str) -> Sequence[SiteControl]:
        """See `Steering.controls`."""
        return self._steering.controls(site_id)

    async def choose(self, control_id: str, site_id: str, *, out: bool) -> bool:
        """See `Steering.choose`."""
        return await self._steering.choose(control_id, site_id, out=out)

    async def run(self) -> None:
        """Send and report until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._outbox.run())
            tasks.create_task(self._reporting.run())

    def _present(self) -> tuple[ServerView, datetime | None]:
        if self._difference is None:
            return self._view, None
        return self._view, self._difference.theirs(self._clock.now())
