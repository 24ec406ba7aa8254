"""Slots by arrays are what a loop over every step makes of them, however a window is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.accounts.grid import Numbers, slot_sums

pytestmark = pytest.mark.row("mv:M8")

Steps = list[tuple[int, int, float]]
START, LENGTH, COUNT = 1_000, 50, 12
END = START + LENGTH * COUNT


@st.composite
def steps(draw: st.DrawFn) -> Steps:
    """Disjoint, in order, some of them over many slots."""
    moments = sorted(draw(st.sets(st.integers(START, END), max_size=30)))
    found = []
    for begin, end in zip(moments[::2], moments[1::2], strict=False):
        found.append((begin, end, draw(st.floats(-1e6, 1e6))))
    return found


def by_arrays(given_steps: Steps, start: int, count: int) -> Numbers:
    begin, end = (np.array([one[i] for one in given_steps], np.int64) for i in (0, 1))
    return slot_sums(begin, end, np.array([one[2] for one in given_steps]), (start, LENGTH, count))


def by_loop(given_steps: Steps) -> list[float]:
    sums = [0.0] * COUNT
    for begin, end, height in given_steps:
        for slot in range(COUNT):
            since = max(begin, START + slot * LENGTH)
            until = min(end, START + (slot + 1) * LENGTH)
            if until > since:
                sums[slot] += height * (until - since)
    return sums


@given(steps())
def test_a_loop_comes_to_the_same_numbers(given_steps: Steps) -> None:
    assert by_arrays(given_steps, START, COUNT).tolist() == by_loop(given_steps)


@given(steps(), st.integers(1, COUNT - 1))
def test_cut_anywhere_it_is_the_same_to_the_last_bit(given_steps: Steps, cut: int) -> None:
    at = START + cut * LENGTH
    first = [(b, min(e, at), v) for b, e, v in given_steps if b < at]
    second = [(max(b, at), e, v) for b, e, v in given_steps if e > at]
    parts = [by_arrays(first, START, cut), by_arrays(second, at, COUNT - cut)]
    assert np.concatenate(parts).tolist() == by_arrays(given_steps, START, COUNT).tolist()
