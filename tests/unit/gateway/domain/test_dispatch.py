import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan, effective, plan, water_fill
from gateway.domain.event import GridEvent
from gateway.domain.flexibility import SiteFlexibility

T0 = datetime(2026, 3, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

At = Callable[[float], datetime]
Event = Callable[..., GridEvent]
Series = Callable[..., StepSeries]

watts = st.floats(0, 1e6)


@st.composite
def stepped(draw: st.DrawFn, low: float, high: float, gaps: bool = False) -> StepSeries:
    edges = sorted({0, 60, *draw(st.lists(st.integers(1, 59), max_size=3))})
    pairs = itertools.pairwise(edges)
    return StepSeries.of(
        (Interval(start=T0 + a * MINUTE, end=T0 + b * MINUTE), draw(st.floats(low, high)))
        for a, b in pairs
        if not (gaps and draw(st.booleans()))
    )


@st.composite
def offers(draw: st.DrawFn) -> list[SiteFlexibility]:
    return [
        SiteFlexibility(
            site_id=f"s{n}",
            baseline=draw(stepped(-1e5, 1e6, gaps=True)),
            down_w=draw(watts),
            as_of=None,
            available=draw(st.booleans()) or draw(st.booleans()),
            floor_w=draw(st.none() | st.floats(-1e5, 1e6)),
        )
        for n in range(draw(st.integers(0, 6)))
    ]


def planned(target: StepSeries, sites: list[SiteFlexibility], revision: int = 1) -> DispatchPlan:
    window = Interval(start=T0, end=T0 + 60 * MINUTE)
    event = GridEvent(
        utility_id="u",
        event_id="e",
        modification=0,
        program_id="p",
        created_at=T0,
        window=window,
        signals=(),
    )
    return plan(event, target, sites, created_at=T0, revision=revision, reason="new event")


@given(target=stepped(0, 3e6), sites=offers(), minute=st.integers(0, 59))
def test_shares_and_shortfall_add_up_and_nobody_gives_more_than_it_offers(
    target: StepSeries, sites: list[SiteFlexibility], minute: int
) -> None:
    made, instant = planned(target, sites), T0 + minute * MINUTE
    given_w = 0.0
    for site in sites:
        allocation = made.allocation(site.site_id)
        assert allocation is not None
        share = allocation.reduction.value_at(instant) or 0.0
        baseline = site.baseline.value_at(instant)
        assert 0.0 <= share <= site.down_w
        if not site.available or baseline is None:
            assert share == 0.0
        elif share > 0.0:
            limit = allocation.limit.value_at(instant)
            assert limit == pytest.approx(baseline - share, abs=1e-6)
            assert limit is not None
            assert limit >= baseline - site.down_w - 1e-6
            assert site.floor_w is None or limit >= site.floor_w - 1e-6
        given_w += share
    short = made.shortfall.value_at(instant) or 0.0
    assert given_w + short == pytest.approx(target.value_at(instant), rel=1e-9, abs=1e-3)


@given(target=stepped(0, 3e6), sites=offers())
def test_the_order_of_sites_does_not_matter(
    target: StepSeries, sites: list[SiteFlexibility]
) -> None:
    assert planned(target, sites) == planned(target, sites[::-1])


@given(
    target_w=watts,
    sites=st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)), min_size=1, max_size=8),
)
def test_water_fill_is_fair(target_w: float, sites: list[tuple[float, float]]) -> None:
    """Whoever is below its cap gives the highest multiple of its weight of all."""
    weights, caps = (np.array(column) for column in zip(*sites, strict=True))
    shares = water_fill(target_w, weights, caps)
    usable = np.where(weights > 1e-6, caps, 0.0)
    assert (shares <= usable).all()
    assert shares.sum() == pytest.approx(min(target_w, usable.sum()), rel=1e-9, abs=1e-6)
    levels = np.divide(shares, weights, out=np.zeros_like(shares), where=weights > 1e-3)
    below = (shares < usable * (1 - 1e-9)) & (weights > 1e-3)
    if below.any():
        assert levels[below].min() >= levels.max() * (1 - 1e-6)


def test_an_open_ended_target_and_a_doubled_site_are_refused(event: Event, at: At) -> None:
    endless = StepSeries.of([(Interval(start=at(0), end=None), 5.0)])
    with pytest.raises(ValueError, match="open-ended"):
        plan(event(), endless, [], created_at=at(0), revision=1, reason="")
    twice = SiteFlexibility(
        site_id="s", baseline=StepSeries(), down_w=0.0, as_of=None, available=True
    )
    with pytest.raises(ValueError, match="twice"):
        plan(event(), StepSeries(), [twice, twice], created_at=at(0), revision=1, reason="")


def test_what_was_asked_follows_the_revisions_in_time(event: Event, at: At, series: Series) -> None:
    def site(name: str, *, available: bool = True) -> SiteFlexibility:
        return SiteFlexibility(
            site_id=name,
            baseline=series((0, 60, 50_000.0)),
            down_w=40_000.0,
            as_of=None,
            available=available,
        )

    target = series((0, 60, 20_000.0))
    first = plan(
        event(), target, [site("a"), site("b")], created_at=at(-30), revision=1, reason="new"
    )
    second = plan(
        event(),
        target,
        [site("a"), site("b", available=False)],
        created_at=at(30),
        revision=2,
        reason="b lost",
    )
    whole = effective([second, first])
    assert whole is not None
    a, b = whole.allocation("a"), whole.allocation("b")
    assert a is not None
    assert b is not None
    assert a.reduction == series((0, 30, 10_000.0), (30, 60, 20_000.0))
    assert b.reduction == series((0, 30, 10_000.0))
    assert b.cause.startswith("not counted on")
    assert whole.target == series((0, 30, 20_000.0), (30, 60, 20_000.0))
    assert effective([]) is None
