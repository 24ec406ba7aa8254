"""Effective times of one control by itself; `test_event_rules` has them among others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.der.control import Known
from gateway.domain.der.draw import Draws
from gateway.domain.der.engagement import FOREVER, Engagement, Fate, Phase, Standing, shifted
from support.der import EMPTY, MINUTE, STORE, at, control, default, known, look, minute, restored

few = settings(max_examples=60)


def engagement(
    start: float = 10,
    end: float | None = 20,
    *,
    draws: tuple[float, float, float] = (0, 0, 0),
    seen: float = 0,
    cancelled: float | None = None,
    tail: float = 0,
    opted_in: float | None = None,
) -> Engagement[float]:
    move, stretch, delay = (part * MINUTE for part in draws)
    return Engagement(
        control=control(start=start, end=end),
        first_seen=at(seen),
        draws=Draws(start=move, duration=stretch, cancel=delay),
        modes={"W": Standing()},
        cancelled_at=None if cancelled is None else at(cancelled),
        cancel_tail=tail * MINUTE,
        opted_in_at=None if opted_in is None else at(opted_in),
    )


def span(one: Engagement[float]) -> tuple[float, float]:
    start, end = one.span()
    return minute(start), minute(end)


def test_as_specified() -> None:
    assert span(engagement()) == (10, 20)


def test_the_start_moves_the_whole_control_and_the_duration_only_its_end() -> None:
    assert span(engagement(draws=(3, 0, 0))) == (13, 23)
    assert span(engagement(draws=(-3, 0, 0))) == (7, 17)
    assert span(engagement(draws=(3, -4, 0))) == (13, 19)


def test_a_control_shortened_to_less_than_nothing_has_no_length() -> None:
    assert span(engagement(draws=(1, -30, 0))) == (11, 11)


@pytest.mark.row("sep2:43")
def test_late_it_starts_after_receipt_and_keeps_its_end() -> None:
    assert span(engagement(seen=12)) == (12, 20)
    assert span(engagement(seen=12, draws=(-3, 0, 0))) == (15, 20)
    assert span(engagement(seen=14, draws=(3, 2, 0))) == (17, 22)
    assert span(engagement(seen=11, draws=(3, 0, 0))) == (13, 23)


def test_late_by_so_much_that_chance_takes_the_rest() -> None:
    assert span(engagement(seen=18, draws=(5, 0, 0))) == (20, 20)
    assert span(engagement(seen=18, draws=(-5, 0, 0))) == (20, 20)
    assert span(engagement(seen=18, draws=(0, -5, 0))) == (18, 18)


def test_an_open_end_stays_open() -> None:
    assert engagement(end=None, draws=(3, 4, 0)).span() == (at(13), FOREVER)
    assert engagement(end=None, seen=30, draws=(3, 4, 0)).span() == (at(33), FOREVER)


@pytest.mark.row("sep2:27")
def test_cancelled_it_ends_with_its_tail_if_it_had_begun() -> None:
    assert span(engagement(cancelled=15)) == (10, 15)
    assert span(engagement(cancelled=15, tail=3)) == (10, 18)
    assert span(engagement(cancelled=15, tail=30)) == (10, 20)
    assert span(engagement(cancelled=5, tail=3)) == (10, 5)


def test_who_opts_in_again_starts_then() -> None:
    assert span(engagement(opted_in=15)) == (15, 20)
    assert span(engagement(opted_in=5)) == (10, 20)


@few
@given(
    start=st.integers(-30, 30),
    length=st.integers(0, 30),
    seen=st.integers(-30, 30),
    move=st.integers(-60, 60),
    stretch=st.integers(-60, 60),
)
def test_it_never_starts_before_receipt_nor_ends_before_it_starts(
    start: int, length: int, seen: int, move: int, stretch: int
) -> None:
    one = engagement(start, start + length, seen=seen, draws=(move, stretch, 0))
    if start + length > seen:
        begin, end = span(one)
        assert seen <= begin <= end


def test_phases() -> None:
    waiting = engagement()
    running = replace(waiting, modes={"W": Standing(held_from=at(10))})
    done = Standing(fate=Fate.DONE, held_from=at(10), ended_at=at(20))
    step = look(EMPTY, known(control(start=0, end=10)), 5)
    over = look(step.state, None, 10).state.engagements[0]
    assert [one.phase for one in (waiting, running, over)] == list(Phase)
    assert over.modes == {"W": replace(done, held_from=at(5), ended_at=at(10), reason=REASON)}


REASON = "it ran to its end"


def test_dates_at_the_end_of_the_calendar_do_no_harm() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert shifted(first, -MINUTE) == first
    assert shifted(last, MINUTE) == FOREVER
    edge = last - MINUTE
    far = replace(control(random=(60, 60)), window=replace(control().window, start=edge, end=last))
    old = replace(far, mrid="old", window=replace(far.window, start=first, end=first + MINUTE))
    step = look(EMPTY, Known(programs=known().programs, controls=(far, old)), 0)
    assert len(step.responses) == 2
    assert restored(step.state) == step.state


def test_a_state_survives_the_store_with_the_type_of_its_values() -> None:
    listed = known(
        control("c", 0, 30, random=(5, -5)), control("late", -10, 30), defaults=(default(W=9),)
    )
    state = look(EMPTY, listed, 5).state
    text = STORE.dump_json(state)
    assert STORE.validate_json(text) == state
    assert STORE.dump_json(STORE.validate_json(text)) == text
    assert timedelta(0) != state.engagements[0].draws.start
