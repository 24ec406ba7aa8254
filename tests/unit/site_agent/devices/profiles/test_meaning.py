from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import Quality
from contracts.testing import FakeClock
from site_agent.devices.points.board import PointBoard
from site_agent.devices.profiles.codec import decode
from site_agent.devices.profiles.library import catalog
from site_agent.devices.profiles.meaning import Said, points_of, read_points, registers_of
from site_agent.devices.profiles.schema import WORDS, Profile, Register
from support.profile_text import METER, profile

NOTHING = Said(None, Quality.INVALID)


def said(one: Profile, numbers: Mapping[int, float | None]) -> dict[str, Said]:
    group = points_of(one, "fast")
    return read_points(one, group, lambda register: numbers[register.address])


def test_units_are_converted_and_the_other_way_is_turned() -> None:
    one = profile(METER.replace("type: int32", "type: int32, unit: kW, invert: true"))
    assert said(one, {0: 2.5})["active_power"] == Said(-2500.0)
    assert str(said(one, {0: 0.0})["active_power"].value) == "0.0"


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    one = profile(METER.replace("type: int32", "type: int32, plus: [{address: 2, type: int32}]"))
    assert said(one, {0: 1.0, 2: 2.0})["active_power"] == Said(3.0)
    assert said(one, {0: 1.0, 2: None})["active_power"] == NOTHING


DIRECTED = METER.replace(
    "type: int32", "type: int32, magnitude: true, negative_when: {state: out, among: [1]}"
)


@pytest.mark.parametrize(
    ("state", "number", "value"),
    [(0.0, 5.0, 5.0), (1.0, 5.0, -5.0), (1.0, -5.0, -5.0), (None, 5.0, None), (None, 0.0, 0.0)],
)
def test_direction_and_size_told_apart(
    state: float | None, number: float, value: float | None
) -> None:
    one = profile(DIRECTED, "states: {out: {address: 9, type: uint16}}")
    assert said(one, {0: number, 9: state})["active_power"].value == value
    assert {register.address for register in registers_of(one, "fast")} == {0, 9}


GATED = METER.replace(
    "type: int32", "type: int32, valid_when: {state: awake, among: [1], otherwise: 0}"
)


def test_a_point_counts_only_in_its_states() -> None:
    one = profile(GATED, "states: {awake: {address: 9, type: uint16}}")
    assert said(one, {0: 7.0, 9: 1.0})["active_power"] == Said(7.0)
    asleep = said(one, {0: 7.0, 9: 2.0})["active_power"]
    assert asleep == Said(0.0, Quality.ESTIMATED)
    assert said(one, {0: 7.0, 9: None})["active_power"] == NOTHING
    strict = profile(
        GATED.replace(", otherwise: 0", ""), "states: {awake: {address: 9, type: uint16}}"
    )
    assert said(strict, {0: 7.0, 9: 2.0})["active_power"] == NOTHING


def test_beyond_its_range_it_is_no_value() -> None:
    one = profile(METER.replace("type: int32", "type: int32, range: [-10, 10]"))
    assert said(one, {0: 10.0})["active_power"] == Said(10.0)
    assert said(one, {0: 10.1})["active_power"] == NOTHING


SUMMED = (
    METER
    + """\
  active_power_l1: {address: 2, type: int32}
  active_power_l2: {address: 4, type: int32}
checks: [{sum: [active_power_l1, active_power_l2], equals: active_power, tolerance: 5}]
"""
)


def test_of_a_sum_that_does_not_hold_no_part_counts() -> None:
    one = profile(SUMMED)
    assert said(one, {0: 1000.0, 2: 400.0, 4: 590.0})["active_power"] == Said(1000.0)
    assert set(said(one, {0: 1000.0, 2: 400.0, 4: 400.0}).values()) == {NOTHING}
    unknown = said(one, {0: 1000.0, 2: 400.0, 4: None})
    assert unknown["active_power"] == Said(1000.0)
    assert unknown["active_power_l2"] == NOTHING


@given(st.sampled_from(sorted(catalog())), st.data())
def test_whatever_stands_in_the_registers_a_board_takes_it(name: str, data: st.DataObject) -> None:
    one, at = catalog()[name], FakeClock().now()
    word = st.sampled_from([0, 1, 2, 0x7FFF, 0x8000, 0xFFFF, 0x7FC0]) | st.integers(0, 0xFFFF)

    def numbers(register: Register) -> float | None:
        count = WORDS[register.type]
        words = data.draw(st.lists(word, min_size=count, max_size=count))
        return decode(register, words, one.defaults)

    board = PointBoard(one.points, at)
    for group in one.groups:
        for point, told in read_points(one, points_of(one, group), numbers).items():
            board.put(point, told.value, at, told.quality)
    for point in board.points:
        reading = board.reading(point, at)
        assert (reading.value is None) == (reading.quality is Quality.INVALID)
