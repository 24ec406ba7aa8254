"""Energy of a session from its registers: counted once, whatever the register does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import Quality
from site_agent.domain.session import END_UNKNOWN, FELL, START_UNKNOWN, energy_of

REGISTERS = st.lists(st.floats(0, 1e7), max_size=20)


@pytest.mark.parametrize(
    ("start", "between", "stop", "energy", "remarks"),
    [
        (100.0, [], 460.0, 360.0, ()),
        (100.0, [200.0, 300.0], 460.0, 360.0, ()),
        (0.0, [450.24000000000003], 460.0, 460.0, ()),
        (100.0, [460.4], 460.0, 360.0, ()),
        (100.0, [460.0, 376.0], 470.0, 370.0, (FELL,)),
        (100.0, [], 90.0, 0.0, (FELL,)),
        (100.0, [200.0, 1e10, 300.0], 460.0, 360.0, (FELL,)),
        (5_000.0, [9_000.0, 10.0, 500.0], 2_000.0, 6_000.0, (FELL,)),
        (5_000.0, [], 2_000.0, 2_000.0, (FELL,)),
        (None, [200.0, 300.0], 460.0, 260.0, (START_UNKNOWN,)),
        (100.0, [200.0], None, 100.0, (END_UNKNOWN,)),
        (None, [200.0, 300.0], None, 100.0, (START_UNKNOWN, END_UNKNOWN)),
        (None, [], 460.0, None, (START_UNKNOWN,)),
        (None, [460.0], 460.0, None, (START_UNKNOWN,)),
        (None, [], None, None, (END_UNKNOWN,)),
        (100.0, [], None, 0.0, (END_UNKNOWN,)),
    ],
)
def test_energy(
    start: float | None,
    between: list[float],
    stop: float | None,
    energy: float | None,
    remarks: tuple[str, ...],
) -> None:
    counted = energy_of(start, between, stop)
    assert counted.energy_wh == (None if energy is None else pytest.approx(energy))
    assert counted.remarks == remarks
    assert (counted.quality is Quality.GOOD) == (not remarks)


@pytest.mark.row("safety:S4")
@given(st.floats(0, 1e7), REGISTERS, st.floats(0, 1e7))
def test_a_register_that_never_falls_gives_the_difference(
    start: float, between: list[float], stop: float
) -> None:
    first, *middle, last = sorted([start, *between, stop])
    counted = energy_of(first, middle, last)
    assert counted.energy_wh == pytest.approx(last - first, abs=1e-3)
    assert counted.quality is Quality.GOOD


@pytest.mark.row("safety:S4")
@given(st.floats(0, 1e7), REGISTERS, st.floats(0, 1e7), st.data())
def test_what_is_told_again_adds_nothing(
    start: float, between: list[float], stop: float, data: st.DataObject
) -> None:
    twice = []
    for register in between:
        twice += [register] * data.draw(st.integers(1, 3))
    assert energy_of(start, twice, stop) == energy_of(start, between, stop)


@given(st.none() | st.floats(0, 1e7), REGISTERS, st.none() | st.floats(0, 1e7))
def test_energy_is_never_negative(
    start: float | None, between: list[float], stop: float | None
) -> None:
    counted = energy_of(start, between, stop)
    assert counted.energy_wh is None or counted.energy_wh >= 0
