"""The sample report, for the tests of `reports` and `web`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.domain.measure.report import ParticipationReport
from support.participation import build_report


@pytest.fixture(scope="session")
def report() -> ParticipationReport:
    """PRELIMINARY, version 2, simulated, with a gap, an opt-out and hostile text in a name."""
    return build_report()


@pytest.fixture
def changed(report: ParticipationReport) -> Callable[..., ParticipationReport]:
    """The report with other header fields (and `final`)."""

    def change(*, final: bool | None = None, **header: object) -> ParticipationReport:
        head = replace(report.header, **header)  # type: ignore[arg-type]  # a test's own arguments
        return replace(report, header=head, final=report.final if final is None else final)

    return change
