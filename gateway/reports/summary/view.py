"""A program's summary as rows of text, in kW, kWh, % and local time."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.domain.measure.shortfall import WORDS
from gateway.domain.measure.summary import EventSummary, ProgramSummary, SiteSummary, Totals
from gateway.reports import words
from gateway.reports.view import SIMULATED, Figure

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event; `cells` in the order of the table's head."""

    event_key: str
    start: str
    cells: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    """The whole as text."""

    title: str
    window: str
    labels: tuple[str, ...]
    note: str
    figures: tuple[Figure, ...]
    causes: tuple[Row, ...]
    """Cause, kW, kWh, share, events."""
    events: tuple[EventRow, ...]
    sites: tuple[Row, ...]


def summary_view(found: ProgramSummary) -> SummaryView:
    """What people read; the units are in the page's heads."""
    zone = ZoneInfo(found.time_zone)
    return SummaryView(
        title=f"{found.program_name}, {found.period}",
        window=words.span(found.window, zone),
        labels=(SIMULATED,) if found.simulated else (),
        note=_note(found),
        figures=_figures(found.totals),
        causes=_causes(found.totals),
        events=tuple(_event(one, zone) for one in found.events),
        sites=tuple(_site(one) for one in found.sites),
    )


def _note(found: ProgramSummary) -> str:
    parts = []
    if found.preliminary:
        parts.append(f"reports still preliminary: {found.preliminary}")
    if found.tests:
        parts.append(f"test events, told and in no sum: {found.tests}")
    return "; ".join(parts).capitalize()


def _figures(of: Totals) -> tuple[Figure, ...]:
    def figure(key: str, label: str, value: str, unit: str, note: str) -> Figure:
        return Figure(
            key=key, label=label, value=value, unit="" if value == words.NA else unit, note=note
        )

    kilo, share = words.kilo, words.share(of.available_share).removesuffix(" %")
    performance = words.number(of.performance_pct, 0)
    return (
        figure("events", "Events", str(of.events), "", f"{words.number(of.hours)} h"),
        figure("performance", "Performance", performance, "%", "delivered over asked"),
        figure("committed", "Promised", kilo(of.committed_w), "kW", "mean over the hours"),
        figure("asked", "Asked", kilo(of.asked_w), "kW", "mean over the hours"),
        figure("delivered", "Delivered", kilo(of.delivered_w), "kW", "mean over the hours"),
        figure("reduced", "Energy reduced", kilo(of.reduced_wh), "kWh", "over all events"),
        figure("rebound", "Rebound", kilo(of.rebound_wh), "kWh", _highest(of)),
        figure("available", "Available", share, "%", "of the time what was promised"),
        figure("vehicles", "Vehicles ready", _vehicles(of), "", "over all events"),
    )


def _highest(of: Totals) -> str:
    return f"up to {words.power(of.highest_rebound_w)} above baseline"


def _vehicles(of: Totals | EventSummary) -> str:
    return f"{of.vehicles_ready} of {of.vehicles_total}"


def _causes(of: Totals) -> tuple[Row, ...]:
    whole = sum(one.energy_wh for one in of.causes)
    return tuple(
        (
            WORDS[one.cause],
            words.kilo(one.mean_w),
            words.kilo(one.energy_wh),
            words.share(one.energy_wh / whole),
            str(one.events),
        )
        for one in of.causes
    )


def _event(one: EventSummary, zone: ZoneInfo) -> EventRow:
    status = ("test, " if one.test else "") + ("final" if one.final else "preliminary")
    return EventRow(
        event_key=one.event_key,
        start=f"{words.day(one.window.start, zone)}, {words.clock(one.window.start, zone)}",
        cells=(
            *(words.number(one.seconds / 3600), words.kilo(one.committed_w)),
            *(words.kilo(one.asked_w), words.kilo(one.delivered_w)),
            *(words.percent(one.performance_pct), words.kilo(one.missing_w)),
            *(words.kilo(one.rebound_wh), words.share(one.available_share)),
            *(_vehicles(one), str(one.anomalies), status),
        ),
    )


def _site(one: SiteSummary) -> Row:
    of = one.totals
    main = WORDS[of.causes[0].cause] if of.causes else ""
    return (
        *(one.name, str(of.events), words.kilo(of.committed_w), words.kilo(of.asked_w)),
        *(words.kilo(of.delivered_w), words.percent(of.performance_pct)),
        *(words.kilo(of.reduced_wh), words.kilo(of.rebound_wh), words.share(of.available_share)),
        *(_vehicles(of), str(one.opted_out), main),
    )
