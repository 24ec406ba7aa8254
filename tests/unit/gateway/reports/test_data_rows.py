"""The Data section: what is missing, flagged and changed, for each reader, on page and in files."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.time import Interval
from gateway.domain.measure.report import DataRemark, ParticipationReport, ReportChange
from gateway.reports import document
from gateway.reports.audience import Audience, variant
from gateway.reports.export import tables
from gateway.reports.view import report_view
from support.participation import QUARTER, START, build_report, seen

METERS = "intervals of the sites' revenue meters"


def remark(site_id: str, what: str, reason: str, first: int = 0, count: int = 1) -> DataRemark:
    return DataRemark(
        site_id=site_id,
        meter="grid",
        part="the event",
        what=what,
        window=Interval.lasting(START + first * QUARTER, count * QUARTER),
        intervals=count,
        reason=reason,
    )


@pytest.fixture
def metered() -> ParticipationReport:
    """Version 2, which still waits; one figure of a site and one of all are others."""
    return replace(
        build_report(),
        measured_by=METERS,
        data=(
            remark("harbor", "missing", "nothing was delivered", 2, 3),
            remark("north-yard", "estimated", "=cmd|' /C calc'!A0"),
        ),
        waits_until=START + timedelta(days=14),
        missing_rule="an interval without data counts as nothing delivered",
        changes=(
            ReportChange(where="portfolio", what="rebound", unit="W", before=1000.0, after=None),
            ReportChange(where="harbor", what="coverage", unit="", before=0.5, after=0.75),
            ReportChange(where="portfolio", what="energy", unit="USD", before="1.50", after="2"),
        ),
    )


@pytest.mark.row("mv:M6")
def test_what_is_missing_is_told_with_its_part_its_hours_and_how_long_it_is_waited_for(
    metered: ParticipationReport,
) -> None:
    shown = seen(metered).data
    assert shown.words[0] == f"Measured by {METERS}."
    assert "preliminary until they have come, at the latest until Fri 4 Dec 2026" in shown.words[1]
    first = shown.rows[0]
    assert (first.site, first.meter, first.what) == ("Harbor Street Vans", "grid", "missing")
    assert (first.intervals, first.when[:26]) == ("3", "Fri 20 Nov 2026, 17:30:00\N{EN DASH}")
    assert [(c.where, c.before, c.after) for c in shown.changes] == [
        ("portfolio", "1.00 kW", "not known"),
        ("Harbor Street Vans", "0.50", "0.75"),
        ("portfolio", "1.50 USD", "2 USD"),
    ]
    assert shown.changed_from == "version 1"


def test_when_the_wait_is_over_the_programs_rule_is_told(metered: ParticipationReport) -> None:
    over = replace(metered, waits_until=None, final=True)
    assert seen(over).data.words[1:] == (
        "Meter data are missing. By the program: an interval without data counts as nothing "
        "delivered.",
    )
    whole = replace(over, missing_rule="", data=())
    assert seen(whole).data.words[1:] == (
        "Every interval that was looked at was delivered, measured and believed.",
    )


def test_an_owner_is_told_of_their_own_meter_alone(metered: ParticipationReport) -> None:
    owner = variant(metered, Audience.OWNER, "harbor")
    shown = report_view(owner).data
    assert [row.site for row in shown.rows] == ["Harbor Street Vans"]
    assert [row.where for row in shown.changes] == ["Harbor Street Vans"]
    assert "North" not in json.dumps(document.dump(owner.report))


def test_files_hold_every_remark_and_change_as_data(metered: ParticipationReport) -> None:
    found = {table.name: table for table in tables(variant(metered))}
    assert [row[:4] for row in found["Data"].rows] == [
        ("harbor", "grid", "the event", "missing"),
        ("north-yard", "grid", "the event", "estimated"),
    ]
    assert found["Changes"].rows[0] == ("portfolio", "rebound", "W", 1000.0, None)


def test_a_page_shows_as_many_rows_as_can_be_read_and_says_where_the_rest_is(
    metered: ParticipationReport,
) -> None:
    many = replace(metered, data=metered.data * 200)
    shown = seen(many).data
    assert len(shown.rows) == 300
    assert shown.words[-1] == "100 more rows are in the files and in the API."


def test_a_report_survives_json_and_one_of_before_was_measured_by_agents(
    metered: ParticipationReport,
) -> None:
    data = json.loads(json.dumps(document.dump(metered)))
    assert document.load(data) == metered
    for gone in ("measured_by", "data", "waits_until", "missing_rule", "changes"):
        del data[gone]
    shown = seen(document.load(data)).data
    assert shown.words == ("Measured by readings of the sites' agents.",)
    assert (shown.rows, shown.changes) == ((), ())
