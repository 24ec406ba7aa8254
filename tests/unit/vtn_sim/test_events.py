from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.openadr.payloads import DistributeEvent, EventStatus, OptType, Response
from contracts.testing import FakeClock
from vtn_sim.openadr.event_payload import oadr_event, signal_series
from vtn_sim.openadr.events import FinishedEventError, UnknownEventError
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.spec import EventSpec

Make = Callable[..., EventSpec]


def soon(clock: FakeClock, seconds: float = 60) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


def statuses(message: Any) -> dict[str, tuple[int, str]]:
    """Modification and status of every event of a distribution."""
    assert isinstance(message, DistributeEvent)
    return {
        e.event_id: (e.descriptor.modification_number, e.descriptor.status) for e in message.events
    }


# --- how an event looks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_s", "status", "current"),
    [
        (0, EventStatus.FAR, 0.0),
        (29, EventStatus.FAR, 0.0),
        (30, EventStatus.NEAR, 0.0),
        (60, EventStatus.ACTIVE, -120.0),
        (120, EventStatus.ACTIVE, -80.0),
        (180, EventStatus.ACTIVE, 0.0),
        (189, EventStatus.ACTIVE, 0.0),
        (190, EventStatus.COMPLETED, 0.0),
    ],
)
def test_status_and_current_value_follow_the_clock(
    vtn: Vtn, clock: FakeClock, spec: Make, after_s: int, status: EventStatus, current: float
) -> None:
    wanted = spec(ramp_up_s=30, start_tolerance_s=10)
    event = vtn.events.add(wanted, soon(clock), clock.now())
    payload = oadr_event(event, soon(clock, after_s))
    assert payload.descriptor.status is status
    assert payload.signals[0].current_value == current


def test_everything_asked_is_sent(vtn: Vtn, clock: FakeClock, spec: Make) -> None:
    wanted = spec(
        event_id="007",
        market_context="http://m",
        targets={"group_ids": ["west"], "resource_ids": ["d"], "party_ids": ["p"]},
        priority=3,
        test=True,
        notification_s=20,
        recovery_s=40,
        start_tolerance_s=5,
        response_required=False,
        comment="A & B",
    )
    event = vtn.events.add(wanted, soon(clock), clock.now())
    payload = oadr_event(event, clock.now())
    assert payload.event_id == "007"
    assert payload.descriptor.is_test
    assert (payload.descriptor.priority, payload.descriptor.vtn_comment) == (3, "A & B")
    assert payload.target.group_ids == ("west",)
    assert payload.target.resource_ids == ("d",)
    assert payload.active_period.start == soon(clock)
    assert payload.active_period.duration == timedelta(minutes=2)
    assert payload.active_period.recovery == timedelta(seconds=40)
    assert payload.active_period.start_after == timedelta(seconds=5)
    assert payload.response_required == "never"
    signal = payload.signals[0]
    assert [(i.uid, i.value) for i in signal.intervals] == [("0", -120.0), ("1", -80.0)]
    assert signal.item is not None
    assert (signal.item.units, signal.item.si_scale_code) == ("W", "k")


def test_prices_and_levels_have_their_own_units(vtn: Vtn, clock: FakeClock, spec: Make) -> None:
    one = [{"duration_s": 60, "value": 1.0}]
    signals = [
        {"name": "SIMPLE", "type": "level", "intervals": one},
        {"name": "ELECTRICITY_PRICE", "type": "price", "currency": "USD", "intervals": one},
    ]
    event = vtn.events.add(spec(signals=signals), soon(clock), clock.now())
    level, price = oadr_event(event, clock.now()).signals
    assert level.item is None
    assert price.item is not None
    assert (price.item.kind, price.item.units) == ("currencyPerKWh", "USD")


def test_an_open_ended_event_goes_on(vtn: Vtn, clock: FakeClock, spec: Make) -> None:
    forever = spec(duration_s=0, signals=[{"intervals": [{"duration_s": 0, "value": -1.0}]}])
    event = vtn.events.add(forever, soon(clock), clock.now())
    assert event.window.end is None
    assert event.status(soon(clock, 1e6)) is EventStatus.ACTIVE
    assert signal_series(event, forever.signals[0]).value_at(soon(clock, 1e6)) == -1.0


@pytest.mark.parametrize(
    ("targets", "reached"),
    [
        ({}, ["ven-1", "ven-2"]),
        ({"ven_ids": ["ven-1"]}, ["ven-1"]),
        ({"party_ids": ["ven-2"]}, ["ven-2"]),
        ({"ven_ids": ["ven-9"]}, []),
        ({"group_ids": ["west"]}, ["ven-1", "ven-2"]),
        ({"ven_ids": ["ven-1"], "resource_ids": ["depot-9"]}, ["ven-1", "ven-2"]),
    ],
)
def test_targets_are_or_ed(
    vtn: Vtn,
    ven: Any,
    other_ven: Any,
    clock: FakeClock,
    spec: Make,
    targets: dict[str, Any],
    reached: list[str],
) -> None:
    vtn.events.add(spec(targets=targets), soon(clock), clock.now())
    assert [v.ven_id for v in (ven, other_ven) if v.request_events().events] == reached


# --- how it gets to a VEN ----------------------------------------------------------------------


def test_an_event_is_polled_once_and_answered(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(), soon(clock), clock.now())
    assert statuses(ven.poll()) == {event.event_id: (0, "far")}
    assert ven.answer((event.event_id, 0)).ok
    assert isinstance(ven.poll(), Response)
    (delivery,) = vtn.events.deliveries(event.event_id)
    assert (delivery.ven_id, delivery.times_sent, delivery.polls_before_answer) == ("ven-1", 1, 0)
    assert [a.opt for a in delivery.answers] == [OptType.IN]


