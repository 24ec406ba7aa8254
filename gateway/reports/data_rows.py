"""The Data section of a report: by what it was measured, what is to be said of it, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from gateway.domain.measure.report import DataRemark, ParticipationReport, ReportChange
from gateway.reports import words

_AGENTS = "readings of the sites' agents"
_MOST = 300
"""Rows on a page; files hold all of them."""
_KILO = {"W": "kW", "Wh": "kWh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRow:
    """A stretch of intervals."""

    site: str
    meter: str
    part: str
    when: str
    intervals: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A figure that is another than in the version before."""

    where: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataView:
    """The whole section."""

    words: tuple[str, ...]
    rows: tuple[DataRow, ...]
    changes: tuple[ChangeRow, ...]
    changed_from: str
    """`version 2`; empty for a first version."""


def data_view(report: ParticipationReport, names: Mapping[str, str], tz: tzinfo) -> DataView:
    """What page and PDF say."""
    return DataView(
        words=tuple(_words(report, tz)),
        rows=tuple(_row(one, names, tz) for one in report.data[:_MOST]),
        changes=tuple(_change(one, names) for one in report.changes[:_MOST]),
        changed_from=f"version {report.version - 1}" if report.changes else "",
    )


def _words(report: ParticipationReport, tz: tzinfo) -> list[str]:
    by_agents = report.measured_by in ("", _AGENTS)
    said = [f"Measured by {report.measured_by or _AGENTS}."]
    if report.waits_until is not None:
        until = words.moment(report.waits_until, tz)
        said.append(
            f"Meter data are missing: this report is preliminary until they have come, at the "
            f"latest until {until}. What it cannot know it does not take from elsewhere."
        )
    elif report.missing_rule:
        said.append(f"Meter data are missing. By the program: {report.missing_rule}.")
    elif not (by_agents or report.data):
        said.append("Every interval that was looked at was delivered, measured and believed.")
    if (more := max(len(report.data), len(report.changes)) - _MOST) > 0:
        said.append(f"{more} more rows are in the files and in the API.")
    return said


def _row(one: DataRemark, names: Mapping[str, str], tz: tzinfo) -> DataRow:
    return DataRow(
        site=names.get(one.site_id, one.site_id),
        meter=one.meter or words.NA,
        part=one.part,
        when=words.span(one.window, tz),
        intervals=str(one.intervals),
        what=one.what,
        reason=one.reason,
    )


def _change(one: ReportChange, names: Mapping[str, str]) -> ChangeRow:
    return ChangeRow(
        where=names.get(one.where, one.where),
        what=one.what,
        before=_value(one.before, one.unit),
        after=_value(one.after, one.unit),
    )


def _value(value: float | str | None, unit: str) -> str:
    if value is None:
        return "not known"
    if isinstance(value, str):
        return f"{value or 'nothing'} {unit}".strip()
    if unit in _KILO:
        return f"{words.number(value / 1000, 2)} {_KILO[unit]}"
    return f"{words.number(value, 2)} {unit}".strip()
