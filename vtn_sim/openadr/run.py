"""One run of a scenario: its steps done in their time, its expectations judged as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from pydantic import TypeAdapter

from contracts.errors import PermanentError
from contracts.openadr.payloads import EventStatus
from contracts.tasks import first_of
from vtn_sim.judge import Check, Outcome, Verdict
from vtn_sim.openadr.actions import Action, Announce, AskReports
from vtn_sim.openadr.court import Court, Scope, outcome_of
from vtn_sim.openadr.director import Director
from vtn_sim.openadr.expectation import judge, span_of
from vtn_sim.openadr.faults import EVERY
from vtn_sim.openadr.procedures import Procedure
from vtn_sim.openadr.refusal import Refusal
from vtn_sim.openadr.script import Condition, Expectation, Script, Step, replaced
from vtn_sim.openadr.vtn import Vtn

_log = structlog.get_logger(__name__)
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_TICK_S = 0.25
_OURS = "$ven"


class State(StrEnum):
    """Of a run."""

    WAITING = "waiting for the VEN to register"
    RUNNING = "running"
    OVER = "over"


class Run:
    """A script that is played with one VEN."""

    def __init__(self, number: int, name: str, script: Script, ven_id: str, vtn: Vtn) -> None:
        """Not yet begun; `ven_id` `*` is the first VEN that registers."""
        self.number = number
        self.name = name
        self.script = script
        self.ven_id = ven_id
        self.state = State.WAITING
        self.begun_at: datetime | None = None
        self.over_at: datetime | None = None
        self._vtn = vtn
        self._director = Director(vtn)
        self._court = Court(vtn)
        self._failures: list[Check] = []
        self._moments: list[tuple[datetime, int]] = []
        """The beginning and the end of each step, with the last message before each."""
        self._events: set[str] = set()
        self._requests: set[str] = set()
        self._final: list[Verdict] | None = None

    # --- playing -------------------------------------------------------------------------------

    async def play(self) -> None:
        """From the registration of its VEN until everything is known or can come no more."""
        registered = await self._registration()
        self.begun_at, self.state = self._vtn.clock.now(), State.RUNNING
        self._moments.append((self.begun_at, self._vtn.ledger.number))
        try:
            for number, step in enumerate(self.script.steps if registered else (), 1):
                if not await self._do(number, step):
                    break
            await self._expected()
            await self._vtn.clock.sleep(self.script.watch_s)
        except (PermanentError, Refusal) as error:
            self._failures.append(Check(name="run", outcome=Outcome.FAIL, text=str(error)))
        finally:
            self._final = self._judged()
            self.over_at, self.state = self._vtn.clock.now(), State.OVER
            _log.info("vtn_run_over", run=self.number, name=self.name, outcome=self.outcome.value)

    async def _registration(self) -> bool:
        """Whether there is a VEN to play with."""
        within_s = self.script.register_within_s
        deadline = self._vtn.clock.now() + timedelta(seconds=within_s)
        while not self._registered():
            if self._vtn.clock.now() >= deadline:
                text = f"no VEN within {within_s:g} s"
                self._failures.append(Check(name="registered", outcome=Outcome.FAIL, text=text))
                return False
            await self._moment()
        return True

    def _registered(self) -> bool:
        for ven in self._vtn.registry.vens:
            if ven.registration_id is not None and self.ven_id in (EVERY, ven.ven_id):
                self.ven_id = ven.ven_id
                return True
        return False

    async def _moment(self) -> None:
        """Until something comes, or time has changed something."""
        ledger, clock = self._vtn.ledger, self._vtn.clock
        await first_of(ledger.newer(ledger.number), clock.sleep(_TICK_S))

    async def _do(self, number: int, step: Step) -> bool:
        """Whether the step could be done."""
        if step.at_s is not None:
            due = self._begun() + timedelta(seconds=step.at_s)
            await self._vtn.clock.sleep((due - self._vtn.clock.now()).total_seconds())
        if step.after is not None and not await self._happened(step.after):
            return self._failed(number, step, f"waited {step.after.timeout_s:g} s in vain")
        if step.wait_s:
            await self._vtn.clock.sleep(step.wait_s)
        deadline = self._vtn.clock.now() + timedelta(seconds=step.try_for_s)
        while (reason := self._performed(step.do)) is not None:
            if self._vtn.clock.now() >= deadline:
                return self._failed(number, step, reason)
            await self._moment()
        return True

    def _performed(self, action: Action) -> str | None:
        """None when it is done, else why it is not possible."""
        moment = self._vtn.clock.now(), self._vtn.ledger.number
        try:
            result = self._director.perform(self._for_us(action))
        except (PermanentError, Refusal) as error:
            return str(error)
        self._note(action, result)
        self._moments.append(moment)
        _log.info("vtn_step", run=self.number, action=action.action, result=result)
        return None

    def _for_us(self, action: Action) -> Action:
        """Every registered VEN is the one of this run, which `$ven` names anywhere."""
        content = replaced(action.model_dump(exclude_unset=True), {_OURS: self.ven_id})
        if getattr(action, "ven", None) == EVERY:
            content["ven"] = self.ven_id
        return _ACTION.validate_python(content)

    def _failed(self, number: int, step: Step, reason: str) -> bool:
        name = f"step {number}: {step.do.action}"
        self._failures.append(Check(name=name, outcome=Outcome.FAIL, text=reason))
        return False

    def _note(self, action: Action, result: dict[str, Any]) -> None:
        if isinstance(action, Announce):
            self._events.add(result["event_id"])
        if isinstance(action, AskReports):
            self._requests |= set(result["requests"])

    async def _happened(self, condition: Condition) -> bool:
        deadline = self._vtn.clock.now() + timedelta(seconds=condition.timeout_s)
        while not self._holds(condition):
            if self._vtn.clock.now() >= deadline:
                return False
            await self._moment()
        return True

    def _holds(self, condition: Condition) -> bool:
        now = self._vtn.clock.now()
        if condition.message is not None:
            wanted = condition.message
            since, above = self._moments[-1]
            heard = self._vtn.ledger.heard(self.ven_id, since, now, wanted.name, above)
            return sum(wanted.code in (None, h.code) for h in heard) >= condition.count
        if condition.event is not None:
            event = self._vtn.events.event(condition.event.event)
            return _REACHED.index(event.status(now)) >= _REACHED.index(condition.event.status)
        ven = self._vtn.registry.ven(self.ven_id)
        return (ven.registration_id is not None) is condition.registered

    async def _expected(self) -> None:
        while not self._failures and any(
            check.outcome is Outcome.PENDING for check in self._checks()
        ):
            await self._moment()

    # --- judging -------------------------------------------------------------------------------

    def _begun(self) -> datetime:
        return self.begun_at or self._vtn.clock.now()

    def _checks(self) -> list[Check]:
        """Every expectation as of now, and steps that could not be done."""
        now = self._vtn.clock.now()
        found = []
        for expectation in self.script.expect:
            anchor = self._anchor(expectation)
            if anchor is None:
                text = "its step has not been done"
                outcome = Outcome.FAIL if self._failures else Outcome.PENDING
                found.append(Check(name=expectation.title, outcome=outcome, text=text))
            else:
                ven_id = self.ven_id if expectation.ven == EVERY else expectation.ven
                span = span_of(expectation, *anchor)
                found.append(judge(expectation, self._vtn, ven_id, span, now))
        return [*self._failures, *found]

    def _anchor(self, expectation: Expectation) -> tuple[datetime, int] | None:
        place = expectation.after_step or 0
        return self._moments[place] if place < len(self._moments) else None

    def _judged(self) -> list[Verdict]:
        own = Verdict(event_id="expected", ven_id=self.ven_id, checks=tuple(self._checks()))
        if not self.script.judge:
            return [own]
        scope = Scope(since=self._begun(), events=self._events, requests=self._requests)
        found = self._court.verdicts(self.ven_id, scope)
        if not self.script.manners:
            found = [verdict for verdict in found if verdict.event_id != "manners"]
        return [own, *found]

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """As of now, or as of its end."""
        return self._judged() if self._final is None else self._final

    @property
    def outcome(self) -> Outcome:
        """Pending until it is over; what the judge still waits for then counts as well."""
        if self.state is not State.OVER:
            return Outcome.PENDING
        expected, *others = self.verdicts
        if expected.outcome is not Outcome.PASS:
            return Outcome.FAIL
        return Outcome.FAIL if outcome_of(others) is Outcome.FAIL else Outcome.PASS

    @property
    def text(self) -> str:
        """The verdict as a document for people."""
        head = f"{self.name} with {self.ven_id}: {self.outcome.upper()} ({self.state})"
        return "\n".join([head, *(verdict.text for verdict in self.verdicts)])


_REACHED = (
    EventStatus.NONE,
    EventStatus.FAR,
    EventStatus.NEAR,
    EventStatus.ACTIVE,
    EventStatus.COMPLETED,
    EventStatus.CANCELLED,
)


class Runs:
    """Runs, one after the other for each that was asked for at once; kept for reading."""

    def __init__(self, vtn: Vtn) -> None:
        self._vtn = vtn
        self._runs: list[Run] = []
        self._waiting: asyncio.Queue[Run] = asyncio.Queue()

    def add(self, name: str, script: Script, ven_id: str = EVERY) -> Run:
        """Play a script as soon as those before it are over."""
        run = Run(len(self._runs) + 1, name, script, ven_id, self._vtn)
        self._runs.append(run)
        self._waiting.put_nowait(run)
        return run

    def add_procedure(self, procedure: Procedure, ven_id: str = EVERY) -> Run:
        """Play a procedure, with ids that no VEN has seen before."""
        now = self._vtn.clock.now()
        token = f"{now:%d%H%M%S}{len(self._runs) + 1}"
        name = f"{procedure.id}: {procedure.title}"
        return self.add(name, procedure.script(token), ven_id)

    def all(self) -> Sequence[Run]:
        """In order of their numbers."""
        return tuple(self._runs)

    def get(self, number: int) -> Run | None:
        """By its number, from 1."""
        return self._runs[number - 1] if 0 < number <= len(self._runs) else None

    async def run(self) -> None:
        """Play until cancelled."""
        while True:
            await (await self._waiting.get()).play()
