"""Limits that are near enough stay, and never at the price of a constraint."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.decide.allocate import Constraint
from site_agent.domain.protect.steady import keep_steady

AMPS = st.one_of(st.just(0.0), st.floats(6.0, 32.0))


def fuse(capacity: float, *names: str) -> Constraint:
    return Constraint(capacity=capacity, cause="fuse", weights=dict.fromkeys(names, 1.0))


def kept(
    targets: dict[str, float], in_force: dict[str, float], capacity: float, allowance: float = 5.0
) -> dict[str, float]:
    return keep_steady(targets, in_force, [fuse(capacity, *targets)], 1.0, allowance)


def test_near_enough_stays() -> None:
    assert kept({"a": 10.4, "b": 9.6}, {"a": 10.0, "b": 10.0}, 20) == {"a": 10.0, "b": 10.0}


def test_far_or_unknown_moves() -> None:
    assert kept({"a": 12.0, "b": 9.6}, {"a": 10.0}, 30) == {"a": 12.0, "b": 9.6}


def test_a_pause_is_never_near_a_minimum() -> None:
    assert kept({"a": 0.0}, {"a": 0.9}, 20) == {"a": 0.0}
    assert kept({"a": 6.0}, {"a": 0.0}, 20) == {"a": 6.0}


def test_of_those_kept_too_high_the_largest_excess_gives_way() -> None:
    targets, in_force = {"a": 9.2, "b": 9.6}, {"a": 10.0, "b": 10.0}
    assert kept(targets, in_force, 19.2) == {"a": 9.2, "b": 10.0}
    assert kept(targets, in_force, 19.0) == {"a": 9.2, "b": 9.6}


def test_of_those_kept_too_low_the_largest_gap_closes_first() -> None:
    targets, in_force = {"a": 10.8, "b": 10.4}, {"a": 10.0, "b": 10.0}
    assert kept(targets, in_force, 30, allowance=0.5) == {"a": 10.8, "b": 10.0}
    assert kept(targets, in_force, 30, allowance=0.1) == {"a": 10.8, "b": 10.4}


@given(
    st.lists(st.tuples(AMPS, st.floats(-1.5, 1.5)), min_size=1, max_size=10),
    st.floats(0, 20),
    st.floats(0, 10),
)
def test_constraints_hold_and_nothing_leaves_the_deadband(
    chargers: list[tuple[float, float]], slack: float, allowance: float
) -> None:
    targets = {f"c{n}": target for n, (target, _) in enumerate(chargers)}
    in_force = {f"c{n}": max(0.0, target + off) for n, (target, off) in enumerate(chargers)}
    rows = [
        fuse(sum(targets.values()) + slack, *targets),
        fuse(sum(list(targets.values())[::2]), *list(targets)[::2]),
    ]
    chosen = keep_steady(targets, in_force, rows, 1.0, allowance)
    for row in rows:
        assert sum(chosen[name] for name in row.weights) <= row.capacity + 1e-6
    assert all(
        limit in (targets[name], in_force[name]) and abs(limit - targets[name]) < 1.0
        for name, limit in chosen.items()
    )
    assert sum(targets[n] - chosen[n] for n in targets) <= allowance + 1e-5
