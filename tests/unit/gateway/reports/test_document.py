import json

import pytest

from contracts.errors import PermanentError
from gateway.domain.measure.report import ParticipationReport
from gateway.reports import document


def test_a_report_survives_json(report: ParticipationReport) -> None:
    data = json.loads(json.dumps(document.dump(report)))
    assert document.load(data) == report


def test_times_are_written_in_utc(report: ParticipationReport) -> None:
    assert document.dump(report)["created_at"] == "2026-11-21T04:04:00Z"


def test_something_else_is_refused_by_name(report: ParticipationReport) -> None:
    data = dict(document.dump(report)) | {"version": "two"}
    with pytest.raises(PermanentError, match="version"):
        document.load(data)
