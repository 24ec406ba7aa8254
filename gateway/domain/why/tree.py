"""What an answer is made of, and how times stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeVar

from contracts.time import Interval

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One link of the chain."""

    what: str
    """What it is about, in one or two words: `asked`, `decided`, a site id, ..."""
    text: str
    at: datetime | None = None
    """When it happened; None: it is so at the time of the answer."""
    lines: tuple[Line, ...] = ()
    """What it is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The sentence, and the chain from cause to effect."""

    subject: str
    kind: str
    """`event`, `site` or `instruction`."""
    at: datetime
    """As of when."""
    sentence: str
    """Without a full stop."""
    lines: tuple[Line, ...]


def clock(instant: datetime | None, zone: tzinfo, near: datetime) -> str:
    """`12:30`, with seconds where there are any, and the date when it is not the day of `near`.

    None: further notice.
    """
    if instant is None:
        return "further notice"
    local = instant.astimezone(zone)
    same_day = local.date() == near.astimezone(zone).date()
    time = "%H:%M:%S" if local.second else "%H:%M"
    return local.strftime(time if same_day else f"%Y-%m-%d {time}")


def span(window: Interval, zone: tzinfo, near: datetime) -> str:
    """`from 12:00 to 12:30`, `from 12:00 until further notice`."""
    start, end = clock(window.start, zone, near), clock(window.end, zone, near)
    return f"from {start} {'until' if window.end is None else 'to'} {end}"


def some(items: Sequence[Item], most: int, of_what: str, lines: Iterable[Line]) -> tuple[Line, ...]:
    """At most so many lines of a longer list, and how many were left out."""
    shown = tuple(line for line, _ in zip(lines, range(most), strict=False))
    left = len(items) - len(shown)
    return (*shown, Line(what="...", text=f"and {left} more {of_what}")) if left > 0 else shown


def if_any(what: str, text: str, at: datetime | None = None) -> Iterator[Line]:
    """The line, unless there is nothing to say."""
    if text:
        yield Line(what=what, text=text, at=at)
