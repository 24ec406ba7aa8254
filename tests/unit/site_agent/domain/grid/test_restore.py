"""Load returns in steps, at a time of the site's own, and without making vehicles late."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.grid.restore import (
    Restoration,
    RestorePolicy,
    allowed_w,
    restoration,
    restoring,
)
from support.site import NOON

POLICY = RestorePolicy()


def returning(seed: str = "depot") -> Restoration:
    return restoration("the event", NOON, 20_000.0, 120_000.0, seed, POLICY)


@pytest.mark.row("site:A11")
def test_it_returns_a_share_a_minute() -> None:
    one = returning()
    begins = (one.begins - NOON).total_seconds()
    assert 0 <= begins < 60
    allowed = [
        allowed_w(one, one.begins + timedelta(seconds=seconds), POLICY)
        for seconds in (-0.1, 0, 59, 60, 120, 180, 240)
    ]
    assert allowed == [20e3, 40e3, 40e3, 60e3, 80e3, 100e3, None]


def test_sites_begin_at_times_of_their_own_and_each_at_the_same_again() -> None:
    begins = [returning(f"depot-{n}").begins for n in range(200)]
    assert begins == [returning(f"depot-{n}").begins for n in range(200)]
    delays = sorted((at - NOON).total_seconds() for at in begins)
    assert delays[0] < 3
    assert delays[-1] > 57
    assert delays[100] == pytest.approx(30, abs=8)


def test_the_peak_of_many_sites_stays_below_what_all_at_once_would_draw() -> None:
    sites = [returning(f"depot-{n}") for n in range(100)]
    first_minute = [
        sum(allowed_w(one, NOON + timedelta(seconds=s), POLICY) or 0.0 for one in sites)
        for s in range(61)
    ]
    assert first_minute[0] == pytest.approx(100 * 20e3, rel=0.05)
    steps = [after - before for before, after in pairwise(first_minute)]
    assert max(steps) < 0.1 * 100 * 100e3, "no second brings a tenth of it back"


def test_who_would_be_late_need_not_wait() -> None:
    limit = restoring(returning(), NOON, 35_000.0, POLICY)
    assert limit is not None
    assert limit.bound.value == 35_000.0
    assert limit.bound.cause == "the return after the event, in steps of 20% a minute"


@given(
    base=st.floats(0, 1e5),
    whole=st.floats(0, 1e6),
    share=st.floats(0.01, 1.0),
    seconds=st.lists(st.floats(0, 7200), min_size=2, max_size=10),
)
def test_it_never_falls_and_always_ends(
    base: float, whole: float, share: float, seconds: list[float]
) -> None:
    policy = RestorePolicy(share_per_minute=share)
    one = restoration("the outage", NOON, base, whole, "depot", policy)
    allowed = [allowed_w(one, NOON + timedelta(seconds=s), policy) for s in sorted(seconds)]
    known = [value for value in allowed if value is not None]
    assert known == sorted(known)
    assert all(base <= value <= max(base, whole) for value in known)
    assert allowed_w(one, NOON + timedelta(minutes=102), policy) is None
