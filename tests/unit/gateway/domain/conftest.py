"""Short ways to say times, series and events in the tests of the domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import GridEvent, Signal, SignalKind

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

MakeEvent = Callable[..., GridEvent]
MakeSeries = Callable[..., StepSeries]


def _at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


def _series(*steps: tuple[float, float, float]) -> StepSeries:
    return StepSeries.of((Interval(start=_at(a), end=_at(b)), value) for a, b, value in steps)


def _event(
    name: str = "e1",
    start: float = 0,
    end: float | None = 60,
    *,
    kind: SignalKind = SignalKind.DELTA_W,
    values: Sequence[tuple[float, float, float]] | None = None,
    created: float = -600,
    **changes: object,
) -> GridEvent:
    window = Interval(start=_at(start), end=None if end is None else _at(end))
    series = (
        StepSeries.of([(window, -1000.0)])
        if values is None
        else StepSeries.of((Interval(start=_at(a), end=_at(b)), v) for a, b, v in values)
    )
    fields: dict[str, object] = {
        "utility_id": "u1",
        "event_id": name,
        "modification": 0,
        "program_id": "p1",
        "created_at": _at(created),
        "window": window,
        "signals": (Signal(kind=kind, series=series),),
    }
    return GridEvent(**{**fields, **changes})  # type: ignore[arg-type]  # a test's shorthand


@pytest.fixture
def at() -> Callable[[float], datetime]:
    """Minutes after noon of an ordinary Wednesday, as an instant."""
    return _at


@pytest.fixture
def series() -> MakeSeries:
    """A series from `(from minute, to minute, value)`."""
    return _series


@pytest.fixture
def event() -> MakeEvent:
    """An event from minutes; by default -1 kW from 0 to 60."""
    return _event
