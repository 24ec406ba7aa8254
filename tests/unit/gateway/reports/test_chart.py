from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.report import Curves, ParticipationReport
from gateway.reports.axes import RIGHT, Frame, ticks
from gateway.reports.chart import event_chart

LA = ZoneInfo("America/Los_Angeles")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(
    report: ParticipationReport, curves: Curves | None = None, name: str = "Load"
) -> etree._Element:
    svg = event_chart(curves or report.curves, report.header.window, LA, name=name)
    return etree.fromstring(svg.encode())


def classes(svg: etree._Element) -> list[str]:
    return [str(mark.get("class")) for mark in svg.iter(f"{SVG}path")]


def path(svg: etree._Element, mark: str) -> str:
    return next(str(p.get("d")) for p in svg.iter(f"{SVG}path") if p.get("class") == f"c-{mark}")


def labels(svg: etree._Element) -> list[str]:
    return [str(text.text) for text in svg.iter(f"{SVG}text")]


def test_the_chart_has_a_role_a_name_and_every_mark(report: ParticipationReport) -> None:
    svg = drawn(report, name='Load of "A" & <B>')
    assert (svg.get("role"), svg.get("aria-label")) == ("img", 'Load of "A" & <B>')
    assert {"c-reduction", "c-baseline", "c-target", "c-actual"} <= set(classes(svg))
    assert {"Actual", "Baseline", "Target", "Reduction", "Event", "kW"} <= set(labels(svg))
    dashed = next(p for p in svg.iter(f"{SVG}path") if p.get("class") == "c-baseline")
    assert dashed.get("stroke-dasharray")


def test_labels_are_local_time_and_the_last_one_fits(report: ParticipationReport) -> None:
    svg = drawn(report)
    assert labels(svg)[-6:][0] != ""
    assert {"16:00", "17:00", "20:00"} <= set(labels(svg))
    assert "Fri 20 Nov 2026, PST (UTC−08:00)" in labels(svg)
    last = next(t for t in svg.iter(f"{SVG}text") if t.text == "20:00")
    assert RIGHT >= 24
    assert float(str(last.get("x"))) == 760 - RIGHT


def test_a_gap_breaks_the_line_and_the_shading(report: ParticipationReport) -> None:
    svg = drawn(report)
    assert path(svg, "actual").count("M") == 2
    assert path(svg, "reduction").count("Z") == 2
    assert path(svg, "baseline").count("M") == 1


def test_without_a_baseline_nothing_is_shaded(report: ParticipationReport) -> None:
    svg = drawn(report, replace(report.curves, baseline=StepSeries()))
    assert "c-reduction" not in classes(svg)
    assert "Baseline" not in labels(svg)


def test_no_data_still_draws_a_frame(report: ParticipationReport) -> None:
    empty = Curves(
        span=report.curves.span, baseline=StepSeries(), actual=StepSeries(), target=StepSeries()
    )
    assert "Event" in labels(drawn(report, empty))


def test_export_lies_below_zero() -> None:
    span = Interval.lasting(datetime(2026, 1, 5, tzinfo=UTC), timedelta(hours=1))
    frame = Frame.around(span, [-30_000.0, 20_000.0], 700, 300)
    assert frame.low_kw <= -30
    assert frame.y(20_000.0) < frame.y(0.0) < frame.y(-30_000.0) <= frame.bottom


@pytest.mark.parametrize(
    ("step_s", "expected"),
    [(3600, ["00", "01", "01", "02", "03"]), (10800, ["00", "03"])],
)
def test_ticks_follow_local_time_over_a_clock_change(step_s: int, expected: list[str]) -> None:
    night = Interval.lasting(datetime(2026, 11, 1, 7, 0, tzinfo=UTC), timedelta(hours=4))
    assert [f"{at.astimezone(LA):%H}" for at in ticks(night, LA, step_s)] == expected


def test_an_empty_span_is_refused(report: ParticipationReport) -> None:
    at = report.header.window.start
    with pytest.raises(ValueError, match="empty span"):
        drawn(report, replace(report.curves, span=Interval(start=at, end=at)))
