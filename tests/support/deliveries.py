"""Short ways to say loads, rows of delivery and results in tests of measurement and pay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.baseline import BaselineInputs, BaselineRun, run_baseline
from gateway.domain.measure.factor import EventResult
from gateway.domain.measure.rows import Row
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.domain.program import Adjustment, BaselineMethod, DayType, Program
from gateway.domain.program.wall import DAY_MINUTES, instant_of, local_day
from gateway.domain.settle.line import Line
from gateway.programs.entry import ProgramEntry
from support.calls import HOUR, NEW_YORK, at

QUARTER = timedelta(minutes=15)
PLAIN = BaselineMethod(adjustment=Adjustment.NONE, day_type=DayType.ANY)


def from_template(name: str, **rules: Any) -> Program:
    """A program of a template, by the reader of settings; kinds given here replace its own."""
    entry: dict[str, Any] = {"program_id": "p1", "utility_id": "u1", "template": name}
    if rules:
        entry["rules"] = rules
    return ProgramEntry.model_validate(entry).program()


def hours(start: str, length: float = 1.0) -> Interval:
    """`2026-07-14 16:00` in New York and so many elapsed hours."""
    return Interval.lasting(at(start), length * HOUR)


def load(
    first: str, days: int, watts: Callable[[datetime], float], step: timedelta = QUARTER
) -> StepSeries:
    """A site's load from one local midnight in New York on."""
    begins = date.fromisoformat(first)
    whole = Interval(
        start=instant_of(begins, 0, NEW_YORK),
        end=instant_of(begins + timedelta(days=days - 1), DAY_MINUTES, NEW_YORK),
    )
    return StepSeries.of((piece, watts(piece.start)) for piece in whole.split(step))


def by_day(instant: datetime) -> float:
    """A load that is the day of the year in kW, in New York."""
    return 1000.0 * local_day(instant, NEW_YORK).timetuple().tm_yday


def run(method: BaselineMethod, past: StepSeries, event: Interval, **changes: Any) -> BaselineRun:
    """A baseline over the event itself."""
    inputs = BaselineInputs(
        method=method, zone=NEW_YORK, event=event, span=event, resolution=QUARTER, history=past
    )
    return run_baseline(replace(inputs, **changes))


def rows(
    event: Interval, committed_kw: float, delivered_kw: Iterable[float | None]
) -> tuple[Row, ...]:
    """An event cut into as many intervals as there are deliveries."""
    values = list(delivered_kw)
    assert event.duration is not None
    pieces = event.split(event.duration / len(values))
    return tuple(
        Row(
            interval=piece,
            committed_kw=Decimal(str(committed_kw)),
            delivered_kw=None if value is None else Decimal(str(value)),
        )
        for piece, value in zip(pieces, values, strict=True)
    )


def result(start: str, ratio: float | None, length: float = 4.0, **more: Any) -> EventResult:
    """An event's result, named by its start."""
    given = {"mean_kw": Decimal(0), **more}
    return EventResult(
        event_key=start,
        window=hours(start, length),
        ratio=None if ratio is None else Decimal(str(ratio)),
        **given,
    )


def told(line: Line, *names: str) -> tuple[object, ...]:
    """These fields of a line."""
    return tuple(getattr(line, name) for name in names)


def market(*prices: tuple[Interval, str], currency: str = "USD") -> PriceTimeline:
    """Market prices, a kWh."""
    return PriceTimeline.of(
        "node",
        currency,
        (
            PriceStep(interval=when, per_kwh=Decimal(price), source_id="s", as_of=when.start)
            for when, price in prices
        ),
    )
