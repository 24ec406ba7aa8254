import csv
import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts.series import StepSeries
from gateway.domain.measure.report import ParticipationReport
from gateway.reports.export import COLUMNS, report_csv
from gateway.reports.short_rows import PORTFOLIO


def rows(report: ParticipationReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv(report))))


def test_every_interval_of_every_subject_is_a_row(report: ParticipationReport) -> None:
    table = rows(report)
    assert set(table[0]) == set(COLUMNS)
    assert len(table) == 4 * 16
    assert {row["site_id"] for row in table} == {PORTFOLIO, "north-yard", "harbor", "east-fleet"}
    assert {row["data_label"] for row in table} == {"SIMULATED"}
    assert {row["status"] for row in table} == {"PRELIMINARY"}


def test_reduction_is_baseline_less_actual_and_adds_up(report: ParticipationReport) -> None:
    north = [row for row in rows(report) if row["site_id"] == "north-yard"]
    for row in north:
        assert float(row["reduction_kw"]) == pytest.approx(
            float(row["baseline_kw"]) - float(row["actual_kw"]), abs=1e-3
        )
    site = report.sites[0]
    asked = site.curves.baseline.integral_h(report.header.window)
    used = site.curves.actual.integral_h(report.header.window)
    reduced = sum(float(row["reduction_kwh"]) for row in north if row["in_event"] == "yes")
    assert reduced == pytest.approx((asked - used) / 1000, abs=0.01)


def test_times_are_utc_and_local(report: ParticipationReport) -> None:
    first = rows(report)[0]
    assert first["start_utc"] == "2026-11-21T00:00:00+00:00"
    assert first["start_local"] == "2026-11-20T16:00:00-08:00"


def test_unknown_cells_are_empty_and_coverage_says_why(report: ParticipationReport) -> None:
    blind = replace(report, curves=replace(report.curves, actual=StepSeries()))
    row = rows(blind)[0]
    assert (row["actual_kw"], row["reduction_kw"], row["coverage"]) == ("", "", "0.0")


def test_without_a_baseline_the_target_gives_the_intervals(report: ParticipationReport) -> None:
    level = replace(report, curves=replace(report.curves, baseline=StepSeries()))
    table = [row for row in rows(level) if row["site_id"] == PORTFOLIO]
    assert [row["in_event"] for row in table].count("yes") == 8


def test_a_formula_in_a_name_is_only_text(changed: Callable[..., ParticipationReport]) -> None:
    row = rows(changed(event_key="=HYPERLINK(1)/x"))[0]
    assert row["event"] == "'=HYPERLINK(1)/x"
