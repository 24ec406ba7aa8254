from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest

from gateway.domain.der.control import ControlStatus
from gateway.domain.der.engine import advance
from support.der import (
    DEVICE,
    EMPTY,
    at,
    codes,
    control,
    default,
    known,
    look,
    restored,
    value,
)


def test_nothing_listed_is_nothing_to_do() -> None:
    step = look(EMPTY, known(), 0)
    assert (step.responses, step.schedule.modes, step.next_change) == ((), {}, None)


def test_never_reached_is_nothing_to_do_either() -> None:
    step = look(EMPTY, None, 0)
    assert (step.responses, step.schedule.modes, step.next_change) == ((), {}, None)


def test_it_says_when_to_look_again() -> None:
    step = look(EMPTY, known(control("a", 10, 20), control("b", 40, 50)), 0)
    times = []
    while step.next_change is not None:
        times.append(step.next_change)
        step = advance(step.state, None, step.next_change, device=DEVICE)
        assert step.responses
    assert times == [at(10), at(20), at(40), at(50)]


def test_a_clock_that_is_set_back_does_not_set_the_rules_back() -> None:
    listed = known(control())
    step = look(look(EMPTY, listed, 0).state, listed, 15)
    back = look(step.state, listed, 5)
    assert back == replace(step, responses=())
    assert back.schedule.start == at(15)


@pytest.mark.row("sep2:42", "csip:G12")
def test_restarted_without_a_link_it_finishes_what_it_knew() -> None:
    listed = known(control("now", 0, 20), control("next", 30, 40), defaults=(default(W=9),))
    stored = restored(look(EMPTY, listed, 5).state)
    step = look(stored, None, 35)
    assert codes(step) == ["20 now 3", "30 next 2"]
    assert [value(step, "W", n) for n in (35, 40, 500)] == [50, 9, 9]


def test_the_device_answers_under_its_own_name_to_where_the_control_says() -> None:
    [due] = look(EMPTY, known(control(reply_to="/rsps/7")), 0).responses
    assert (due.lfdi, due.reply_to, due.cause) == (
        DEVICE.lfdi,
        "/rsps/7",
        "it was listed for the first time",
    )


def test_responses_say_why() -> None:
    programs = {"sy": 5, "sp": 1}
    wide, local = control("wide", 10, 60, of="sy"), control("local", 20, 30, of="sp")
    step = look(EMPTY, known(wide, programs=programs), 10)
    step = look(step.state, known(wide, local, programs=programs), 15)
    step = look(step.state, None, 40)
    assert [(one.code, one.cause) for one in step.responses] == [
        (7, "control local takes over"),
        (2, "its time has come"),
        (3, "it ran to its end"),
    ]


@pytest.mark.row("sep2:12", "csip:G10", "csip-test:BASIC-015")
def test_twenty_four_controls_are_kept_and_the_rest_cancelled() -> None:
    """The first runs, then the server calls off the others: the default holds, 6 for each."""
    count = 24
    queue = [control(f"c{n:02}", 10 + 10 * n, 20 + 10 * n) for n in range(count)]
    group = control("group", 10 + 10 * count, 20 + 10 * count, of="transformer")
    programs = {"p": 1, "transformer": 3}
    defaults = (default(W=9),)
    listed = known(*queue, group, programs=programs, defaults=defaults)
    step = look(EMPTY, listed, 0)
    assert len([s for s in step.schedule.modes["W"] if s.mrid]) == count + 1
    step = look(restored(step.state), listed, 20)
    assert codes(step) == ["10 c00 2", "20 c00 3", "20 c01 2"]
    cancelled = [queue[0], *(replace(c, status=ControlStatus.CANCELLED) for c in queue[1:])]
    step = look(step.state, known(*cancelled, group, programs=programs, defaults=defaults), 25)
    assert codes(step) == [f"25 c{n:02} 6" for n in range(1, count)]
    assert [value(step, "W", n) for n in (25, 100, 250, 260)] == [9, 9, 50, 9]


@pytest.mark.row("sep2:12", "csip:P23")
def test_fifteen_programs_at_once_with_a_default_and_a_control_each() -> None:
    programs = {f"p{n:02}": n for n in range(15)}
    listed = known(
        *(control(f"c{n:02}", 10 * n, 10 * n + 10, of=f"p{n:02}") for n in range(15)),
        programs=programs,
        defaults=tuple(default(name, **{f"M{n}": 1.0, "W": n}) for name, n in programs.items()),
    )
    step = look(EMPTY, listed, 0)
    assert value(step, "W", 150) == 0
    assert all(value(step, f"M{n}", 0) == 1 for n in range(15))
    assert {s.mrid for s in step.schedule.modes["W"] if s.mrid} == {f"c{n:02}" for n in range(15)}


@pytest.mark.row("csip-test:CORE-013")
def test_ten_programs_with_ten_controls_each() -> None:
    """Staggered, one at a time: all run, in order, with the default between and after."""
    slots = [(p, n) for n in range(10) for p in range(10)]
    listed = known(
        *(
            control(f"c{p}{n}", 4 * i, 4 * i + 3, of=f"p{p}", modes={"W": float(i)})
            for i, (p, n) in enumerate(slots)
        ),
        programs={f"p{p}": p for p in range(10)},
        defaults=(default("p0", W=-1),),
    )
    step = look(EMPTY, listed, 0)
    for i in range(100):
        assert value(step, "W", 4 * i) == i
        assert value(step, "W", 4 * i + 3) == -1
    told = codes(look(step.state, None, 400))
    assert len(told) == 2 * 100 - 1
    assert told[-1] == "399 c99 3"


def test_a_fleet_of_a_thousand_devices_takes_less_than_a_second() -> None:
    """1,000 devices of 10 controls each; the best of three tries, on a busy machine too."""
    count = 200
    listed = known(
        *(control(f"c{n}", 10 * n, 10 * n + 10, random=(1, 1)) for n in range(10)),
        defaults=(default(W=9),),
    )
    states = [look(EMPTY, listed, 0).state for _ in range(count)]
    tries = []
    for now in (25, 26, 27):
        begun = process_time()
        states = [look(state, listed, now).state for state in states]
        tries.append(process_time() - begun)
    assert min(tries) * 1000 / count < 1.0
