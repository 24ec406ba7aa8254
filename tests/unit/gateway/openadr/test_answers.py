from datetime import timedelta

from contracts.openadr.payloads import (
    CreatedEvent,
    EventStatus,
    OptType,
    RejectedEvent,
    ResponseRequired,
    Target,
)
from contracts.openadr.payloads import DistributeEvent as Distribution
from contracts.testing import FakeClock
from gateway.domain.event import Opt
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, VenMemory
from support.openadr import START, DictMemory, RecordingIntake, distribution, oadr_event

REGISTRATION = Registration(ven_id="ven-1", registration_id="reg", vtn_id="VTN", poll_s=1.0)


class Ven:
    """The answering half of a VEN, restartable."""

    def __init__(self, memory: DictMemory | None = None) -> None:
        self.documents = memory or DictMemory()
        self.intake = RecordingIntake()
        self.clock = FakeClock(START - timedelta(minutes=10))
        self.answers = EventAnswers(
            "util", self.intake, VenMemory(self.documents, "util"), self.clock
        )

    async def hears(self, message: Distribution) -> dict[str, tuple[int, OptType]]:
        answer = await self.answers.answer(message, REGISTRATION)
        if answer is None:
            return {}
        assert isinstance(answer, CreatedEvent)
        assert {r.request_id for r in answer.event_responses} == {message.request_id}
        return {r.event_id: (r.code, r.opt_type) for r in answer.event_responses}


async def test_a_new_event_is_taken_in_and_answered_once() -> None:
    ven = Ven()
    assert await ven.hears(distribution(oadr_event())) == {"e1": (200, OptType.IN)}
    assert await ven.hears(distribution(oadr_event())) == {"e1": (200, OptType.IN)}
    assert [e.key for e in ven.intake.received] == ["util/e1"]


async def test_the_answer_survives_a_restart_and_a_change_of_mind_elsewhere() -> None:
    ven = Ven()
    ven.intake.opt = Opt.OUT
    await ven.hears(distribution(oadr_event()))
    reborn = Ven(ven.documents)
    await reborn.answers.restore()
    assert await reborn.hears(distribution(oadr_event())) == {"e1": (200, OptType.OUT)}
    assert reborn.intake.received == []


async def test_a_lower_modification_is_out_of_sequence_and_changes_nothing() -> None:
    ven = Ven()
    await ven.hears(distribution(oadr_event(modification=3)))
    assert await ven.hears(distribution(oadr_event(modification=2))) == {"e1": (450, OptType.IN)}
    assert [e.modification for e in ven.intake.received] == [3]


async def test_one_bad_event_does_not_change_the_answer_to_the_others() -> None:
    ven = Ven()
    bad = oadr_event("bad", signals=())
    assert await ven.hears(distribution(bad, oadr_event("good"))) == {
        "bad": (460, OptType.OUT),
        "good": (200, OptType.IN),
    }


async def test_an_event_for_another_ven_is_refused_without_bothering_the_intake() -> None:
    ven = Ven()
    other = oadr_event(target=Target(ven_ids=("ven-2",)))
    assert await ven.hears(distribution(other)) == {"e1": (462, OptType.OUT)}
    assert ven.intake.received == []


async def test_explicit_cancellation_reaches_the_intake_and_is_answered_opt_in() -> None:
    ven = Ven()
    await ven.hears(distribution(oadr_event()))
    cancelled = oadr_event(modification=1, status=EventStatus.CANCELLED)
    assert await ven.hears(distribution(cancelled)) == {"e1": (200, OptType.IN)}
    assert [e.cancelled for e in ven.intake.received] == [False, True]
    await ven.hears(distribution())
    assert ven.intake.withdrawn == []


async def test_an_event_that_is_no_longer_listed_is_cancelled() -> None:
    ven = Ven()
    await ven.hears(distribution(oadr_event("e1"), oadr_event("e2")))
    await ven.hears(distribution(oadr_event("e2")))
    assert ven.intake.withdrawn == ["util/e1"]


async def test_a_finished_event_may_disappear_and_is_forgotten() -> None:
    ven = Ven()
    await ven.hears(distribution(oadr_event()))
    await ven.clock.advance(3 * 3600.0)
    assert await ven.hears(distribution()) == {}
    assert ven.intake.withdrawn == []
    assert ven.documents.documents == {}


async def test_an_unreadable_event_is_answered_and_not_taken_for_cancelled() -> None:
    ven = Ven()
    await ven.hears(distribution(oadr_event()))
    unreadable = RejectedEvent(
        event_id="e1",
        modification_number=1,
        response_required=ResponseRequired.ALWAYS,
        reason="dtstart: not a date-time",
    )
    message = Distribution(request_id="r2", vtn_id="VTN", rejected=(unreadable,))
    assert await ven.hears(message) == {"e1": (454, OptType.OUT)}
    assert ven.intake.withdrawn == []


async def test_an_unknown_cancelled_event_is_only_acknowledged() -> None:
    ven = Ven()
    event = oadr_event(status=EventStatus.CANCELLED)
    assert await ven.hears(distribution(event)) == {"e1": (200, OptType.IN)}
    assert ven.intake.received == []
