"""Instructions on their way: side by side to the sites, in order to each, retried until stored."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import structlog

from contracts.errors import GridyardError, LinkDownError, TransientError
from contracts.site_link.messages import (
    Instruction,
    InstructionAck,
    InstructionState,
    InstructionStatus,
)
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.flows.sites.live import Live
from gateway.ports import Ledger, SiteLink

_log = structlog.get_logger(__name__)

_Answer = tuple[Instruction, InstructionAck]
_AT_A_TIME = 500
"""Sent before the loop has its turn: the first byte leaves long before the last is made, and
answers are taken in between, but never more of them than are sent."""
_TOGETHER = 2000
"""Answers stored in one transaction; other writers get their turn in between."""


class Outgoing:
    """Sends what the ledger already holds; what does not arrive stays pending there."""

    def __init__(self, link: SiteLink, ledger: Ledger, live: Live, clock: Clock) -> None:
        self._link = link
        self._ledger = ledger
        self._live = live
        self._clock = clock
        self._refused: Callable[[Instruction, str], None] | None = None
        self._running = False
        self._under_way: set[str] = set()
        self._lanes: dict[str, deque[Instruction]] = {}
        """Of each site that has one under way: what waits behind it."""
        self._due: asyncio.Queue[Instruction] = asyncio.Queue()
        self._answers: asyncio.Queue[_Answer] = asyncio.Queue()

    async def run(self) -> None:
        """Carry what `send` is given until cancelled."""
        self._due, self._answers = asyncio.Queue(), asyncio.Queue()
        self._running = True
        try:
            await first_of(self._keep_answers(), self._deliver_all())
        finally:
            self._running = False
            self._under_way.clear()
            self._lanes.clear()

    def on_refusal(self, tell: Callable[[Instruction, str], None]) -> None:
        """Call `tell(instruction, reason)` when a site will not have an instruction."""
        self._refused = tell

    async def resend(self, site_id: str, after_seq: int) -> None:
        """Send a site everything unexpired that it has not seen."""
        now = self._clock.now()
        self.send(await self._ledger.unseen_instructions(site_id, after_seq, now))

    def send(self, instructions: Iterable[Instruction]) -> None:
        """Start to deliver; what is under way already is left alone.

        While nothing runs (at the very start or end) nothing is lost: the ledger has it.
        """
        for one in instructions:
            if not self._running or one.instruction_id in self._under_way:
                continue
            self._under_way.add(one.instruction_id)
            if one.site_id in self._lanes:
                self._lanes[one.site_id].append(one)
            else:
                self._lanes[one.site_id] = deque()
                self._due.put_nowait(one)

    async def _deliver_all(self) -> None:
        """Some at a time: while the next are made ready, those before are on their way."""
        while True:
            for _ in range(_AT_A_TIME):
                await self._deliver(await self._due.get())
                self._due.task_done()
            await self._clock.sleep(0)

    async def _deliver(self, one: Instruction) -> None:
        if one.expires_at <= self._clock.now():
            self._under_way.discard(one.instruction_id)
            self._next(one.site_id)
            return
        try:
            answer = await self._link.send(one)
        except GridyardError as error:
            self._lost(one, error)
        else:
            answer.add_done_callback(partial(self._answered, one))

    def _answered(self, one: Instruction, answer: asyncio.Future[InstructionAck]) -> None:
        if answer.cancelled():
            self._lost(one, LinkDownError("no longer waited for"))
        elif (error := answer.exception()) is not None:
            self._lost(one, error)
        else:
            self._answers.put_nowait((one, answer.result()))
            self._next(one.site_id)

    def _lost(self, one: Instruction, error: BaseException) -> None:
        """It stays pending in the ledger."""
        self._live.lost(one.site_id)
        say = _log.debug if isinstance(error, TransientError) else _log.error
        say("instruction_pending", site=one.site_id, why=str(error))
        self._under_way.discard(one.instruction_id)
        self._next(one.site_id)

    def _next(self, site_id: str) -> None:
        """A site has nothing under way: what waits for it is due."""
        lane = self._lanes.pop(site_id, None)
        if lane:
            self._due.put_nowait(lane.popleft())
            self._lanes[site_id] = lane

    async def _keep_answers(self) -> None:
        """Store what sites answer: all that have come while others were served, together."""
        while True:
            answers = [await self._answers.get()]
            await self._due.join()  # nobody waits for this; for what is due, sites do
            while len(answers) < _TOGETHER and not self._answers.empty():
                answers.append(self._answers.get_nowait())
            try:
                await self._ledger.put_statuses([_status(*one) for one in answers])
            except TransientError as error:  # they are asked again
                _log.warning("answers_not_stored", count=len(answers), why=str(error))
            else:
                self._tell_refusals(answers)
            finally:
                self._under_way.difference_update(one.instruction_id for one, _ in answers)

    def _tell_refusals(self, answers: Iterable[_Answer]) -> None:
        for one, ack in answers:
            if ack.state is InstructionState.REJECTED and self._refused is not None:
                self._refused(one, ack.reason)


def _status(one: Instruction, ack: InstructionAck) -> tuple[str, InstructionStatus]:
    status = InstructionStatus(
        at=ack.at,
        instruction_id=one.instruction_id,
        event_id=one.event_id,
        state=ack.state,
        reason=ack.reason,
    )
    return one.site_id, status
