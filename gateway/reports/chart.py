"""The event chart as one SVG: the page inlines it, the PDF embeds it.

Every mark has a class (the page recolours it in dark mode) and its colours as attributes (the PDF
has no style sheet). No script, no style element, no outside reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from xml.sax.saxutils import quoteattr

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.report import Curves
from gateway.reports.axes import LEFT, TOP, Frame, end_of, label, power_axis, time_axis
from gateway.reports.curve import joined, paired, runs, thinned

MAX_STEPS = 720
_FONT = "IBM Plex Sans, system-ui, sans-serif"
_STYLES = {
    "actual": 'fill="none" stroke="#0b61b8" stroke-width="2.25"',
    "baseline": 'fill="none" stroke="#5b6675" stroke-width="1.75" stroke-dasharray="7 4"',
    "target": 'fill="none" stroke="#b3500f" stroke-width="2" stroke-dasharray="1.5 4" '
    'stroke-linecap="round"',
    "reduction": 'fill="#0b61b8" fill-opacity="0.2"',
    "band": 'fill="#f2b705" fill-opacity="0.1"',
}


def event_chart(
    curves: Curves, event: Interval, tz: tzinfo, *, name: str, width: int = 760, height: int = 300
) -> str:
    """Baseline (dashed), actual, target (dotted), event band and the reduction shaded.

    Gaps in the data stay gaps. `name` becomes the accessible name (escaped).

    Raises:
        ValueError: `curves.span` is open-ended or empty.
    """
    baseline, actual, target = (
        joined(thinned(series, curves.span, MAX_STEPS))
        for series in (curves.baseline, curves.actual, curves.target)
    )
    values = (step.value for series in (baseline, actual, target) for step in series)
    frame = Frame.around(curves.span, values, width, height)
    band = event.intersection(curves.span)
    marks = {
        "reduction": _reduction(frame, baseline, actual, band),
        "baseline": _line(frame, baseline),
        "target": _line(frame, target),
        "actual": _line(frame, actual),
    }
    parts = [
        *(_band(frame, band) if band else ()),
        *power_axis(frame),
        *time_axis(frame, tz),
        *(_path(mark, data) for mark, data in marks.items() if data),
        *_legend([mark for mark, data in marks.items() if data], band),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-label={quoteattr(name)} font-family="{_FONT}" font-size="11">{"".join(parts)}</svg>'
    )


def _path(mark: str, data: str) -> str:
    return f'<path class="c-{mark}" {_STYLES[mark]} d="{data}"/>'


def _line(frame: Frame, series: StepSeries) -> str:
    """A stair line: flat over each step, upright between two, broken at a gap."""
    pieces: list[str] = []
    for run in runs(series):
        pieces.append(f"M{frame.x(run[0].interval.start)} {frame.y(run[0].value)}")
        pieces.extend(f"V{frame.y(step.value)}H{frame.x(end_of(step.interval))}" for step in run)
    return "".join(pieces)


def _reduction(
    frame: Frame, baseline: StepSeries, actual: StepSeries, band: Interval | None
) -> str:
    """The area between baseline and actual during the event, one polygon a stretch of data."""
    if band is None:
        return ""
    stretches: list[list[tuple[Interval, float, float]]] = []
    for piece in paired(baseline.clip(band), actual.clip(band)):
        if stretches and stretches[-1][-1][0].end == piece[0].start:
            stretches[-1].append(piece)
        else:
            stretches.append([piece])
    return "".join(_polygon(frame, stretch) for stretch in stretches)


def _polygon(frame: Frame, stretch: list[tuple[Interval, float, float]]) -> str:
    there = [f"V{frame.y(base)}H{frame.x(end_of(i))}" for i, base, _ in stretch]
    back = [f"V{frame.y(load)}H{frame.x(i.start)}" for i, _, load in reversed(stretch)]
    return f"M{frame.x(stretch[0][0].start)} {frame.y(stretch[0][1])}{''.join(there + back)}Z"


def _band(frame: Frame, band: Interval) -> Iterator[str]:
    x0, x1 = frame.x(band.start), frame.x(end_of(band))
    yield (
        f'<rect class="c-band" {_STYLES["band"]} x="{x0}" y="{TOP}" '
        f'width="{round(x1 - x0, 1)}" height="{frame.bottom - TOP}"/>'
    )
    for x in (x0, x1):
        yield (
            f'<line class="c-edge" stroke="#b78900" stroke-opacity="0.6" x1="{x}" x2="{x}" '
            f'y1="{TOP}" y2="{frame.bottom}"/>'
        )


_LEGEND = {
    "actual": "Actual",
    "baseline": "Baseline",
    "target": "Target",
    "reduction": "Reduction",
    "band": "Event",
}


def _legend(drawn: list[str], band: Interval | None) -> Iterator[str]:
    x = LEFT
    for mark, text in _LEGEND.items():
        if mark in drawn or (mark == "band" and band is not None):
            box = mark in ("reduction", "band")
            yield _path(mark, f"M{x} 10H{x + 24}V20H{x}Z" if box else f"M{x} 15H{x + 24}")
            yield label(x + 30, 19, text)
            x += 48 + 7 * len(text)
