"""Whatever a VTN distributes and whenever we fail: no event is lost, no answer flips or is missing.

The intake is a ledger in a few lines: idempotent by modification, as the port demands.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.errors import TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import CreatedEvent, EventStatus, OadrEvent, OptType
from gateway.domain.event import GridEvent, Opt, OptDecision
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, Unsent, VenMemory
from gateway.utility.openadr.outbox import VenOutbox
from support.openadr import START, DictMemory, distribution, oadr_event
from support.openadr_participation import FailingMemory, Killed

REGISTRATION = Registration(ven_id="ven-1", registration_id="reg", vtn_id="VTN", poll_s=1.0)


class Ledger:
    """Takes events like `flows.intake`: outlives the VEN."""

    def __init__(self) -> None:
        self.events: dict[str, GridEvent] = {}
        self.decisions: dict[str, OptDecision] = {}
        self.fail_next = False

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        if self.fail_next:
            self.fail_next = False
            raise TransientError("the ledger is busy")
        return {event.key: self._one(event) for event in events}

    async def withdraw(self, event_key: str, cause: str) -> None:
        if event_key in self.events:
            self.events[event_key] = self.events[event_key].cancel()

    async def note(self, event_key: str, action: str, cause: str) -> None:
        """Nothing here reads it."""

    def _one(self, event: GridEvent) -> OptDecision:
        known = self.events.get(event.key)
        if (
            known is None
            or event.modification > known.modification
            or known.cancelled is not event.cancelled
        ):
            opt = Opt.OUT if event.modification % 3 == 2 else Opt.IN  # some rule
            self.events[event.key] = event
            self.decisions[event.key] = OptDecision(
                event_key=event.key, modification=event.modification, opt=opt, cause="a rule"
            )
        return self.decisions[event.key]

    @property
    def in_force(self) -> dict[str, int]:
        return {e.event_id: e.modification for e in self.events.values() if not e.cancelled}


class Clock:
    """Stands still, ten minutes before the start."""

    def now(self) -> datetime:
        return START - timedelta(minutes=10)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


class Ven:
    """Answers, and an outbox that a VTN empties."""

    def __init__(self, memory: DictMemory, ledger: Ledger) -> None:
        self.documents = memory
        self.memory = VenMemory(memory, "util")
        self.outbox = VenOutbox(self.memory)
        self.answers = EventAnswers("util", ledger, self.memory, Clock(), seed="x")
        self._numbers = itertools.count()

    async def start(self) -> None:
        await self.outbox.restore()
        await self.answers.restore()

    async def hears(self, events: Sequence[OadrEvent], number: int) -> bool:
        """False when all events must be asked for again."""
        message = distribution(*events, request_id=f"r{number}")
        answer = await self.answers.answer(message, REGISTRATION)
        if answer is not None:
            await self.outbox.put(answer, f"DistributeEvent-r{number}")
        return not self.answers.unanswered


def sent(documents: DictMemory) -> list[CreatedEvent]:
    """What the VTN gets, in order."""
    found = []
    for key in sorted(k for k in documents.documents if k[1] == Unsent.__name__):
        document: Any = documents.documents.pop(key)
        message = codec.decode(document["xml"].encode())
        assert isinstance(message, CreatedEvent)
        found.append(message)
    return found


IDS = ("a", "b", "c")


class Distributions(RuleBasedStateMachine):
    """A VTN that makes, modifies, cancels and drops events; a VEN that fails and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.documents = FailingMemory()
        self.ledger = Ledger()
        self.listed: dict[str, OadrEvent] = {}
        self.dropped: dict[str, OadrEvent] = {}
        self.modifications: dict[str, int] = {}
        self.said: dict[tuple[str, int], OptType] = {}
        self.number = 0
        self.ven = self._reborn()

    def _reborn(self) -> Ven:
        ven = Ven(self.documents, self.ledger)
        asyncio.run(ven.start())
        return ven

    def _make(self, event_id: str, status: EventStatus) -> None:
        modification = self.modifications.get(event_id, -1) + 1
        self.modifications[event_id] = modification
        self.listed[event_id] = oadr_event(event_id, modification=modification, status=status)

    @rule(event_id=st.sampled_from(IDS))
    def makes_or_modifies(self, event_id: str) -> None:
        self._make(event_id, EventStatus.FAR)

    @rule(event_id=st.sampled_from(IDS))
    def cancels(self, event_id: str) -> None:
        if event_id in self.listed:
            self._make(event_id, EventStatus.CANCELLED)

    @rule(event_id=st.sampled_from(IDS))
    def drops(self, event_id: str) -> None:
        event = self.listed.pop(event_id, None)
        if event is not None and event.descriptor.status is not EventStatus.CANCELLED:
            self.dropped[event_id] = event

    @rule(event_id=st.sampled_from(IDS))
    def lists_again(self, event_id: str) -> None:
        event = self.dropped.get(event_id)
        if event is None or event_id in self.listed:
            return
        if event.descriptor.modification_number == self.modifications[event_id]:
            self.listed[event_id] = event

    @rule(after=st.integers(1, 6), kill=st.booleans(), late=st.booleans())
    def will_fail_at_a_write(self, after: int, kill: bool, late: bool) -> None:
        self.documents.fail_at = self.documents.writes + after
        self.documents.error = Killed() if kill else TransientError("disk full")
        self.documents.done_before_failing = late

    @rule()
    def the_ledger_will_be_busy(self) -> None:
        self.ledger.fail_next = True

    @rule()
    def restarts(self) -> None:
        self.ven = self._reborn()

    @rule()
    def distributes(self) -> None:
        """Until the VEN has heard it whole, as after a start or trouble it asks for all again."""
        for _ in range(8):
            self.number += 1
            try:
                done = asyncio.run(self.ven.hears(list(self.listed.values()), self.number))
            except TransientError:
                done = False
            except Killed:
                self.ven, done = self._reborn(), False
            self._check_answers(sent(self.documents))
            self.ven = self._reborn()  # its outbox is empty now
            if done:
                break
        else:
            raise AssertionError("it never came to rest")
        wanted = {
            i: e.descriptor.modification_number
            for i, e in self.listed.items()
            if e.descriptor.status is not EventStatus.CANCELLED
        }
        assert self.ledger.in_force == wanted
        for event_id, event in self.listed.items():
            assert (event_id, event.descriptor.modification_number) in self.said

    def _check_answers(self, messages: list[CreatedEvent]) -> None:
        for message in messages:
            ids = [r.event_id for r in message.event_responses]
            assert len(ids) == len(set(ids))
            for r in message.event_responses:
                place = (r.event_id, r.modification_number)
                assert self.said.setdefault(place, r.opt_type) is r.opt_type, "it flipped"

    @invariant()
    def a_cancelled_event_is_answered_opt_in(self) -> None:
        for (event_id, modification), opt in self.said.items():
            event = self.listed.get(event_id)
            cancelled = event and event.descriptor.status is EventStatus.CANCELLED
            newest = event and event.descriptor.modification_number == modification
            assert opt is OptType.IN or not (cancelled and newest)


