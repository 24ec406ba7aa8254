"""The live chart's data as small JSON: kW against milliseconds, gaps as null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from contracts.power import kw_from_watts
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.report import Curves
from gateway.flows.sites.live import EventBand
from gateway.reports.axes import end_of
from gateway.reports.curve import runs, thinned

MAX_POINTS = 1440
"""Most points of one series that are ever sent."""
SPANS = {
    "5m": ("5 min", timedelta(minutes=5)),
    "15m": ("15 min", timedelta(minutes=15)),
    "1h": ("1 h", timedelta(hours=1)),
    "6h": ("6 h", timedelta(hours=6)),
    "24h": ("24 h", timedelta(hours=24)),
}
"""How far back the chart may reach: name in the address, in words, and length."""
DEFAULT_SPAN = "15m"
_AHEAD = 0.25
"""Share of the span by which the chart looks into the future."""

Point = list[float | None]


def chart_span(now: datetime, name: str) -> Interval:
    """From some time ago to a little ahead, by the name of a span (unknown ones: the default)."""
    _, back = SPANS.get(name, SPANS[DEFAULT_SPAN])
    return Interval(start=now - back, end=now + back * _AHEAD)


def chart_data(
    curves: Curves, events: Iterable[EventBand], now: datetime, zone_name: str, revision: str
) -> dict[str, object]:
    """Everything the chart draws; `revision` changes whenever baseline or target may have."""
    bands = (
        (event, event.window.intersection(curves.span)) for event in events if not event.cancelled
    )
    return {
        "now": _ms(now),
        "zone": zone_name,
        "revision": revision,
        "span": [_ms(curves.span.start), _ms(end_of(curves.span))],
        "baseline": list(_points(curves.baseline, curves.span)),
        "target": list(_points(curves.target, curves.span)),
        "actual": list(_points(curves.actual, curves.span)),
        "bands": [
            {"start": _ms(band.start), "end": _ms(end_of(band)), "label": event.program_name}
            for event, band in bands
            if band is not None
        ],
    }


def _points(series: StepSeries, span: Interval) -> Iterator[Point]:
    """`[ms, kW]` at both ends of every step; a null between two stretches of data."""
    thin = thinned(series, span, MAX_POINTS // 3)
    for number, run in enumerate(runs(thin)):
        if number:
            yield [_ms(run[0].interval.start), None]
        for step in run:
            value = round(kw_from_watts(step.value), 3)
            yield [_ms(step.interval.start), value]
            yield [_ms(end_of(step.interval)), value]


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def tick_data(now: datetime, actual_w: float | None, revision: str) -> dict[str, object]:
    """What the page adds to its chart once a second."""
    value = None if actual_w is None else round(kw_from_watts(actual_w), 3)
    return {"now": _ms(now), "actual_kw": value, "revision": revision}
