"""Receipt, edits and oblivion; cancellations and lists are in `test_event_rules`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.der.device import Device, Rejection
from gateway.domain.der.engagement import Fate
from gateway.domain.der.responses import CSIP, ResponseCode
from support.der import EMPTY, MINUTE, codes, control, known, look, value


def _up_to_100(mode: str, set_to: object) -> Rejection | None:
    if mode == "Odd":
        return Rejection(code=ResponseCode.NOT_APPLICABLE, reason="no such mode")
    if isinstance(set_to, float) and set_to > 100:
        return Rejection(code=ResponseCode.INVALID, reason="beyond the rating")
    return None


CAREFUL = Device(lfdi="00", applicable=_up_to_100)


def test_a_new_value_of_a_running_control_is_followed() -> None:
    step = look(EMPTY, known(control(modes={"W": 50.0})), 10)
    step = look(step.state, known(control(modes={"W": 30.0})), 12)
    assert codes(step) == []
    assert value(step, "W", 12) == 30


@pytest.mark.row("sep2:33")
def test_an_absurd_new_value_leaves_the_last_good_one_and_is_answered_once() -> None:
    step = look(EMPTY, known(control(modes={"W": 50.0, "X": 1.0})), 10, device=CAREFUL)
    absurd = known(control(modes={"W": 5000.0, "X": 2.0}))
    step = look(step.state, absurd, 12, device=CAREFUL)
    assert codes(step) == ["12 c 253"]
    assert (value(step, "W", 12), value(step, "X", 12)) == (50, 2)
    step = look(step.state, absurd, 13, device=CAREFUL)
    assert codes(step) == []
    assert value(step, "W", 13) == 50
    step = look(step.state, known(control(modes={"W": 40.0})), 14, device=CAREFUL)
    assert value(step, "W", 14) == 40


def test_a_running_control_that_is_put_off_runs_on_to_its_new_end() -> None:
    step = look(EMPTY, known(control("c", 10, 20, modes={"W": 50.0})), 10)
    step = look(step.state, known(control("c", 30, 40, modes={"W": 50.0})), 12)
    assert [value(step, "W", minute) for minute in (12, 29, 39, 40)] == [50, 50, 50, None]
    assert codes(look(step.state, None, 50)) == ["40 c 3"]


def test_modes_put_in_and_taken_out() -> None:
    step = look(EMPTY, known(control(modes={"W": 50.0})), 10)
    step = look(step.state, known(control(modes={"X": 1.0})), 12)
    assert (value(step, "W", 12), value(step, "X", 12)) == (None, 1)
    assert codes(look(step.state, None, 30)) == ["20 c 3"]


def test_all_modes_taken_out_is_a_cancellation() -> None:
    step = look(EMPTY, known(control()), 10)
    step = look(step.state, known(control(modes={})), 12)
    assert codes(step) == ["12 c 6"]
    assert step.schedule.modes == {}


def test_a_mode_rejected_at_receipt_is_taken_up_once_its_value_is_good() -> None:
    step = look(EMPTY, known(control(modes={"W": 500.0, "X": 1.0})), 5, device=CAREFUL)
    assert codes(step) == ["5 c 1", "5 c 253"]
    step = look(step.state, known(control(modes={"W": 50.0, "X": 1.0})), 6, device=CAREFUL)
    assert value(step, "W", 10) == 50


def test_a_mode_put_in_that_the_device_does_not_have_is_answered_and_the_others_go_on() -> None:
    step = look(EMPTY, known(control(modes={"W": 50.0})), 10, device=CAREFUL)
    step = look(step.state, known(control(modes={"W": 50.0, "Odd": 1.0})), 12, device=CAREFUL)
    assert codes(step) == ["12 c 252"]
    assert value(step, "W", 12) == 50
    engagement = step.state.engagements[0]
    assert engagement.modes["Odd"].fate is Fate.REJECTED
    assert engagement.modes["Odd"].reason == "no such mode"


def test_a_control_listed_twice_is_one_control_of_the_stronger_program() -> None:
    twice = known(
        control(of="q", modes={"W": 1.0}),
        control(of="p", modes={"W": 2.0}),
        programs={"p": 1, "q": 2},
    )
    step = look(EMPTY, twice, 10)
    assert codes(step) == ["10 c 1", "10 c 2"]
    assert value(step, "W", 10) == 2


def test_of_two_copies_from_a_list_that_changed_while_it_was_read_the_later_status_counts() -> None:
    for pair in ((0, 2), (2, 0)):
        step = look(EMPTY, known(*(control(status=status) for status in pair)), 5)
        assert codes(step) == ["5 c 1", "5 c 6"]


def test_a_control_of_a_program_that_is_not_ours_is_not_there() -> None:
    step = look(EMPTY, known(control(of="theirs")), 10)
    assert step.state.engagements == ()
    assert codes(step) == []


def test_an_ended_control_is_remembered_while_it_is_listed_and_a_while_longer() -> None:
    profile = replace(CSIP, remember=30 * MINUTE)
    listed, gone = known(control()), known()
    step = look(EMPTY, listed, 0, profile=profile)
    step = look(step.state, listed, 300, profile=profile)
    assert codes(step) == ["10 c 2", "20 c 3"]
    step = look(step.state, gone, 301, profile=profile)
    assert step.state.engagements == ()
    step = look(EMPTY, listed, 0, profile=profile)
    step = look(step.state, gone, 40, profile=profile)
    assert len(step.state.engagements) == 1
    step = look(step.state, listed, 45, profile=profile)
    assert codes(step) == []
    step = look(step.state, gone, 50, profile=profile)
    assert step.state.engagements == ()


def test_one_that_ends_and_is_forgotten_in_the_same_look_is_answered_all_the_same() -> None:
    step = look(EMPTY, known(control()), 0)
    step = look(step.state, known(), 600)
    assert codes(step) == ["10 c 2", "20 c 3"]
    assert step.state.engagements == ()


def test_the_order_of_cancellation_and_end_is_what_we_could_know() -> None:
    """It had run to its end before we heard that it was cancelled."""
    step = look(EMPTY, known(control()), 0)
    step = look(step.state, known(control(status=2)), 25)
    assert codes(step) == ["10 c 2", "20 c 3"]
