"""What a command is given: load in a file, an event, holidays; all of it checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from contracts.days import HOLIDAY, Holidays, holiday
from contracts.errors import ConfigError
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.presets import Preset, preset
from gridyard.forecast import csv_file
from site_agent.domain.forecast.record import LOAD_W

_LONGEST = timedelta(days=2)
_SPAN = TypeAdapter(timedelta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site in files."""

    load: StepSeries
    """Measured import, W, in quarters of an hour."""
    zone: ZoneInfo
    others: tuple[Interval, ...]
    """Its other events."""
    holidays: frozenset[date]


def site(path: Path, zone: ZoneInfo, others: Iterable[str], holidays: Sequence[str]) -> Site:
    """Everything a command is told of a site.

    Raises:
        ConfigError: something of it makes no sense; the message says what.
    """
    load = load_of(path, zone)
    return Site(
        load=load,
        zone=zone,
        others=tuple(window(one, zone, "--other-event") for one in others),
        holidays=_holidays(holidays, load, zone),
    )


def load_of(path: Path, zone: ZoneInfo) -> StepSeries:
    """The load in a file, as `gridyard forecast` reads it; gaps stay gaps.

    Raises:
        ConfigError: it cannot be read, or there is no load in it.
    """
    rows = [one for one in csv_file.read(path, zone) if one.series == LOAD_W]
    if not rows:
        raise ConfigError(f"{path}: no load in it: it needs a column load_kw or load_w")
    return StepSeries.of(
        (Interval.lasting(one.start, timedelta(seconds=one.covered_s)), one.mean) for one in rows
    )


def window(text: str, zone: ZoneInfo, option: str = "--event") -> Interval:
    """`START/END` or `START/PT2H`, on the wall of `zone` where no offset is written.

    Raises:
        ConfigError: it is none, or lasts nothing or more than two days.
    """
    first, _, last = text.partition("/")
    try:
        start = _instant(first, zone)
        end = start + _SPAN.validate_python(last) if last[:1] in "Pp" else _instant(last, zone)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"{option} {text!r}: write START/END, such as 2026-07-01T14:00/2026-07-01T16:00"
        ) from error
    if not timedelta(0) < end - start <= _LONGEST:
        raise ConfigError(f"{option} {text!r}: it must last, and no longer than two days")
    return Interval(start=start, end=end)


def clock(text: str) -> time:
    """A time of day.

    Raises:
        ConfigError: it is none.
    """
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise ConfigError(f"--at {text!r} is no time of day such as 14:00") from error


def method(name: str) -> Preset:
    """A method by name.

    Raises:
        ConfigError: there is none.
    """
    try:
        return preset(name)
    except ValueError as error:
        raise ConfigError(f"--method: {error}") from error


def _instant(text: str, zone: ZoneInfo) -> datetime:
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)


def _holidays(texts: Sequence[str], load: StepSeries, zone: ZoneInfo) -> frozenset[date]:
    try:
        rules = Holidays(rules=tuple(holiday(text) for text in texts))
    except ValueError as error:
        raise ConfigError(f"--holiday: {error}") from error
    days = {step.interval.start.astimezone(zone).date() for step in load}
    return frozenset(day for day in days if rules.kind(day) == HOLIDAY)
