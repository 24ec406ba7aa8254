"""Completeness of what utilities were told, in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any

Json = dict[str, Any]
_SHOWN = 5


def completeness_lines(found: Iterable[Json], zone: tzinfo) -> Iterator[str]:
    """A line a series; below it where something is missing, the newest stretches."""
    rows = list(found)
    if not rows:
        yield "no utility has asked for a series"
    for one in rows:
        share = "nothing due yet" if one["share"] is None else f"{100 * one['share']:.1f} %"
        counts = f"{one['told']} of {one['due']} intervals of {one['period_s']:g} s"
        yield f"{one['utility_id']} {one['key']}: {share}, {counts} ({one['what']})"
        lacking = [f"{one[name]} {what}" for name, what in _LACKING if one[name]]
        if lacking:
            yield f"  {', '.join(lacking)}"
        for gap in one["missing"][-_SHOWN:]:
            yield f"  missing {_at(gap['start'], zone)} to {_at(gap['end'], zone)}"


_LACKING = (("behind", "not told yet"), ("gaps", "told without all values"))


def _at(text: str | None, zone: tzinfo) -> str:
    if text is None:
        return "now"
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
