"""EiEvent, VEN side: an answer that a person changes later is told at once, not at a next poll.

An event that a policy leaves to a person is answered optOut when it comes in. When the person has
spoken, an oadrCreatedEvent with the new optType and the requestID of the distribution follows
(OpenADR 2.0b, 8.1: a VEN may send it at any time, and the newest answer counts).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from contracts.openadr.payloads import CreatedEvent, EiResponse
from gateway.domain.event import Opt
from gateway.ports import Participation
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.event_set import KnownEvent
from gateway.utility.openadr.mapping import later_response
from gateway.utility.openadr.outbox import VenOutbox

_log = structlog.get_logger(__name__)


class Decisions:
    """What has been decided since the utility was answered."""

    def __init__(
        self,
        utility_id: str,
        answers: EventAnswers,
        participation: Participation,
        outbox: VenOutbox,
    ) -> None:
        self._utility_id = utility_id
        self._answers = answers
        self._participation = participation
        self._outbox = outbox

    async def tell(self, ven_id: str) -> None:
        """Put every new answer into the outbox, then know it; a kill in between repeats it.

        Raises:
            TransientError: it could not be stored now; call again.
        """
        async for known, opt, cause in self._news():
            response = later_response(known, opt, cause)
            created = CreatedEvent(
                ven_id=ven_id,
                response=EiResponse(request_id=known.request_id),
                event_responses=(response,),
            )
            _log.info("openadr_decision", event_id=known.event_id, opt=opt.value, cause=cause)
            await self._outbox.put(created, f"decision-{known.event_id}")
            await self._answers.settle(
                known.event_id, opt_in=opt is Opt.IN, left=False, cause=cause
            )

    async def _news(self) -> AsyncIterator[tuple[KnownEvent, Opt, str]]:
        for known in self._answers.open_events():
            if known.silent or known.left:
                continue  # nobody asked; or every site has left, which opts tell
            found = await self._participation.of_event(f"{self._utility_id}/{known.event_id}")
            if found is None or found.decision.modification != known.modification:
                continue
            opt, is_in = found.decision.opt, known.opt_in
            if (opt is Opt.OUT and is_in) or (opt is Opt.IN and not is_in and not found.all_out):
                yield known, opt, found.decision.cause
