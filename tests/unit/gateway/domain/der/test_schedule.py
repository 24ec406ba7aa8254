from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.der.responses import CSIP
from gateway.domain.der.schedule import Schedule, Segment, coalesce
from support.der import (
    EMPTY,
    MINUTE,
    at,
    control,
    default,
    known,
    look,
    minute,
    window,
)

CONTROLS = (control("a", 10, 20, modes={"W": 5.0}), control("b", 22, 30, modes={"W": 3.0}))


def schedule(now: float = 0, *, with_default: bool = True) -> Schedule[float]:
    defaults = (default(W=9),) if with_default else ()
    return look(look(EMPTY, known(*CONTROLS, defaults=defaults), 0).state, None, now).schedule


def shape(made: Schedule[float], mode: str = "W") -> list[tuple[float, float | None, float]]:
    return [
        (
            minute(one.interval.start),
            None if one.interval.end is None else minute(one.interval.end),
            one.value,
        )
        for one in made.modes.get(mode, ())
    ]


@pytest.mark.row("sep2:15", "csip:G11")
def test_the_default_fills_the_gaps_and_stays() -> None:
    assert shape(schedule()) == [
        (0, 10, 9),
        (10, 20, 5),
        (20, 22, 9),
        (22, 30, 3),
        (30, None, 9),
    ]


def test_without_a_default_there_are_gaps() -> None:
    made = schedule(with_default=False)
    assert shape(made) == [(10, 20, 5), (22, 30, 3)]
    assert made.at("W", at(21)) is None
    assert made.at("unheard of", at(15)) is None


def test_it_starts_now_and_knows_since_when_a_value_holds() -> None:
    made = schedule(12)
    assert shape(made)[0] == (12, 20, 5)
    assert made.modes["W"][0].began == at(10)
    assert schedule(21).modes["W"][0].began == at(20)
    assert schedule().modes["W"][0].began is None


def test_a_control_that_resumes_holds_since_it_resumed() -> None:
    profile = replace(CSIP, resume=True)
    programs = {"sy": 5, "sp": 1}
    listed = known(
        control("wide", 10, 60, of="sy"), control("local", 20, 30, of="sp"), programs=programs
    )
    state = look(EMPTY, listed, 0, profile=profile).state
    for now in (30, 30, 40):
        step = look(state, None, now, profile=profile)
        [segment] = step.schedule.modes["W"]
        assert (segment.mrid, segment.began) == ("wide", at(30))
        state = step.state


def test_the_next_change() -> None:
    made = schedule()
    assert [made.next_change(at(n)) for n in (0, 10, 20, 30)] == [at(10), at(20), at(22), None]


def test_up_to_a_horizon() -> None:
    assert shape(schedule().clip(window(5, 25))) == [
        (5, 10, 9),
        (10, 20, 5),
        (20, 22, 9),
        (22, 25, 3),
    ]
    assert schedule().clip(window(5, 25)).start == at(5)


def test_an_open_control_has_no_default_after_it() -> None:
    step = look(EMPTY, known(control(end=None), defaults=(default(W=9),)), 0)
    assert shape(step.schedule) == [(0, 10, 9), (10, None, 50)]
    assert step.next_change == at(10)
    assert look(step.state, None, 15).next_change is None


def test_causes_say_why() -> None:
    programs = {"sy": 5, "sp": 1}
    wide = control("wide", -10, 60, of="sy", random=(0, 5))
    local = control("local", 30, 40, of="sp", modes={"W": 2.0})
    step = look(EMPTY, known(wide, local, programs=programs, defaults=(default("sp", W=9),)), 0)
    assert [one.cause for one in step.schedule.modes["W"]] == [
        "control wide of sy (primacy 5), received late, until control local takes over",
        "control local of sp (primacy 1)",
        "default of sp (primacy 1)",
    ]


