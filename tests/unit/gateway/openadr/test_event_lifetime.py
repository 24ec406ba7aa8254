"""Updates, cancellations, randomised times and open ends of events, row by row of the profile."""

from datetime import timedelta

import pytest

from contracts.openadr.payloads import (
    EventStatus,
)
from contracts.time import Interval
from support.openadr import START, oadr_event
from support.openadr_answering_ven import HOUR, IN, MINUTE, Ven, levels, moved


@pytest.mark.row("openadr:E4")
async def test_up_is_an_update_and_down_is_out_of_sequence() -> None:
    ven = Ven()
    assert await ven.hears(oadr_event(modification=1)) == {"e1": (200, IN)}
    assert await ven.hears(oadr_event(modification=4)) == {"e1": (200, IN)}
    assert await ven.hears(oadr_event(modification=3)) == {"e1": (450, IN)}
    assert [e.modification for e in ven.intake.received] == [1, 4]


@pytest.mark.row("openadr:E5")
async def test_missing_is_cancelled_and_only_that() -> None:
    ven = Ven()
    await ven.hears(oadr_event("e1"), oadr_event("e2"))
    await ven.hears(oadr_event("e2"))
    assert ven.intake.withdrawn == ["util/e1"]
    again = await ven.reborn()
    await again.hears(oadr_event("e2"))
    assert again.intake.withdrawn == []


@pytest.mark.row("openadr:E6")
@pytest.mark.parametrize("how", ["explicit", "implied"])
async def test_a_running_event_with_startafter_ends_a_random_while_after_its_cancellation(
    how: str,
) -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event(), after=30 * MINUTE))
    start = ven.last.window.start
    await ven.clock.advance((start - ven.clock.now()).total_seconds() + 60)
    cancelled = moved(oadr_event(modification=1, status=EventStatus.CANCELLED))
    if how == "explicit":
        assert await ven.hears(cancelled) == {"e1": (200, IN)}
        assert await ven.hears(cancelled) == {"e1": (200, IN)}
    else:
        await ven.hears()
    assert not any(e.cancelled for e in ven.intake.received)
    again = await ven.reborn()
    await again.hears()  # a cancelled event may vanish at any time
    await again.answers.cancel_due()
    assert again.intake.withdrawn == []
    await ven.clock.advance((30 * MINUTE).total_seconds())
    await again.answers.cancel_due()
    await again.answers.cancel_due()
    assert again.intake.withdrawn == ["util/e1"]


@pytest.mark.row("openadr:E6")
@pytest.mark.parametrize("tolerance", [timedelta(0), 5 * MINUTE], ids=["no startafter", "with"])
async def test_an_event_that_has_not_begun_is_cancelled_at_once(tolerance: timedelta) -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event(), after=tolerance))
    await ven.hears(oadr_event(modification=1, status=EventStatus.CANCELLED))
    assert [(e.modification, e.cancelled) for e in ven.intake.received] == [(0, False), (1, True)]


@pytest.mark.row("openadr:E6")
async def test_a_cancellation_is_taken_even_if_nothing_else_of_it_can_be_used() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    bad = oadr_event(modification=1, status=EventStatus.CANCELLED, signals=())
    assert await ven.hears(bad) == {"e1": (200, IN)}
    assert ven.intake.withdrawn == ["util/e1"]


@pytest.mark.row("openadr:E7")
@pytest.mark.parametrize("status", [EventStatus.CANCELLED, EventStatus.COMPLETED])
async def test_an_unknown_event_that_is_over_is_only_acknowledged(status: EventStatus) -> None:
    ven = Ven()
    assert await ven.hears(oadr_event(status=status)) == {"e1": (200, IN)}
    assert ven.intake.received == []
    assert ven.documents.documents == {}


@pytest.mark.row("openadr:E11")
async def test_start_and_end_move_by_one_draw_kept_over_modifications_and_restarts() -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event()))
    first = ven.last.window
    assert timedelta(0) <= first.start - START <= 5 * MINUTE
    assert first.duration == HOUR
    assert ven.last.signals[0].series.steps[0].interval.start == first.start
    again = await ven.reborn()
    longer = moved(oadr_event(modification=1, duration=2 * HOUR))
    await again.hears(longer)
    assert again.last.window == Interval.lasting(first.start, 2 * HOUR)
    await again.hears(moved(oadr_event(modification=2), after=timedelta(0)))
    assert again.last.window == Interval.lasting(START, HOUR)


@pytest.mark.row("openadr:E11")
async def test_draws_are_spread_over_the_tolerance_and_between_vens() -> None:
    starts = set()
    for name in range(60):
        ven = Ven(name=f"ven {name}")
        await ven.hears(moved(oadr_event()))
        starts.add((ven.last.window.start - START).total_seconds())
    assert min(starts) < 60
    assert max(starts) > 240
    assert len(starts) > 40


@pytest.mark.row("openadr:E11")
async def test_a_running_event_is_not_moved_by_a_tolerance_it_did_not_have() -> None:
    ven = Ven()
    await ven.hears(oadr_event())
    await ven.clock.advance(15 * 60)
    await ven.hears(moved(oadr_event(modification=1)))
    assert ven.last.window.start == START


@pytest.mark.row("openadr:E11")
async def test_an_event_that_vanishes_at_its_nominal_end_runs_to_its_own() -> None:
    ven = Ven()
    await ven.hears(moved(oadr_event(), after=30 * MINUTE))
    await ven.clock.advance((10 * MINUTE + HOUR).total_seconds())
    await ven.hears()
    assert ven.intake.withdrawn == []


@pytest.mark.row("openadr:E12")
async def test_an_open_ended_event_stays_until_an_end_is_set() -> None:
    ven = Ven()
    endless = timedelta(0)
    await ven.hears(oadr_event(duration=endless, signals=(levels(2, each=endless),)))
    assert ven.last.window.end is None
    await ven.clock.advance(timedelta(days=3).total_seconds())
    whole = timedelta(days=3) + HOUR
    ended = oadr_event(modification=1, duration=whole, signals=(levels(2, each=whole),))
    assert await ven.hears(ended) == {"e1": (200, IN)}
    assert ven.last.window == Interval.lasting(START, whole)
    assert ven.intake.withdrawn == []
    await ven.clock.advance(2 * 3600)
    await ven.hears()
    assert ven.intake.withdrawn == []


@pytest.mark.row("openadr:E12")
async def test_an_open_ended_event_that_vanishes_is_cancelled() -> None:
    ven = Ven()
    await ven.hears(oadr_event(duration=timedelta(0), signals=(levels(2, each=timedelta(0)),)))
    await ven.clock.advance(timedelta(days=3).total_seconds())
    await ven.hears()
    assert ven.intake.withdrawn == ["util/e1"]
