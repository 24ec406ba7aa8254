"""Short ways to say programs and their calls in local wall time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.program import Call, Effect, Program, RuleKind, Rules, findings

NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)


def program(zone: ZoneInfo = NEW_YORK, **rules: Any) -> Program:
    """A program with these rules and nothing else."""
    return Program(program_id="p1", name="Relief", utility_id="u1", zone=zone, rules=Rules(**rules))


def at(text: str, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> datetime:
    """`2026-07-14 16:00` on a wall, as an instant: in UTC, so that hours added are elapsed ones."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def call(start: str, hours: float | None = 1, zone: ZoneInfo = NEW_YORK, **more: Any) -> Call:
    """A call that lasts so many elapsed hours (None: until further notice)."""
    begins = at(start, zone)
    window = (
        Interval(start=begins, end=None)
        if hours is None
        else Interval.lasting(begins, hours * HOUR)
    )
    return Call(**{"event_key": f"u1/{start}", "window": window, **more})


def said(one: Program, asked: Call, *history: Call) -> list[tuple[RuleKind, Effect]]:
    """What the rules say, without the words."""
    now = asked.window.end or asked.window.start
    return [(f.rule, f.effect) for f in findings(one, asked, history, now)]
