"""Prices as lines for people, in the time zone asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

Json = Mapping[str, Any]

_WH_IN_KWH = 1000.0


def source_lines(sources: Sequence[Json], zone: tzinfo) -> Iterator[str]:
    """A line a source, and what is wrong with it below."""
    if not sources:
        yield "this gateway has no sources of prices"
    for one in sources:
        state = "owes prices" if one["stale"] else "complete"
        until = f"until {_at(one['until'], zone)}" if one["until"] else "nothing known"
        said = f", said {_at(one['as_of'], zone)}" if one["as_of"] else ""
        yield f"{one['source_id']:<16} {one['area']:<24} {state:<12} {until}{said}"
        for gap in one["missing"]:
            yield f"  missing  {_at(gap['start'], zone)} to {_at(gap['end'], zone)}"
        if one["failure"]:
            yield f"  failed   {one['failure']}"


def site_lines(found: Json, zone: tzinfo) -> Iterator[str]:
    """What a site pays, a line a price; prices that go on unchanged are one line."""
    held = "the site holds these" if found["held"] else "the site does not hold these yet"
    held = f"refused by the site: {found['refused']}" if found["refused"] else held
    yield f"{found['site_id']}: {found['area']}, {found['currency']} per kWh; {held}"
    for start, end, price in _joined(found["prices"]):
        firm = "" if price["quality"] == "published" else f"  {price['quality']}"
        amount = f"{float(price['per_kwh']):9.5f}"
        yield f"  {_at(start, zone)} to {_at(end, zone)}  {amount}  {price['source_id']}{firm}"
    if not found["prices"]:
        yield "  no price is known: the site's own tariff holds"


def answer_lines(found: Json, zone: tzinfo) -> Iterator[str]:
    """The expected load of the portfolio, and what each site's rests on."""
    yield f"{found['answering']} of {found['following']} sites answer the prices they were sent"
    for one in found["expected"]:
        yield f"  {_at(one['start'], zone)}  {one['power_w'] / _WH_IN_KWH:10.1f} kW"
    for one in found["sites"]:
        line = f"{one['site_id']}: by {one['basis']}"
        if one["cost"] is not None:
            energy = one["energy_wh"] / _WH_IN_KWH
            line += f", {energy:.0f} kWh for {one['cost']:.2f} {one['currency']}"
            line += f" ({one['even_cost']:.2f} if drawn evenly)"
        yield line


def _joined(prices: Sequence[Json]) -> Iterator[tuple[str, str, Json]]:
    """(start, end, first) of prices that follow each other unchanged."""
    same = ("per_kwh", "source_id", "quality")
    run: list[Json] = []
    for one in prices:
        if run and (one["start"] != run[-1]["end"] or any(one[k] != run[-1][k] for k in same)):
            yield run[0]["start"], run[-1]["end"], run[0]
            run = []
        run.append(one)
    if run:
        yield run[0]["start"], run[-1]["end"], run[0]


def _at(text: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M}"
