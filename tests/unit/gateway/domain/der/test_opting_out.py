"""Users who leave a control and come back: what is answered, and what then holds for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.der.control import DerControl, ResponseRequired
from gateway.domain.der.device import Device
from gateway.domain.der.engine import Step
from gateway.domain.der.responses import CSIP, CSIP_AUS, ResponseProfile
from support.der import DEVICE, EMPTY, STORE, at, codes, control, default, known, look, restored

PAIR = Device(lfdi="00", parts=("a", "b"))
Choice = tuple[float, str]
"""A minute, and the parts that are out from then on."""


def run(
    *choices: Choice,
    device: Device = PAIR,
    profile: ResponseProfile = CSIP,
    listed: DerControl[float] | None = None,
) -> list[str]:
    """Every answer about one control from 10 to 20, over a restart between any two looks."""
    seen = known(listed or control())
    told: list[str] = []
    state, out = EMPTY, ""
    for minute, parts in sorted([(0.0, ""), *choices, (9.0, "?"), (19.0, "?"), (30.0, "?")]):
        out = out if parts == "?" else parts
        step = look(
            restored(state), seen, minute, device=device, profile=profile, opted_out={"c": [*out]}
        )
        told += codes(step)
        state = step.state
    return [one.replace(" c ", " ") for one in told]


@pytest.mark.row("sep2:31")
@pytest.mark.parametrize(
    ("choices", "told"),
    [
        # all of the device
        ([(5, "ab")], ["0 1", "5 4", "20 10"]),
        ([(15, "ab")], ["0 1", "10 2", "15 4", "20 8"]),
        ([(5, "ab"), (7, "")], ["0 1", "5 4", "7 5", "10 2", "20 3"]),
        ([(5, "ab"), (15, "")], ["0 1", "5 4", "15 5", "15 2", "20 9"]),
        ([(12, "ab"), (15, "")], ["0 1", "10 2", "12 4", "15 5", "20 9"]),
        (
            [(12, "ab"), (14, ""), (16, "ab")],
            ["0 1", "10 2", "12 4", "14 5", "16 4", "20 8"],
        ),
        # a part of it
        ([(5, "a")], ["0 1", "10 2", "20 8"]),
        ([(15, "b")], ["0 1", "10 2", "20 8"]),
        ([(5, "a"), (7, "")], ["0 1", "10 2", "20 3"]),
        ([(5, "a"), (15, "")], ["0 1", "10 2", "20 9"]),
        ([(12, "a"), (15, "")], ["0 1", "10 2", "20 9"]),
        # part by part
        ([(5, "a"), (6, "ab")], ["0 1", "6 4", "20 10"]),
        ([(5, "ab"), (6, "a")], ["0 1", "5 4", "6 5", "10 2", "20 8"]),
        ([(5, "ab"), (15, "a")], ["0 1", "5 4", "15 5", "15 2", "20 8"]),
        ([(5, "ab"), (12, "a"), (15, "")], ["0 1", "5 4", "12 5", "12 2", "20 9"]),
        # too late, and never
        ([(25, "ab")], ["0 1", "10 2", "20 3"]),
        ([], ["0 1", "10 2", "20 3"]),
    ],
)
def test_what_a_choice_is_answered(choices: list[Choice], told: list[str]) -> None:
    assert run(*choices) == told


def test_a_device_of_one_part_opts_out_as_a_whole() -> None:
    step = look(EMPTY, known(control()), 0, opted_out={"c": DEVICE.parts})
    assert codes(step) == ["0 c 1", "0 c 4"]
    assert step.schedule.modes == {}
    assert step.apart == {}


@pytest.mark.row("sep2:32")
def test_only_what_the_utility_takes_is_told() -> None:
    """Australian utilities take neither opt-outs nor their ends: silence is all that is left."""
    assert run((5, "ab"), profile=CSIP_AUS) == ["0 1"]
    assert run((5, "a"), profile=CSIP_AUS) == ["0 1", "10 2"]


@pytest.mark.parametrize(
    ("bits", "told"), [(1, ["0 1"]), (2, ["10 2", "15 4", "20 8"]), (4, ["15 4"])]
)
def test_only_who_wants_to_hear_is_told(bits: int, told: list[str]) -> None:
    listed = control(answers=ResponseRequired(bits))
    assert run((15, "ab"), listed=listed) == told


def values(step: Step[float], *minutes: float) -> dict[str, list[float | None]]:
    """What is in force for the device, and for each part that stands apart."""
    schedules = {"all": step.schedule, **step.apart}
    found = {
        part: [schedule.at("W", at(minute)) for minute in minutes]
        for part, schedule in schedules.items()
    }
    return {
        part: [None if one is None else one.value for one in segments]
        for part, segments in found.items()
    }


def test_who_is_out_is_held_by_the_default_and_by_every_other_control() -> None:
    seen = known(control("c"), control("d", 20, 30, modes={"W": 40.0}), defaults=(default(W=9.0),))
    step = look(EMPTY, seen, 0, device=PAIR, opted_out={"c": ["a"]})
    assert values(step, 5, 15, 25) == {"all": [9.0, 50.0, 40.0], "a": [9.0, 9.0, 40.0]}
    back = look(step.state, None, 12, device=PAIR, opted_out={})
    assert values(back, 15) == {"all": [50.0]}


def test_a_choice_stands_until_it_is_changed() -> None:
    step = look(EMPTY, known(control()), 0, device=PAIR, opted_out={"c": ["a"]})
    later = look(restored(step.state), known(control()), 15, device=PAIR)
    assert values(later, 15) == {"all": [50.0], "a": [None]}
    assert codes(later) == ["10 c 2"]


def test_a_part_that_is_no_longer_there_does_not_count() -> None:
    """The settings changed over a restart: who is left has opted out, so the device has."""
    step = look(EMPTY, known(control()), 0, device=PAIR, opted_out={"c": ["a"]})
    alone = look(restored(step.state), None, 1, device=replace(PAIR, parts=("a",)))
    assert codes(alone) == ["1 c 4"]
    assert alone.schedule.modes == {}


def test_a_state_stored_before_there_were_parts_reads_as_all_taking_part() -> None:
    stored = STORE.dump_python(look(EMPTY, known(control()), 0, device=PAIR).state, mode="json")
    for engagement in stored["engagements"]:
        del engagement["parts_out"], engagement["complete_at"]
    state = STORE.validate_python(stored)
    assert codes(look(state, None, 20, device=PAIR)) == ["10 c 2", "20 c 3"]
