from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.openadr.signature import ReplayCache, SignatureError, SignatureFault, Verifier

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def fault(cache: ReplayCache, at: datetime, nonce: str, now: datetime) -> SignatureFault | None:
    try:
        cache.accept_once("AA", at, nonce, now)
    except SignatureError as error:
        return error.fault
    return None


def test_the_same_nonce_of_another_signer_or_time_is_another_message() -> None:
    cache = ReplayCache()
    cache.accept_once("AA", T0, "n", T0)
    cache.accept_once("BB", T0, "n", T0)
    cache.accept_once("AA", T0 + MINUTE, "n", T0)
    assert fault(cache, T0, "n", T0) is SignatureFault.REPLAYED


def test_it_forgets_what_is_too_old_anyway() -> None:
    cache = ReplayCache(keep=15 * MINUTE)
    for n in range(100):
        cache.accept_once("AA", T0 + n * MINUTE, str(n), T0 + n * MINUTE)
    assert len(cache) == 16


def test_when_full_it_forgets_the_oldest_and_refuses_all_that_old() -> None:
    cache = ReplayCache(limit=3)
    for n in range(5):
        cache.accept_once("AA", T0 + n * MINUTE, str(n), T0)
    assert len(cache) == 3
    assert fault(cache, T0 + MINUTE, "1", T0) is SignatureFault.STALE
    assert fault(cache, T0 + 2 * MINUTE, "2", T0) is SignatureFault.REPLAYED
    assert fault(cache, T0 + 9 * MINUTE, "9", T0) is None


def test_our_clock_set_back_lets_nothing_in_again() -> None:
    cache = ReplayCache(keep=15 * MINUTE)
    cache.accept_once("AA", T0, "n", T0)
    cache.accept_once("AA", T0 + 60 * MINUTE, "m", T0 + 60 * MINUTE)
    assert fault(cache, T0, "n", T0 + MINUTE) is SignatureFault.STALE


def test_nothing_from_before_the_start_is_accepted() -> None:
    cache = ReplayCache(since=T0)
    assert fault(cache, T0 - MINUTE, "n", T0) is SignatureFault.STALE
    assert fault(cache, T0 + MINUTE, "n", T0) is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc"), st.integers(0, 40))),
    st.integers(1, 4),
)
def test_nothing_is_ever_accepted_twice(messages: list[tuple[int, str, int]], limit: int) -> None:
    cache = ReplayCache(keep=5 * MINUTE, limit=limit)
    accepted: set[tuple[int, str]] = set()
    for at, nonce, now in messages:
        if fault(cache, T0 + at * MINUTE, nonce, T0 + now * MINUTE) is None:
            assert (at, nonce) not in accepted
            accepted.add((at, nonce))
        assert len(cache) <= limit


def test_a_cache_shorter_than_the_accepted_age_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        Verifier(frozenset(), ReplayCache(keep=5 * MINUTE), max_age=5 * MINUTE)