def test_causes_tell_of_chance_and_of_running_out() -> None:
    moved = control("c", 10, 60, random=(20, 60))
    step = look(EMPTY, known(moved), 0)
    [segment] = step.schedule.modes["W"]
    start = segment.interval.start
    minutes = int(minute(start)) - 10
    assert f"{minutes} min" in segment.cause
    assert segment.cause.endswith("later at random")
    running = look(step.state, known(moved), minute(start) + 1)
    off = look(running.state, known(control("c", 10, 60, random=(20, 60), status=3)), 35)
    [segment] = off.schedule.modes["W"]
    assert segment.cause.endswith("runs out because the server has cancelled it")
    assert segment.mrid == "c"


def test_the_ramp_goes_with_the_value() -> None:
    ramped = replace(control(end=20), ramp=2 * MINUTE)
    step = look(EMPTY, known(ramped, control("b", 20, 30), defaults=(default(W=9),)), 0)
    assert [one.ramp for one in step.schedule.modes["W"]] == [None, 2 * MINUTE, None, None]


def _lower(mode: str, one: float, other: float) -> bool:
    return mode == "W" and one <= other


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((9, 5, 3), [(0, 10, 9), (10, 30, 3)]),  # the next one is tighter: it may begin early
        ((9, 1, 3), [(0, 10, 9), (10, 12, 1), (12, 30, 3)]),  # the short one is tighter: it stays
        ((9, 3, 3), [(0, 10, 9), (10, 30, 3)]),  # the same value
    ],
)
def test_a_short_value_is_passed_over_only_for_one_at_least_as_tight(
    values: tuple[float, ...], expected: list[tuple[float, float, float]]
) -> None:
    made = _made((0, 10, values[0]), (10, 12, values[1]), (12, 30, values[2]))
    assert shape(coalesce(made, 5 * MINUTE, _lower)) == expected


def test_without_a_comparator_only_equal_values_join() -> None:
    made = _made((0, 10, 9), (10, 12, 5), (12, 30, 3), (30, 31, 7), (31, 40, 7))
    assert shape(coalesce(made, 5 * MINUTE)) == [
        (0, 10, 9),
        (10, 12, 5),
        (12, 30, 3),
        (30, 40, 7),
    ]


def test_several_short_values_in_a_row() -> None:
    made = _made((0, 2, 9), (2, 3, 8), (3, 4, 7), (4, 30, 6), (30, 31, 1))
    assert shape(coalesce(made, 5 * MINUTE, _lower)) == [(0, 30, 6), (30, 31, 1)]
    [first, _] = coalesce(made, 5 * MINUTE, _lower).modes["W"]
    assert first.cause == "made; 4 min early, over a value too short to follow"


def test_short_values_that_join_to_a_long_one_stay_it() -> None:
    made = _made((0, 3, 9), (3, 6, 8), (6, 30, 6))
    assert shape(coalesce(made, 5 * MINUTE, _lower)) == [(0, 6, 8), (6, 30, 6)]


def test_over_a_gap_nothing_joins() -> None:
    made = _made((0, 2, 9), (4, 30, 6))
    assert coalesce(made, 5 * MINUTE, _lower) == made


def test_the_last_open_value_and_one_nearly_over_are_not_short() -> None:
    assert shape(coalesce(schedule(19), 5 * MINUTE, _lower))[0] == (19, 20, 5)
    assert shape(coalesce(schedule(29), 5 * MINUTE, _lower)) == [(29, 30, 3), (30, None, 9)]


def test_a_value_passed_over_does_not_come_back_while_its_time_runs() -> None:
    """The gap of two minutes between the controls, looked at before, in and after it."""
    for now in (15, 20, 21, 22):
        made = coalesce(schedule(now), 5 * MINUTE, _lower)
        segment = made.at("W", at(max(now, 21)))
        assert segment is not None
        assert segment.value == 3
    assert coalesce(schedule(), timedelta(0), _lower) == schedule()


def _made(*pieces: tuple[float, float, float]) -> Schedule[float]:
    segments = tuple(
        Segment(
            interval=window(start, end),
            value=value,
            program_id="p",
            mrid=f"{start}",
            cause="made",
            began=at(start),
        )
        for start, end, value in pieces
    )
    return Schedule(start=at(0), modes={"W": segments})
