"""A program's summary as tables of numbers, in kW, kWh and hours; local time beside UTC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts
from gateway.domain.measure.summary import ProgramSummary, Totals
from gateway.reports.files import MEDIA_TYPES, safe
from gateway.reports.locales import Style
from gateway.reports.tables import Cell, Table, as_csv, as_xlsx
from gateway.reports.view import SIMULATED

_DECIMALS = 4
_TOTALS = (
    *("events", "hours", "committed_kw", "asked_kw", "delivered_kw", "performance_pct"),
    *("reduced_kwh", "rebound_kwh", "highest_rebound_kw", "available_share"),
    *("vehicles_ready", "vehicles"),
)


def summary_tables(found: ProgramSummary) -> tuple[Table, ...]:
    """Events first, then sites, causes, and the whole."""
    label = SIMULATED if found.simulated else ""
    first = (found.program_id, found.period, label)
    head = ("program_id", "period", "data_label")
    return (
        _events(found, label),
        Table(
            name="Sites",
            columns=(*head, "site_id", "site", *_TOTALS, "opted_out"),
            rows=[
                (*first, one.site_id, one.name, *_totals(one.totals), one.opted_out)
                for one in found.sites
            ],
        ),
        Table(
            name="Causes",
            columns=(*head, "site_id", "cause", "mean_kw", "missing_kwh", "events"),
            rows=[
                (
                    *(*first, who, cause.cause.value, _kilo(cause.mean_w)),
                    *(_kilo(cause.energy_wh), cause.events),
                )
                for who, totals in (
                    ("(portfolio)", found.totals),
                    *((one.site_id, one.totals) for one in found.sites),
                )
                for cause in totals.causes
            ],
        ),
        Table(
            name="Whole",
            columns=(*head, *_TOTALS, "test_events_left_out", "preliminary"),
            rows=[(*first, *_totals(found.totals), found.tests, found.preliminary)],
        ),
    )


def _events(found: ProgramSummary, label: str) -> Table:
    zone = ZoneInfo(found.time_zone)
    return Table(
        name="Events",
        columns=(
            *("event", "report_version", "status", "data_label", "test"),
            *("start_utc", "end_utc", "start_local", "hours"),
            *("committed_kw", "asked_kw", "delivered_kw", "performance_pct", "reduced_kwh"),
            *("rebound_kw", "rebound_kwh", "missing_kw", "available_share"),
            *("vehicles_ready", "vehicles", "anomalies"),
        ),
        rows=[
            (
                *(one.event_key, one.version, "FINAL" if one.final else "PRELIMINARY", label),
                *("yes" if one.test else "no", one.window.start.isoformat()),
                one.window.end.isoformat() if one.window.end else None,
                one.window.start.astimezone(zone).isoformat(),
                round(one.seconds / 3600, _DECIMALS),
                *(_kilo(one.committed_w), _kilo(one.asked_w), _kilo(one.delivered_w)),
                *(_round(one.performance_pct), _kilo(one.reduced_wh), _kilo(one.rebound_w)),
                *(_kilo(one.rebound_wh), _kilo(one.missing_w), _round(one.available_share)),
                *(one.vehicles_ready, one.vehicles_total, one.anomalies),
            )
            for one in found.events
        ],
    )


def _totals(of: Totals) -> tuple[Cell, ...]:
    return (
        *(of.events, round(of.hours, _DECIMALS), _kilo(of.committed_w), _kilo(of.asked_w)),
        *(_kilo(of.delivered_w), _round(of.performance_pct), _kilo(of.reduced_wh)),
        *(_kilo(of.rebound_wh), _kilo(of.highest_rebound_w), _round(of.available_share)),
        *(of.vehicles_ready, of.vehicles_total),
    )


def _kilo(value: float | None) -> float | None:
    return None if value is None else round(kw_from_watts(value), _DECIMALS)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _csv(found: ProgramSummary, _at: datetime, style: Style | None) -> bytes:
    return as_csv(summary_tables(found)[0], style)


def _xlsx(found: ProgramSummary, at: datetime, _style: Style | None) -> bytes:
    return as_xlsx(summary_tables(found), at)


Making = Callable[[ProgramSummary, datetime, Style | None], bytes]
SUMMARY_FILES: Mapping[str, tuple[str, Making]] = {
    "csv": (MEDIA_TYPES["csv"], _csv),
    "xlsx": (MEDIA_TYPES["xlsx"], _xlsx),
}
"""By ending, the media type and what makes it; CSV has the events, Excel all of it."""


def summary_file_name(found: ProgramSummary, ending: str) -> str:
    """`summary_<program>_<period>_SIMULATED.csv`, safe in a header and on a disk."""
    label = f"_{SIMULATED}" if found.simulated else ""
    return f"summary_{safe(found.program_id)}_{safe(found.period)}{label}.{ending}"
