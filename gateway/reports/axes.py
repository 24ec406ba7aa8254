"""The frame of a chart: where instants and powers lie, grid, labels in local time and kW."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from contracts.power import kw_from_watts
from contracts.time import Interval
from gateway.reports import words

LEFT, RIGHT, TOP, BOTTOM = 52, 28, 40, 46
"""Margins; the right one keeps the last time label whole."""
_TICK_SECONDS = (
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
)
_MAX_TIME_TICKS = 8
_MAX_POWER_STEPS = 5
_HEADROOM = 1.04
"""So that a line never runs along the upper edge."""
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Frame:
    """Where an instant and a power lie on the canvas.

    Raises:
        ValueError: the span is open-ended or empty.
    """

    span: Interval
    width: int
    height: int
    low_kw: float
    high_kw: float
    step_kw: float

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError("an empty span cannot be drawn")

    @classmethod
    def around(cls, span: Interval, values_w: Iterable[float], width: int, height: int) -> Frame:
        """A frame that holds every value and zero, with round ends."""
        values = [kw_from_watts(value) for value in values_w]
        low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
        step = _round_step(max(high - low, 1.0) / _MAX_POWER_STEPS)
        top = max(ceil(high * _HEADROOM / step), 1) * step
        return cls(span, width, height, floor(low / step) * step, top, step)

    @property
    def bottom(self) -> int:
        """Lower edge of the plot."""
        return self.height - BOTTOM

    @property
    def seconds(self) -> float:
        """Length of the time axis."""
        return (end_of(self.span) - self.span.start).total_seconds()

    def x(self, at: datetime) -> float:
        """Horizontal place of an instant."""
        part = (at - self.span.start).total_seconds() / self.seconds
        return round(LEFT + part * (self.width - LEFT - RIGHT), 1)

    def y(self, power_w: float) -> float:
        """Vertical place of a power in W."""
        part = (kw_from_watts(power_w) - self.low_kw) / (self.high_kw - self.low_kw)
        return round(self.bottom - part * (self.bottom - TOP), 1)


def end_of(interval: Interval) -> datetime:
    """The end of a closed interval.

    Raises:
        ValueError: it is open-ended.
    """
    if interval.end is None:
        raise ValueError("an open-ended interval cannot be drawn: clip it first")
    return interval.end


def label(x: float, y: float, text: str, anchor: str = "start") -> str:
    """A text mark; the text is escaped."""
    return (
        f'<text class="c-label" x="{x}" y="{y}" text-anchor="{anchor}" fill="#4a5563">'
        f"{escape(text)}</text>"
    )


def power_axis(frame: Frame) -> Iterator[str]:
    """Grid lines with their kW."""
    decimals = 0 if frame.step_kw >= 1 else 1
    for index in range(round((frame.high_kw - frame.low_kw) / frame.step_kw) + 1):
        value_kw = frame.low_kw + index * frame.step_kw
        y = frame.y(value_kw * 1000.0)
        zero = abs(value_kw) < frame.step_kw / 2
        mark, colour = ("zero", "#8b95a3") if zero else ("grid", "#dde2e8")
        yield (
            f'<line class="c-{mark}" stroke="{colour}"'
            f' x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y}" y2="{y}"/>'
        )
        yield label(LEFT - 8, y + 4, words.number(value_kw, decimals), "end")
    yield label(LEFT - 8, TOP - 12, "kW", "end")


def time_axis(frame: Frame, tz: tzinfo) -> Iterator[str]:
    """Ticks at round local times, and which day and zone that is."""
    step_s = _tick_step_s(frame.seconds)
    for at in ticks(frame.span, tz, step_s):
        x = frame.x(at)
        yield (
            f'<line class="c-zero" stroke="#8b95a3" x1="{x}" x2="{x}" '
            f'y1="{frame.bottom}" y2="{frame.bottom + 5}"/>'
        )
        yield label(x, frame.bottom + 18, _tick_label(at.astimezone(tz), step_s), "middle")
    caption = f"{words.day(frame.span.start, tz)}, {words.zone(frame.span.start, tz)}"
    yield label(frame.width - RIGHT, frame.height - 8, caption, "end")


def ticks(span: Interval, tz: tzinfo, step_s: int) -> Iterator[datetime]:
    """Instants whose local time of day is a multiple of the step, also across a clock change."""
    stride_s = min(step_s, _HOUR_S)
    local = span.start.astimezone(tz)
    into = (local.minute * 60 + local.second + local.microsecond / 1e6) % stride_s
    at = span.start + timedelta(seconds=(stride_s - into) % stride_s)
    while at <= end_of(span):
        local = at.astimezone(tz)
        seconds = local.hour * _HOUR_S + local.minute * 60 + local.second
        if seconds % min(step_s, _DAY_S) == 0:
            yield at
        at += timedelta(seconds=stride_s)


def _round_step(at_least: float) -> float:
    magnitude: float = 10.0 ** floor(log10(at_least))
    return next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= at_least * 0.999)


def _tick_step_s(length_s: float) -> int:
    fitting = (step for step in _TICK_SECONDS if length_s / step <= _MAX_TIME_TICKS)
    return next(fitting, _DAY_S)


def _tick_label(local: datetime, step_s: int) -> str:
    if step_s >= _DAY_S:
        return f"{local:%m-%d}"
    return f"{local:%H:%M:%S}" if step_s < _MINUTE_S else f"{local:%H:%M}"