TestDistributions = pytest.mark.row("openadr:E2", "openadr:E5")(Distributions.TestCase)
TestDistributions.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@pytest.mark.row("openadr:E2")
@pytest.mark.parametrize("late", [False, True], ids=["before the write", "after it"])
async def test_a_kill_at_any_write_leaves_every_event_answered_alike(late: bool) -> None:
    steps = (
        [oadr_event("a"), oadr_event("b")],
        [oadr_event("a", modification=2), oadr_event("b"), oadr_event("c", signals=())],
        [oadr_event("b", modification=1, status=EventStatus.CANCELLED)],
        [oadr_event("c", modification=1)],
    )
    for fail_at in itertools.count(1):
        documents, ledger = FailingMemory(), Ledger()
        documents.fail_at, documents.error = fail_at, Killed()
        documents.done_before_failing = late
        said: dict[tuple[str, int], OptType] = {}
        for number, events in enumerate(steps):
            for attempt in range(3):  # it fails once at most, wherever that is
                ven = Ven(documents, ledger)
                await ven.start()
                with suppress(Killed):
                    await ven.hears(events, 10 * number + attempt)
            for message in sent(documents):
                for r in message.event_responses:
                    place = (r.event_id, r.modification_number)
                    assert said.setdefault(place, r.opt_type) is r.opt_type
            assert {(e.event_id, e.descriptor.modification_number) for e in events} <= said.keys()
        assert ledger.in_force == {"c": 1}
        if documents.writes < fail_at:
            break
    assert fail_at > 10
