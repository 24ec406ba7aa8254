"""Nominations as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts

Json = dict[str, Any]
_MOST_HOURS = 3
"""Hours that are written out; of more, the first and how many there are."""


def list_lines(every: Sequence[Json], zone: ZoneInfo) -> Iterator[str]:
    """A line each."""
    if not every:
        yield "nothing is nominated"
    for one in every:
        yield f"{one['nomination_id']}  {one['state']}  {_range(one)}  {_head(one, zone)}"


def lines(one: Json, zone: ZoneInfo) -> Iterator[str]:
    """All of one."""
    yield f"{one['nomination_id']}: {one['state']}, revision {one['revision']}"
    yield f"{_head(one, zone)}, version {one['program_version']}"
    stated = "" if one["gate_stated"] else " (the program states none: the period's start)"
    yield f"gate: {_clock(one['gate'], zone)}{stated}" + _late(one)
    yield f"to be there in {one['confidence_pct']:g} of 100 cases"
    for quantity in one["quantities"]:
        yield from _quantity(quantity, zone)
    for site in one["sites_out"]:
        yield f"not counted: {site['what']}: {site['why']}"
    for step in one["steps"]:
        yield f"{_clock(step['at'], zone)} {step['status']} by {step['by']}: {step['cause']}"


def _head(one: Json, zone: ZoneInfo) -> str:
    end = datetime.fromisoformat(one["end"]) - timedelta(seconds=1)
    first = datetime.fromisoformat(one["start"]).astimezone(zone)
    return f"{one['program_id']}, {first:%Y-%m-%d} to {end.astimezone(zone):%Y-%m-%d}"


def _late(one: Json) -> str:
    return "; made after it, so it can never be accepted" if one["late"] else ""


def _range(one: Json) -> str:
    powers = [kw_from_watts(quantity["power_w"]) for quantity in one["quantities"]]
    low, high = min(powers, default=0.0), max(powers, default=0.0)
    return f"{low:.1f} kW" if low == high else f"{low:.1f} to {high:.1f} kW"


def _quantity(one: Json, zone: ZoneInfo) -> Iterator[str]:
    price = one["price_per_kwh"]
    bid = "" if price is None else f" at {price:g} per kWh"
    level = one["level_w"]
    to = "" if level is None else f", down to {kw_from_watts(level):.1f} kW"
    yield f"{kw_from_watts(one['power_w']):.1f} kW{to}{bid}: {_hours(one, zone)}"
    for part in one["parts"]:
        yield f"  {part['site_id']}: {kw_from_watts(part['power_w']):.1f} kW"
    for word in one["words"]:
        yield f"  {word}"
    for day in one["days_out"]:
        yield f"  left out: {day['what']}: {day['why']}"


def _hours(one: Json, zone: ZoneInfo) -> str:
    spans = [
        f"{_clock(s['start'], zone)} to {_clock(s['end'], zone)}"
        for s in one["hours"][:_MOST_HOURS]
    ]
    more = len(one["hours"]) - len(spans)
    told = ", ".join(spans) + (f" and {more} more" if more else "")
    return f"{one['name']} ({told})" if one["name"] else told


def _clock(at: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(at).astimezone(zone):%Y-%m-%d %H:%M}"
