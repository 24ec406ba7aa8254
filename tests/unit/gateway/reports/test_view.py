from collections.abc import Callable
from dataclasses import replace

from gateway.domain.measure.report import KeyFigures, ParticipationReport
from support.participation import seen


def test_everything_is_shown_in_kw_local_time_and_words(report: ParticipationReport) -> None:
    view = seen(report)
    figures = {f.key: (f.value, f.unit) for f in view.figures}
    facts = {f.label: f.value for f in view.facts}
    assert figures["delivered"] == ("100.2", "kW")
    assert figures["performance"] == ("95", "%")
    assert figures["coverage"] == ("97", "%") or figures["coverage"] == ("98", "%")
    assert view.window == "Fri 20 Nov 2026, 17:00:00–19:00:00 PST (UTC−08:00)"
    assert facts["Our answer"].startswith("Opted in: 105.0 kW offered")
    assert facts["Notified"].endswith("(2 h before the start)")
    assert facts["First site responded"] == "17:00:00 (0.8 s after the start)"


def test_the_settlement_is_shown_line_by_line(report: ParticipationReport) -> None:
    view = seen(report)
    assert view.settlement == (
        "Estimated payment for the event: 400.80 USD. Lines without an amount are no part of it. "
        "By example rates: no tariff in force was read."
    )
    energy, penalty = view.paid
    assert [energy.what, penalty.what] == ["energy", "penalty"]
    shown = (energy.quantity, energy.price, energy.amount)
    assert shown == ("200.4 kWh", "2 USD/kWh, example rate", "400.80 USD")
    assert "200.4 kWh counted" in energy.why
    assert (penalty.price, penalty.amount) == ("n/a", "n/a")
    assert penalty.why.endswith("no amount: rate: see the tariff")
    month = replace(report.lines[0], subject="pacific-utility/evt-2026-1121, 2026-11")
    assert seen(replace(report, lines=(month,))).paid[0].what == "energy, 2026-11"
    unpriced = seen(replace(report, lines=report.lines[1:])).settlement
    assert unpriced.startswith("Nothing is priced yet.")


def test_the_performance_names_its_rule_and_what_it_counts_as(report: ParticipationReport) -> None:
    view = seen(report)
    assert view.performance.endswith("mean over the event; counted up to 100%")
    notes = {figure.key: figure.note for figure in view.figures}
    assert notes["performance"] == "delivered over asked"
    failed = replace(report.figures, performance_pct=49.0, factor_pct=0.0)
    figures = seen(replace(report, figures=failed)).figures
    assert (figures[0].value, figures[0].note) == ("49", "counts as 0 %")


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
    view = seen(replace(report, figures=nothing, lines=()))
    figures = {f.key: (f.value, f.unit) for f in view.figures}
    assert figures["performance"] == figures["delivered"] == ("n/a", "")
    assert figures["coverage"] == ("0", "%")
    assert "No price" in view.settlement
    assert view.sites[2].performance == "n/a"


def test_labels_say_simulated_test_and_status(
    changed: Callable[..., ParticipationReport],
) -> None:
    assert seen(changed()).labels == ("SIMULATED", "PRELIMINARY")
    assert seen(changed(simulated=False, test=True, final=True)).labels == (
        "TEST EVENT",
        "FINAL",
    )


def test_the_method_names_days_and_reasons(report: ParticipationReport) -> None:
    method = seen(report).methods
    assert method[0].days_used.startswith("9: 2026-11-19, 2026-11-18")
    assert "event day: 2026-11-12" in method[0].days_rejected
    assert "weekend: 2026-11-15" in method[0].days_rejected
    assert method[1].adjustment == "1.200, at its bound"
    assert (method[0].history, method[2].history) == ("synthetic", "measured")


def test_the_chart_is_told_in_words(report: ParticipationReport) -> None:
    alt = seen(report).chart.alt
    assert "mean baseline 2" in alt
    assert "mean actual 1" in alt
    assert "17:00" in alt or "16:00:00–20:00:00" in alt


def test_exceptions_name_the_site(report: ParticipationReport) -> None:
    row = seen(report).exceptions[1]
    assert (row.at, row.site, row.kind, row.subject) == (
        "17:31:00",
        "North Yard Bus Depot",
        "charger offline",
        "cp-04",
    )


def test_an_exception_of_no_site_is_the_portfolios(report: ParticipationReport) -> None:
    short = replace(report.exceptions[0], site_id="", kind="shortfall")
    assert seen(replace(report, exceptions=(short,))).exceptions[0].site == "(portfolio)"
