from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from gateway.domain.delivery.credibility import LAGS, Credibility, lagged
from gateway.domain.delivery.quarantine import Quarantine, QuarantineRules, judged
from gateway.domain.delivery.standing import (
    Standing,
    StandingRules,
    after_minute,
    change_in_words,
    expected_share,
    probed,
)
from gateway.domain.flexibility import SiteFlexibility

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = StandingRules()


def lived(one: Standing, asked_w: list[float], lag: int, part: float, start: int = 0) -> Standing:
    """A site that gives a part of what it was asked `lag` minutes ago."""
    for k in range(len(asked_w)):
        window = [asked_w[k - back] if k >= back else 0.0 for back in range(LAGS)]
        now = NOON + (start + k) * MINUTE
        one = after_minute(one, window, part * window[lag], 100_000.0, now, RULES)
    return one


@pytest.mark.parametrize("lag", range(LAGS))
@pytest.mark.row("portfolio:A6")
def test_a_slow_site_is_slow_not_unreliable(lag: int) -> None:
    one = lived(Standing(site_id="a"), [0.0] * 6 + [40_000.0] * 20, lag, 1.0)
    assert one.credibility.lag_min == lag
    assert one.credibility.expected == pytest.approx(1.0)
    assert one.quarantine is None


@pytest.mark.parametrize(("part", "expected"), [(0.8, 0.8), (1.1, 1.1), (0.0, 0.05), (3.0, 1.2)])
def test_what_it_gives_is_learnt_within_bounds(part: float, expected: float) -> None:
    one = lived(Standing(site_id="a"), [40_000.0] * 90, 2, part)
    assert one.credibility.expected == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("asked_w", "delivered_w"),
    [
        pytest.param(40_000.0, None, id="nothing measured"),
        pytest.param(2_000.0, 0.0, id="too little asked to tell it from the baseline's error"),
    ],
)
def test_nothing_is_learnt_from_a_minute_that_says_nothing(
    asked_w: float, delivered_w: float | None
) -> None:
    one = Standing(site_id="a")
    after = after_minute(one, [asked_w] * LAGS, delivered_w, 100_000.0, NOON, RULES)
    assert after == one


def test_a_site_is_expected_to_give_its_part_of_what_it_was_asked_its_lag_ago() -> None:
    one = Credibility(expected=0.5)
    assert lagged(one, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]) == 3.5


@pytest.mark.parametrize(
    ("since_min", "expected", "minutes", "out"),
    [
        pytest.param(None, 0.34, 5, True, id="gives too little"),
        pytest.param(None, 0.34, 4, False, id="too few minutes to judge"),
        pytest.param(None, 0.36, 90, False, id="just enough"),
        pytest.param(10, 0.36, 90, True, id="in it, better, not good enough"),
        pytest.param(10, 0.75, 90, True, id="on the threshold"),
        pytest.param(10, 0.76, 90, False, id="delivers again"),
        pytest.param(24 * 60, 0.05, 90, False, id="tried again after a day"),
    ],
)
@pytest.mark.row("portfolio:A6")
def test_who_is_left_out(since_min: int | None, expected: float, minutes: int, out: bool) -> None:
    before = None if since_min is None else Quarantine(since=NOON - since_min * MINUTE, reason="x")
    known = Credibility(expected=expected, minutes=minutes)
    assert (judged(before, known, NOON, QuarantineRules()) is not None) is out


@pytest.mark.row("portfolio:A6")
def test_a_deaf_site_is_left_out_probed_and_back_when_it_delivers() -> None:
    fresh = Standing(site_id="a")
    deaf = lived(fresh, [40_000.0] * 30, 2, 0.0)
    assert deaf.quarantine is not None
    assert change_in_words(fresh, deaf) == ("left out for not delivering", deaf.quarantine.reason)
    offer = SiteFlexibility(
        site_id="a", baseline=StepSeries(), down_w=40_000.0, as_of=NOON, available=True
    )
    asked = probed(offer, deaf, RULES.quarantine)
    assert asked.down_w == pytest.approx(6_000.0)
    assert "left out, asked 15 % to see: it gives" in asked.reason
    back = lived(deaf, [asked.down_w] * 30, 2, 1.0, start=30)
    assert back.quarantine is None
    words = change_in_words(deaf, back)
    assert words is not None
    assert words[0] == "counted on again"
    assert probed(offer, back, RULES.quarantine) == offer


def test_after_a_day_a_site_is_tried_again_and_judged_afresh() -> None:
    deaf = lived(Standing(site_id="a"), [40_000.0] * 30, 2, 0.0)
    tomorrow = NOON + timedelta(days=2)
    again = after_minute(deaf, [0.0] * LAGS, None, 100_000.0, tomorrow, RULES)
    assert again.quarantine is None
    assert (again.credibility.expected, again.credibility.minutes) == (0.75, 0)


def test_what_is_expected_of_all_is_the_mean_over_what_may_be_asked() -> None:
    half = Standing(site_id="b", credibility=Credibility(expected=0.5))
    assert expected_share({"a": 300.0, "b": 100.0}, {"b": half}) == pytest.approx(0.875)
    assert expected_share({"b": 100.0}, {"b": half}) == 0.7, "never more than that ahead"
    assert expected_share({}, {}) == 1.0
    over = replace(half, credibility=Credibility(expected=1.2))
    assert expected_share({"b": 100.0}, {"b": over}) == 1.0


@given(
    minutes=st.lists(
        st.tuples(
            st.lists(st.floats(0, 1e6), min_size=LAGS, max_size=LAGS),
            st.none() | st.floats(-1e7, 1e7),
        ),
        max_size=30,
    )
)
def test_a_standing_stays_within_its_bounds(
    minutes: list[tuple[list[float], float | None]],
) -> None:
    one, rules = Standing(site_id="a"), RULES.credibility
    for k, (asked_w, delivered_w) in enumerate(minutes):
        one = after_minute(one, asked_w, delivered_w, 1e5, NOON + k * MINUTE, RULES)
        assert rules.least <= one.credibility.expected <= rules.most
        assert 0 <= one.credibility.lag_min < LAGS
