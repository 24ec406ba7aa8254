"""Instructions on their way: side by side to the sites, in order to each, retried until stored."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import Instruction, InstructionState, InstructionStatus
from contracts.time import Clock
from gateway.flows.live import Live
from gateway.ports import Ledger, SiteLink

_log = structlog.get_logger(__name__)


class Outgoing:
    """Sends what the ledger already holds; what does not arrive stays pending there."""

    def __init__(self, link: SiteLink, ledger: Ledger, live: Live, clock: Clock) -> None:
        self._link = link
        self._ledger = ledger
        self._live = live
        self._clock = clock
        self._refused: Callable[[Instruction, str], None] | None = None
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: set[str] = set()
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Carry what `send` is given until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await asyncio.Event().wait()
        finally:
            self._group = None

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
            if self._group is not None and one.instruction_id not in self._under_way:
                self._under_way.add(one.instruction_id)
                self._group.create_task(self._deliver(one))

    async def _deliver(self, one: Instruction) -> None:
        try:
            async with self._lanes[one.site_id]:
                if one.expires_at > self._clock.now():
                    await self._exchange(one)
        except TransientError as error:
            self._live.lost(one.site_id)
            _log.debug("instruction_pending", site=one.site_id, why=str(error))
        finally:
            self._under_way.discard(one.instruction_id)

    async def _exchange(self, one: Instruction) -> None:
        ack = await self._link.send(one)
        status = InstructionStatus(
            at=ack.at,
            instruction_id=one.instruction_id,
            event_id=one.event_id,
            state=ack.state,
            reason=ack.reason,
        )
        await self._ledger.put_status(one.site_id, status)
        if ack.state is InstructionState.REJECTED and self._refused is not None:
            self._refused(one, ack.reason)
