"""Thinning keeps every watt-hour and every gap; only the course inside an interval is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.metering.means import Piece, StepMean, beside, coarser, means


def integral(found: dict[int, StepMean] | object, step: int) -> float:
    assert isinstance(found, dict)
    return sum(one.mean * one.coverage * step for one in found.values())


def test_a_mean_counts_time_not_values() -> None:
    pieces: list[Piece] = [(0, 9, 1.0, False), (9, 10, 11.0, False), (20, 25, 4.0, True)]
    assert means(pieces, 10) == {
        0: StepMean(mean=2.0, coverage=1.0),
        20: StepMean(mean=4.0, coverage=0.5, estimated=True),
    }
    assert means([(5, 25, 3.0, False)], 10) == {
        0: StepMean(mean=3.0, coverage=0.5),
        10: StepMean(mean=3.0, coverage=1.0),
        20: StepMean(mean=3.0, coverage=0.5),
    }
    assert means([], 10) == {}


_PIECES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 30), st.floats(-1e6, 1e6), st.booleans()),
    max_size=20,
)


def laid_out(drawn: list[tuple[int, int, float, bool]]) -> list[Piece]:
    """Pieces one after the other, from lengths and gaps."""
    at, pieces = 0, []
    for length, gap, value, estimated in drawn:
        pieces.append((at + gap, at + gap + length, value, estimated))
        at += gap + length
    return pieces


@given(_PIECES, st.randoms(use_true_random=False))
def test_energy_and_coverage_stay_whatever_the_order(
    drawn: list[tuple[int, int, float, bool]], shuffled: object
) -> None:
    pieces = laid_out(drawn)
    covered = sum(end - begin for begin, end, _, _ in pieces)
    energy = sum((end - begin) * value for begin, end, value, _ in pieces)
    fine = dict(means(pieces, 12))
    other = list(pieces)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    late = dict(means(other, 12))
    for found in (fine, late):
        assert integral(found, 12) == pytest.approx(energy, abs=1e-3, rel=1e-9)
        assert sum(one.coverage for one in found.values()) * 12 == pytest.approx(covered)
    rough = dict(coarser(fine, 36, 12))
    assert integral(rough, 36) == pytest.approx(energy, abs=1e-3, rel=1e-9)
    assert all(at % 36 == 0 and 0 < one.coverage <= 1 for at, one in rough.items())


def test_what_is_known_twice_is_taken_from_the_finer() -> None:
    fine: list[Piece] = [(10, 20, 1.0, False), (30, 40, 2.0, False)]
    rough: list[Piece] = [(0, 10, 7.0, False), (15, 25, 8.0, False), (20, 30, 9.0, False)]
    rough += [(25, 31, 8.0, False), (40, 50, 7.0, False)]
    assert beside(fine, rough) == sorted([*fine, rough[0], rough[2], rough[4]])
    assert beside([], rough[:1]) == rough[:1]
