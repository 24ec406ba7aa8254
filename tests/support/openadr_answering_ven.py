"""The answering half of a VEN, with nothing but memory around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.openadr.payloads import (
    DistributeEvent,
    OadrEvent,
    OptType,
    Signal,
    SignalInterval,
)
from contracts.testing import FakeClock
from gateway.domain.event import GridEvent, OptDecision
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, VenMemory
from support.openadr import START, DictMemory, RecordingIntake, distribution
from support.openadr_participation import Sites

REGISTRATION = Registration(ven_id="ven-1", registration_id="reg", vtn_id="VTN", poll_s=1.0)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
IN, OUT = OptType.IN, OptType.OUT


class Intake(RecordingIntake):
    """Fails for one event as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: dict[str, Exception] = {}

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        for event in events:
            if event.event_id in self.failing:
                raise self.failing[event.event_id]
        return await super().receive(events)


class Ven:
    """The answering half of a VEN, restartable; ten minutes before the start."""

    def __init__(
        self,
        memory: DictMemory | None = None,
        *,
        clock: FakeClock | None = None,
        sites: Sites | None = None,
        market_contexts: frozenset[str] = frozenset(),
        name: str = "gridyard",
    ) -> None:
        self.documents = memory or DictMemory()
        self.intake = Intake()
        self.clock = clock or FakeClock(START - 10 * MINUTE)
        self.sites = sites or Sites()
        self.answers = EventAnswers(
            "util",
            self.intake,
            VenMemory(self.documents, "util"),
            self.clock,
            seed=name,
            participation=self.sites,
            market_contexts=market_contexts,
        )

    async def reborn(self) -> Ven:
        again = Ven(self.documents, clock=self.clock, sites=self.sites)
        await again.answers.restore()
        return again

    async def hears(self, *events: OadrEvent) -> dict[str, tuple[int, OptType]]:
        return await self.gets(distribution(*events))

    async def gets(self, message: DistributeEvent) -> dict[str, tuple[int, OptType]]:
        answer = await self.answers.answer(message, REGISTRATION)
        if answer is None:
            return {}
        found = {r.event_id: (r.code, r.opt_type) for r in answer.event_responses}
        assert len(found) == len(answer.event_responses), "an event answered twice"
        return found

    @property
    def last(self) -> GridEvent:
        return self.intake.received[-1]


def moved(event: OadrEvent, *, after: timedelta = 5 * MINUTE, **more: object) -> OadrEvent:
    period = replace(event.active_period, start_after=after, **more)  # type: ignore[arg-type]
    return replace(event, active_period=period)


def levels(*values: float, uids: tuple[str | None, ...] = (), each: timedelta = HOUR) -> Signal:
    found = uids or tuple(str(n) for n in range(len(values)))
    steps = tuple(
        SignalInterval(uid=uid, duration=each, value=value)
        for uid, value in zip(found, values, strict=True)
    )
    return Signal(name="SIMPLE", type="level", signal_id="s", intervals=steps)
