"""Why less was given, what was still there and what is wrong with the data, for every reader."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.time import Interval
from gateway.domain.measure.availability import Availability, Response
from gateway.domain.measure.report import ParticipationReport, ReportAnomaly
from gateway.domain.measure.shortfall import Cause, Shortfall, ShortfallPart
from gateway.reports.audience import Audience, variant
from gateway.reports.document import dump, load
from gateway.reports.export import tables
from gateway.reports.pdf import rendered
from gateway.reports.view import report_view
from support.participation import START, build_report


def short(*parts: tuple[Cause, float], about: tuple[str, ...] = ()) -> Shortfall:
    return Shortfall(
        mean_w=sum(w for _, w in parts),
        planned_mean_w=45_000.0,
        parts=tuple(ShortfallPart(cause=c, mean_w=w, about=about) for c, w in parts),
    )


@pytest.fixture(scope="module")
def report() -> ParticipationReport:
    """Harbor missed 3.7 kW, mostly for a van that had to leave; its meter was stuck."""
    plain = build_report()
    north, harbor, east = plain.sites
    harbor = replace(
        harbor,
        shortfall=short((Cause.VEHICLE_DUE, 3_000.0), (Cause.UNEXPLAINED, 700.0), about=("van-7",)),
        availability=Availability(still_w=2_000.0, there_share=0.75, known_share=1.0),
        response=Response(first_s=4.0, full_s=64.0, ramp_w_per_min=36_000.0),
        rebound_w=11_500.0,
        rebound_wh=5_400.0,
    )
    figures = replace(
        plain.figures,
        shortfall=short((Cause.VEHICLE_DUE, 2_000.0)),
        availability=Availability(still_w=7_000.0, there_share=0.995, known_share=1.0),
        response=Response(first_s=3.0, full_s=48.0),
        rebound_wh=12_300.0,
    )
    stuck = ReportAnomaly(
        site_id="harbor",
        code="meter-stuck",
        subject="pcc_power_w",
        evidence=Interval.lasting(START, timedelta(minutes=40)),
        touches=("the event", "baseline day 2026-11-18"),
        reason="exactly 51.2 kW for 40 min while chargers moved by 20 kW",
        what_to_do="look at the meter's bus",
    )
    return replace(plain, sites=(north, harbor, east), figures=figures, anomalies=(stuck,))


@pytest.mark.row("mv:M3")
def test_the_page_tells_causes_readiness_and_anomalies(report: ParticipationReport) -> None:
    view = report_view(variant(report))
    assert [(r.who, r.missing_kw, r.cause, r.kw, r.share) for r in view.causes] == [
        ("All sites", "2.0", "vehicles due at departure", "2.0", "100 %"),
        ("Harbor Street Vans", "3.7", "vehicles due at departure", "3.0", "81 %"),
        ("", "", "unexplained", "0.7", "19 %"),
    ]
    ready = {row.who: row for row in view.ready}
    assert ready["All sites"].available == "99 %"  # never rounded up to all of the time
    harbor = ready["Harbor Street Vans"]
    assert (harbor.available, harbor.still_kw, harbor.ramp) == ("75 %", "2.0", "36.0")
    assert (harbor.first_s, harbor.full_s, harbor.rebound_kwh) == ("4", "64", "5.4")
    assert ready["North Yard Bus Depot"].available == "n/a"
    [anomaly] = view.anomalies
    assert (anomaly.site, anomaly.what) == ("Harbor Street Vans", "meter stuck")
    assert anomaly.touches == "the event, baseline day 2026-11-18"
    tiles = {one.key: (one.value, one.unit, one.note) for one in view.figures}
    assert tiles["missing"] == ("2.0", "kW", "mostly: vehicles due at departure")
    assert tiles["available"][:2] == ("99", "%")
    assert tiles["response"] == ("48", "s", "to 90 %; first after 3 s")
    assert tiles["rebound"][2] == "above baseline; 12.3 kWh"


@pytest.mark.row("mv:M6")
def test_the_utility_is_told_causes_but_no_vehicle(report: ParticipationReport) -> None:
    shown = variant(report, Audience.UTILITY)
    assert "van-7" not in json.dumps(dump(shown.report))
    assert next(row.cause for row in report_view(shown).causes) == "vehicles due at departure"
    assert shown.report.anomalies == report.anomalies


@pytest.mark.row("mv:M6")
def test_an_owner_is_told_of_their_own_site_alone(report: ParticipationReport) -> None:
    mine = report_view(variant(report, Audience.OWNER, "harbor"))
    assert {row.who for row in mine.ready} == {"Harbor Street Vans"}
    assert mine.causes[0].about == "van-7"
    assert {one.key: one.value for one in mine.figures}["missing"] == "3.7"
    other = variant(report, Audience.OWNER, "north-yard")
    assert other.report.anomalies == ()
    assert report_view(other).causes == ()
    assert "van-7" not in json.dumps(dump(other.report))


@pytest.mark.row("mv:M7")
def test_a_workbook_has_the_same_as_numbers(report: ParticipationReport) -> None:
    found = {table.name: table for table in tables(variant(report))}
    assert list(found["Shortfall"].rows) == [
        ("(portfolio)", "All sites", 45.0, 2.0, "vehicle-due", 2.0, ""),
        ("harbor", "Harbor Street Vans", 45.0, 3.7, "vehicle-due", 3.0, "van-7"),
        ("harbor", "Harbor Street Vans", 45.0, 3.7, "unexplained", 0.7, "van-7"),
    ]
    ready = {row[0]: row[2:] for row in found["Availability"].rows}
    assert ready["harbor"] == (0.75, 1.0, 2.0, 4.0, 64.0, 36.0, 11.5, 5.4)
    assert found["Anomalies"].rows[0][:3] == ("harbor", "meter-stuck", "pcc_power_w")


def test_it_is_kept_and_read_back(report: ParticipationReport) -> None:
    assert load(json.loads(json.dumps(dump(report)))) == report


def test_a_document_of_before_is_read_and_says_nothing_of_it(report: ParticipationReport) -> None:
    data = json.loads(json.dumps(dump(build_report())))
    del data["anomalies"]
    for part in (data["figures"], *data["sites"]):
        for name in ("availability", "response", "shortfall", "rebound_wh"):
            del part[name]
    old = load(data)
    view = report_view(variant(old))
    assert (view.causes, view.ready, view.anomalies) == ((), (), ())
    tiles = {one.key: one.value for one in view.figures}
    assert (tiles["missing"], tiles["available"], tiles["response"]) == ("n/a", "n/a", "n/a")
    assert rendered(variant(old)).startswith(b"%PDF")
