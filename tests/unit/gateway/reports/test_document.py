import json

import pytest

from contracts.errors import PermanentError
from gateway.domain.measure.report import ParticipationReport
from gateway.reports import document
from support.participation import seen


def test_a_report_survives_json(report: ParticipationReport) -> None:
    data = json.loads(json.dumps(document.dump(report)))
    assert document.load(data) == report


def test_a_document_from_before_rules_and_lines_is_still_read(
    report: ParticipationReport,
) -> None:
    """As documents were stored at first: with fields that are gone, and without those that came."""
    data = json.loads(json.dumps(document.dump(report)))
    del data["performance_rule"], data["lines"], data["figures"]["factor_pct"]
    data["figures"] |= {
        "energy_price_per_kwh": None,
        "estimated_payment": None,
        "currency": None,
    }
    for site in data["sites"]:
        del site["baseline_note"]
    read = document.load(data)
    assert (read.lines, read.performance_rule, read.figures.factor_pct) == ((), "", None)
    assert read.figures.performance_pct == report.figures.performance_pct
    view = seen(read)
    assert view.settlement == "No price is set for this program: nothing to settle."
    assert view.performance == "delivered over committed"


def test_times_are_written_in_utc(report: ParticipationReport) -> None:
    assert document.dump(report)["created_at"] == "2026-11-21T04:04:00Z"


def test_something_else_is_refused_by_name(report: ParticipationReport) -> None:
    data = dict(document.dump(report)) | {"version": "two"}
    with pytest.raises(PermanentError, match="version"):
        document.load(data)
