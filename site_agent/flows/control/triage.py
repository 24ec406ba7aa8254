"""Asks for triage when something has changed, and keeps the latest verdict for the control loop.

The control loop never waits for it: the question is worked on in a thread, and until the answer is
there a new vehicle is served like those that are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from site_agent.domain.decide.outlook import Ahead, outlook_of
from site_agent.domain.decide.triage import Triage, triage
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Envelope, combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.site import SiteModel, SiteSnapshot
from site_agent.flows.orders.instructions import Instructions

EVERY = timedelta(seconds=30)
"""How often it is asked again although nobody came, left or changed: needs shrink and buildings
move."""

_AHEAD, _MOST_CHANGES = timedelta(days=1), 20

Expected = Callable[[datetime], Sequence[ExpectedStay]]
Changes = Callable[[datetime, Envelope], Ahead]
"""The envelopes to come, from the one that holds now on."""


def as_now(now: datetime, envelope: Envelope) -> Ahead:
    """No change is known."""
    return [(now, envelope)]


class KnownChanges:
    """The limits to come by what the site has been told, such as events it has accepted."""

    def __init__(self, model: SiteModel, instructions: Instructions) -> None:
        self._model = model
        self._instructions = instructions

    def __call__(self, now: datetime, envelope: Envelope) -> Ahead:
        """The envelope now, and after every change of the next day.

        An envelope that is tighter than what the site has been told (in an island, by a rule) is
        taken to last.
        """
        if envelope.import_w.value < self._at(now).import_w.value:
            return [(now, envelope)]
        ahead, at = [(now, envelope)], self._instructions.next_change(now)
        while at is not None and at < now + _AHEAD and len(ahead) <= _MOST_CHANGES:
            ahead.append((at, self._at(at)))
            at = self._instructions.next_change(at)
        return ahead

    def _at(self, at: datetime) -> Envelope:
        return combine(limits_at(self._model, self._instructions.held, at))


def nobody(_: datetime) -> Sequence[ExpectedStay]:
    """Nobody is expected."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    snapshot: SiteSnapshot
    ahead: Ahead
    expected: Sequence[ExpectedStay]


class Triaging:
    """The verdict of the hour on who is served in full."""

    def __init__(
        self,
        policy: ControlPolicy,
        expected: Expected = nobody,
        changes: Changes = as_now,
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        """`answered` is called when a verdict is new."""
        self._policy = policy
        self._expected = expected
        self._changes = changes
        self._answered = answered
        self._asked: tuple[object, ...] = ()
        self._asked_at: datetime | None = None
        self._open: _Question | None = None
        self._work = asyncio.Event()
        self.latest: Triage | None = None
        """None: none was made yet."""

    def __call__(self, snapshot: SiteSnapshot, envelope: Envelope) -> Triage | None:
        """The latest verdict; asks for a new one when that is due."""
        question = self._due(snapshot, envelope)
        if question is not None:
            self._open = question
            self._work.set()
        return self.latest

    def now(self, snapshot: SiteSnapshot, envelope: Envelope) -> Triage | None:
        """The verdict on this very picture, for those whose clock stands still meanwhile."""
        question = self._due(snapshot, envelope)
        if question is not None:
            self.latest = _answer(question, self._policy, self.latest)
        return self.latest

    async def run(self) -> None:
        """Answer questions until cancelled, always the newest."""
        while True:
            await self._work.wait()
            self._work.clear()
            question, self._open = self._open, None
            if question is not None:
                self.latest = await asyncio.to_thread(_answer, question, self._policy, self.latest)
                self._answered()

    def _due(self, snapshot: SiteSnapshot, envelope: Envelope) -> _Question | None:
        """What is to be asked now; nothing while the meter is stale: a gap gives nobody up."""
        if snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age) is None:
            return None
        expected = tuple(self._expected(snapshot.at))
        asked = (
            tuple((one.evse_id, one.vehicle_id, one.due, one.rank) for one in snapshot.needs),
            tuple((one.vehicle_id, one.arrives, one.departs, one.rank) for one in expected),
            envelope.import_w.value,
            None if envelope.load_w is None else envelope.load_w.value,
        )
        old = self._asked_at is None or not timedelta(0) <= snapshot.at - self._asked_at < EVERY
        if not old and asked == self._asked:
            return None
        self._asked, self._asked_at = asked, snapshot.at
        ahead = self._changes(snapshot.at, envelope)
        return _Question(snapshot=snapshot, ahead=ahead, expected=expected)


def _answer(question: _Question, policy: ControlPolicy, before: Triage | None) -> Triage:
    snapshot = question.snapshot
    outlook = outlook_of(snapshot, question.ahead, policy)
    return triage(snapshot.at, snapshot.needs, question.expected, outlook, before)
