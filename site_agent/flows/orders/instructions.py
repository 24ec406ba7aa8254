"""Instructions from arrival to their end: refuse or store, put in force, report each step once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import (
    Instruction,
    InstructionAck,
    InstructionState,
    InstructionStatus,
)
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.domain.instruction import (
    FINISHED,
    NO_FUNCTIONS,
    FunctionsHeld,
    SiteInstruction,
    Transition,
    applied,
    next_change,
    transitions,
)
from site_agent.domain.site import SiteModel
from site_agent.flows.orders.acceptance import Refused, in_domain_words, refusal
from site_agent.flows.report.rows import text
from site_agent.ports import InstructionStore, Wake

log = structlog.get_logger(__name__)

_RETRY_S = 1.0
_LONGEST_WAIT_S = 3600.0


class Instructions:
    """`site_agent.ports.InstructionHandler`, and what the control loop asks about instructions.

    Call `load` before anything else. A state and its report are stored in one transaction, so each
    is reported exactly once, also over a restart; while the disk fails, control goes on.
    """

    def __init__(self, model: SiteModel, store: InstructionStore, clock: Clock, wake: Wake) -> None:
        self._model = model
        self._store = store
        self._clock = clock
        self._wake = wake
        self._held: tuple[SiteInstruction, ...] = ()
        self._last_seq = 0
        self._accepted: tuple[datetime, str, FunctionsHeld] | None = None
        self._mutex = asyncio.Lock()
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Take up what an earlier run has stored."""
        found = await self._store.unfinished()
        self._held = tuple(in_domain_words(held, state) for held, state in found)
        self._last_seq = await self._store.last_seq()

    @property
    def held(self) -> Sequence[SiteInstruction]:
        """Everything not finished."""
        return self._held

    def last_seq(self) -> int:
        """Highest `site_seq` stored."""
        return self._last_seq

    def next_change(self, now: datetime) -> datetime | None:
        """When bounds change next, or None."""
        return next_change(self._held, now)

    def accepted(
        self, decided_at: datetime, reason: str, functions: FunctionsHeld = NO_FUNCTIONS
    ) -> None:
        """Every device has accepted the decision of this instant; `functions`: how far they are."""
        if applied(self._held, decided_at, functions):
            self._accepted = (decided_at, reason, functions)
            self._changed.set()

    async def receive(self, instruction: Instruction) -> InstructionAck:
        """Store it (or refuse it with a reason) before answering.

        Raises:
            TransientError: it could not be stored now.
            PermanentError: its id or number belongs to a different instruction.
        """
        now = self._clock.now()
        async with self._mutex:
            history = await self._store.of_event(instruction.event_id)
            refused = None
            if not any(held == instruction for held, _ in history):
                refused = refusal(instruction, history, self._model, now)
                if refused is None:
                    await self._take(instruction)
        return _answer(instruction, refused, now)

    async def run(self) -> None:
        """Report every change of state when it is due, until cancelled."""
        while True:
            self._changed.clear()
            try:
                async with self._mutex:
                    await self._advance()
            except TransientError as error:
                log.error("instruction states not stored; trying again", why=str(error))  # noqa: TRY400 (no stack: the disk, not us)
                await self._clock.sleep(_RETRY_S)
                continue
            await first_of(self._clock.sleep(self._wait_s()), self._changed.wait())

    async def _take(self, instruction: Instruction) -> None:
        await self._store.put(instruction)
        self._last_seq = max(self._last_seq, instruction.site_seq)
        self._held += (in_domain_words(instruction, InstructionState.STORED),)
        log.info(
            "instruction stored",
            instruction=instruction.instruction_id,
            event_id=instruction.event_id,
            start=instruction.start.isoformat(),
        )
        self._changed.set()
        self._wake()

    async def _advance(self) -> None:
        now = self._clock.now()
        await self._record(transitions(self._held, now), now)
        if self._accepted is not None:
            decided_at, reason, functions = self._accepted
            due = [
                replace(step, reason="; ".join(filter(None, (reason, step.reason))))
                for step in applied(self._held, decided_at, functions)
            ]
            await self._record(due, now)
            self._accepted = None

    async def _record(self, due: Sequence[Transition], now: datetime) -> None:
        if not due:
            return
        await self._store.record([_status(step, now) for step in due])
        reached = {step.instruction.instruction_id: step.to for step in due}
        advanced = (
            replace(one, progress=reached.get(one.instruction_id, one.progress))
            for one in self._held
        )
        self._held = tuple(one for one in advanced if one.progress not in FINISHED)
        for step in due:
            log.info(
                "instruction", instruction=step.instruction.instruction_id, state=step.to.value
            )
        self._wake()

    def _wait_s(self) -> float:
        now = self._clock.now()
        change = next_change(self._held, now)
        if change is None:
            return _LONGEST_WAIT_S
        return min(_LONGEST_WAIT_S, (change - now).total_seconds())


def _answer(instruction: Instruction, refused: Refused | None, now: datetime) -> InstructionAck:
    if refused is None:
        return InstructionAck(
            instruction_id=instruction.instruction_id, state=InstructionState.STORED, at=now
        )
    log.warning("instruction refused", instruction=instruction.instruction_id, why=refused.reason)
    return InstructionAck(
        instruction_id=instruction.instruction_id,
        state=InstructionState.REJECTED,
        reason=text(refused.reason),
        at=now,
    )


def _status(step: Transition, now: datetime) -> InstructionStatus:
    return InstructionStatus(
        at=now,
        instruction_id=step.instruction.instruction_id,
        event_id=step.instruction.event_id,
        state=InstructionState(step.to.value),
        reason=text(step.reason),
    )
