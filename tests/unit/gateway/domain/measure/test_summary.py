"""A program over a month: what is added up, weighted with time, and what is left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.measure.availability import Availability
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.measure.shortfall import Cause, Shortfall, ShortfallPart
from gateway.domain.measure.summary import ProgramSummary, summary
from support.participation import build_report

MONTH = Interval(start=datetime(2026, 11, 1, tzinfo=UTC), end=datetime(2026, 12, 1, tzinfo=UTC))
PLAIN = build_report()


def event(
    day: int,
    hours: float,
    *,
    asked_w: float = 100e3,
    delivered_w: float | None = 80e3,
    causes: dict[Cause, float] | None = None,
    test: bool = False,
    final: bool = True,
) -> ParticipationReport:
    start = datetime(2026, 11, day, 17, tzinfo=UTC)
    parts = tuple(ShortfallPart(cause=c, mean_w=w) for c, w in (causes or {}).items())
    missing = Shortfall(mean_w=sum(p.mean_w for p in parts), planned_mean_w=asked_w, parts=parts)
    figures = replace(
        PLAIN.figures,
        nominated_w=120e3,
        target_mean_w=asked_w,
        delivered_mean_w=delivered_w,
        reduced_wh=None if delivered_w is None else delivered_w * hours,
        rebound_w=9e3,
        rebound_wh=4e3,
        availability=Availability(still_w=0.0, there_share=1.0 if day < 10 else 0.5),
        shortfall=missing if parts else None,
    )
    window = Interval.lasting(start, timedelta(hours=hours))
    head = replace(PLAIN.header, event_key=f"u/e{day}", window=window, test=test)
    return replace(PLAIN, header=head, figures=figures, final=final)


def over(*reports: ParticipationReport) -> ProgramSummary:
    return summary(
        program_id="relief",
        program_name="Peak relief",
        period="2026-11",
        window=MONTH,
        time_zone="America/Los_Angeles",
        reports=reports,
    )


TWO = over(
    event(20, 1.0, delivered_w=50e3, causes={Cause.FORECAST: 40e3, Cause.OPT_OUT: 10e3}),
    event(3, 3.0, delivered_w=90e3, causes={Cause.FORECAST: 10e3}),
)


@pytest.mark.row("mv:M6")
def test_powers_are_means_over_the_hours_and_energies_sums() -> None:
    of = TWO.totals
    assert (of.events, of.hours) == (2, 4.0)
    assert (of.committed_w, of.asked_w, of.delivered_w) == (120e3, 100e3, 80e3)
    assert of.performance_pct == pytest.approx(80.0)
    assert (of.reduced_wh, of.rebound_wh, of.highest_rebound_w) == (320e3, 8e3, 9e3)
    assert of.available_share == pytest.approx(0.875)  # 3 h whole, 1 h half
    assert (of.vehicles_ready, of.vehicles_total) == (44, 48)
    assert [one.event_key for one in TWO.events] == ["u/e3", "u/e20"]


@pytest.mark.row("mv:M3")
def test_causes_are_told_by_what_they_made_missing() -> None:
    assert [(c.cause, c.mean_w, c.energy_wh, c.events) for c in TWO.totals.causes] == [
        (Cause.FORECAST, 17.5e3, 70e3, 2),
        (Cause.OPT_OUT, 2.5e3, 10e3, 1),
    ]


def test_sites_are_told_one_by_one() -> None:
    assert [(s.site_id, s.totals.events, s.opted_out) for s in TWO.sites] == [
        ("east-fleet", 2, 2),
        ("harbor", 2, 0),
        ("north-yard", 2, 0),
    ]
    east = TWO.sites[0].totals
    assert (east.delivered_w, east.performance_pct) == (None, None)


def test_test_events_are_told_and_in_no_sum_preliminary_ones_are() -> None:
    found = over(event(3, 3.0), event(4, 1.0, test=True), event(5, 1.0, final=False))
    assert (len(found.events), found.tests, found.preliminary) == (3, 1, 1)
    assert (found.totals.events, found.totals.hours) == (2, 4.0)


def test_an_event_without_a_known_delivery_counts_for_no_performance() -> None:
    found = over(event(3, 1.0), event(4, 9.0, delivered_w=None)).totals
    assert found.performance_pct == pytest.approx(80.0)
    assert (found.delivered_w, found.hours) == (80e3, 10.0)


def test_nothing_is_nothing() -> None:
    of = over().totals
    assert (of.events, of.hours, of.delivered_w, of.performance_pct) == (0, 0.0, None, None)
    assert of.causes == ()


@given(st.permutations([1, 5, 9, 20]))
def test_the_order_of_reports_makes_no_difference(days: list[int]) -> None:
    assert over(*(event(day, 1.0 + day % 3) for day in days)) == over(
        *(event(day, 1.0 + day % 3) for day in (1, 5, 9, 20))
    )
