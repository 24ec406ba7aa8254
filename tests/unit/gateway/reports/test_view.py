from collections.abc import Callable
from dataclasses import replace

from gateway.domain.measure.report import KeyFigures, ParticipationReport
from gateway.reports.view import report_view


def test_everything_is_shown_in_kw_local_time_and_words(report: ParticipationReport) -> None:
    view = report_view(report)
    figures = {f.key: (f.value, f.unit) for f in view.figures}
    facts = {f.label: f.value for f in view.facts}
    assert figures["delivered"] == ("100.2", "kW")
    assert figures["performance"] == ("95", "%")
    assert figures["coverage"] == ("97", "%") or figures["coverage"] == ("98", "%")
    assert view.window == "Fri 20 Nov 2026, 17:00:00–19:00:00 PST (UTC−08:00)"
    assert facts["Our answer"].startswith("Opted in: 105.0 kW offered")
    assert facts["Notified"].endswith("(2 h before the start)")
    assert facts["First site responded"] == "17:00:00 (0.8 s after the start)"
    assert view.settlement == "Estimated payment: 400.80 USD (200.4 kWh at 2.00 USD/kWh)."


def test_unknown_is_said_never_shown_as_zero(report: ParticipationReport) -> None:
    nothing = KeyFigures(
        performance_pct=None,
        delivered_mean_w=None,
        delivered_min_w=None,
        nominated_w=0.0,
        target_mean_w=0.0,
        reduced_wh=None,
        rebound_w=None,
        coverage=0.0,
    )
    view = report_view(replace(report, figures=nothing))
    figures = {f.key: (f.value, f.unit) for f in view.figures}
    assert figures["performance"] == figures["delivered"] == ("n/a", "")
    assert figures["coverage"] == ("0", "%")
    assert "No price" in view.settlement
    assert view.sites[2].performance == "n/a"


def test_labels_say_simulated_test_and_status(
    changed: Callable[..., ParticipationReport],
) -> None:
    assert report_view(changed()).labels == ("SIMULATED", "PRELIMINARY")
    assert report_view(changed(simulated=False, test=True, final=True)).labels == (
        "TEST EVENT",
        "FINAL",
    )


def test_the_method_names_days_and_reasons(report: ParticipationReport) -> None:
    method = report_view(report).methods
    assert method[0].days_used.startswith("9: 2026-11-19, 2026-11-18")
    assert "event day: 2026-11-12" in method[0].days_rejected
    assert "weekend: 2026-11-15" in method[0].days_rejected
    assert method[1].adjustment == "1.200, at its bound"
    assert (method[0].history, method[2].history) == ("synthetic", "measured")


def test_the_chart_is_told_in_words(report: ParticipationReport) -> None:
    alt = report_view(report).chart.alt
    assert "mean baseline 2" in alt
    assert "mean actual 1" in alt
    assert "17:00" in alt or "16:00:00–20:00:00" in alt


def test_exceptions_name_the_site(report: ParticipationReport) -> None:
    row = report_view(report).exceptions[1]
    assert (row.at, row.site, row.kind, row.subject) == (
        "17:31:00",
        "North Yard Bus Depot",
        "charger offline",
        "cp-04",
    )


def test_an_exception_of_no_site_is_the_portfolios(report: ParticipationReport) -> None:
    short = replace(report.exceptions[0], site_id="", kind="shortfall")
    assert report_view(replace(report, exceptions=(short,))).exceptions[0].site == "(portfolio)"