def test_polling_before_answering_is_noted(
    vtn: Vtn, ven: Any, other_ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(targets={"ven_ids": ["ven-1"]}), soon(clock), clock.now())
    ven.poll()
    other_ven.poll()
    ven.poll()
    ven.answer((event.event_id, 0))
    ven.poll()
    (delivery,) = vtn.events.deliveries(event.event_id)
    assert delivery.polls_before_answer == 1


async def test_an_unanswered_event_is_sent_again_after_a_while(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(), soon(clock, 600), clock.now())
    ven.poll()
    await clock.advance(29)
    assert isinstance(ven.poll(), Response)
    await clock.advance(1)
    assert statuses(ven.poll()) == {event.event_id: (0, "far")}
    assert vtn.events.deliveries(event.event_id)[0].times_sent == 2
    ven.answer((event.event_id, 0))
    await clock.advance(60)
    assert isinstance(ven.poll(), Response)


async def test_an_event_that_wants_no_answer_is_not_repeated(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    vtn.events.add(spec(response_required=False), soon(clock, 600), clock.now())
    assert statuses(ven.poll())
    await clock.advance(60)
    assert isinstance(ven.poll(), Response)


def test_a_request_gets_all_events_at_any_time(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    ids = {vtn.events.add(spec(), soon(clock, n), clock.now()).event_id for n in (60, 600)}
    for _ in range(2):
        batch = ven.request_events()
        assert statuses(batch).keys() == ids
        assert batch.response is not None
        assert batch.response.request_id == "e"
    assert isinstance(ven.poll(), Response)


def test_a_change_brings_the_next_modification(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(), soon(clock), clock.now())
    ven.poll()
    ven.answer((event.event_id, 0))
    vtn.events.modify(event.event_id, spec(priority=1), soon(clock, 90), clock.now())
    assert statuses(ven.poll()) == {event.event_id: (1, "far")}
    assert vtn.events.event(event.event_id).start == soon(clock, 90)
    assert ven.answer((event.event_id, 0)).code == 450
    assert ven.answer((event.event_id, 1), opt=OptType.OUT).ok
    first, second = vtn.events.deliveries(event.event_id)
    assert [a.opt for a in first.answers] == [OptType.IN, OptType.IN]
    assert [a.opt for a in second.answers] == [OptType.OUT]


def test_a_cancelled_event_is_sent_as_such(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(), soon(clock), clock.now())
    ven.poll()
    vtn.events.cancel(event.event_id, clock.now())
    assert statuses(ven.poll()) == {event.event_id: (1, "cancelled")}
    with pytest.raises(FinishedEventError, match="cancelled"):
        vtn.events.modify(event.event_id, spec(), soon(clock), clock.now())
    with pytest.raises(FinishedEventError):
        vtn.events.cancel(event.event_id, clock.now())


async def test_a_ven_that_was_away_still_hears_of_a_cancellation(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(), soon(clock, 3600), clock.now())
    forever = spec(duration_s=0, signals=[{"intervals": [{"duration_s": 0, "value": -1.0}]}])
    endless = vtn.events.add(forever, soon(clock), clock.now())
    ven.poll()
    for cancelled in (event, endless):
        vtn.events.cancel(cancelled.event_id, clock.now())
    await clock.advance(3000)
    assert {s for _, s in statuses(ven.poll()).values()} == {"cancelled"}
    await clock.advance(2 * 86_400)
    assert statuses(ven.request_events()) == {}


async def test_an_event_that_is_over_leaves_the_list(
    vtn: Vtn, ven: Any, clock: FakeClock, spec: Make
) -> None:
    event = vtn.events.add(spec(), soon(clock), clock.now())
    await clock.advance(60 + 120 + 119)
    assert statuses(ven.request_events()) == {event.event_id: (0, "completed")}
    await clock.advance(1)
    assert statuses(ven.request_events()) == {}
    with pytest.raises(FinishedEventError, match="completed"):
        vtn.events.cancel(event.event_id, clock.now())


def test_answers_to_what_was_never_asked_are_refused_one_by_one(
    vtn: Vtn, ven: Any, other_ven: Any, clock: FakeClock, spec: Make
) -> None:
    mine = vtn.events.add(spec(targets={"ven_ids": ["ven-1"]}), soon(clock), clock.now())
    foreign = vtn.events.add(spec(targets={"ven_ids": ["ven-2"]}), soon(clock), clock.now())
    ven.poll()
    assert ven.answer(("unknown", 0)).code == 452
    assert ven.answer((foreign.event_id, 0)).code == 452
    assert ven.answer((mine.event_id, 7)).code == 450
    assert ven.answer(("unknown", 0), (mine.event_id, 0)).code == 452
    assert [len(d.answers) for d in vtn.events.deliveries(mine.event_id)] == [1]
    assert not vtn.events.deliveries(foreign.event_id)


def test_ids_are_unique_and_unknown_ones_are_named(vtn: Vtn, clock: FakeClock, spec: Make) -> None:
    made = {vtn.events.add(spec(), soon(clock), clock.now()).event_id for _ in range(20)}
    assert len(made) == 20
    vtn.events.add(spec(event_id="mine"), soon(clock), clock.now())
    with pytest.raises(PermanentError, match="exists already"):
        vtn.events.add(spec(event_id="mine"), soon(clock), clock.now())
    with pytest.raises(UnknownEventError, match="nobody"):
        vtn.events.cancel("nobody", clock.now())
