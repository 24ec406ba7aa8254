"""Statements as people read them at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The statement for people."""
    status = "FINAL" if found["final"] else "PRELIMINARY"
    label = ", SIMULATED" if found["simulated"] else ""
    made = ", ".join(found["made_of"]) or f"version {found['version']}, {status}"
    yield f"{found['name']}, {found['period']}: {made}{label}"
    yield from _summary(found.get("summary"))
    for one in found["lines"]:
        line = one["line"]
        amount = f"{line['amount']} {line['currency']}" if line["amount"] is not None else "n/a"
        yield f"  {line['kind']}, {line['subject']}: {amount}  ({one['program']})"
        yield f"    {line['quantity']} {line['unit']}; {'; '.join(_why(line))}"
    for who, sums in _parts(found).items():
        yield f"  part of {who}: {', '.join(f'{value} {unit}' for unit, value in sums.items())}"
    for change in found["changes"]:
        because = "; ".join(change["because"]) or "no input"
        yield f"  changed: {change['what']}: {change['before'] or 'none'}, now " + (
            f"{change['after'] or 'none'} ({because})"
        )
    if found["waits_for"]:
        yield f"  becomes final with: {'; '.join(found['waits_for'])}"
    totals = _totals(found)
    yield f"  total: {', '.join(f'{value} {unit}' for unit, value in totals.items()) or 'n/a'}"


def _summary(one: dict[str, Any] | None) -> Iterator[str]:
    if one is None:
        return
    hours = [] if one["hours"] is None else [f"{one['hours']} h"]
    energy = [] if one["reduced_kwh"] is None else [f"{one['reduced_kwh']} kWh"]
    pct = one["performance_pct"]
    mean = [] if pct is None else [f"mean performance {Decimal(pct):.0f} %"]
    events = f"events: {one['events']}"
    yield f"  {', '.join([events, *hours, *energy, *mean])}"


def _why(line: dict[str, Any]) -> list[str]:
    missing = [f"no amount: {line['problem']}"] if line["problem"] else []
    return [line["rule"], *line["inputs"], *missing]


def _totals(found: dict[str, Any]) -> dict[str, Any]:
    sums: dict[str, Decimal] = {}
    for one in found["lines"]:
        line = one["line"]
        if line["amount"] is not None:
            unit = line["currency"]
            sums[unit] = sums.get(unit, Decimal(0)) + Decimal(line["amount"])
    return sums


def _parts(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    sums: dict[str, dict[str, Decimal]] = {}
    for one in found["lines"]:
        parts = {site: part["amount"] for site, part in one["sites"].items()}
        for who, amount in ({"aggregator": one["aggregator"]} | parts).items():
            if amount is not None:
                unit = one["line"]["currency"]
                mine = sums.setdefault(who, {})
                mine[unit] = mine.get(unit, Decimal(0)) + Decimal(amount)
    return sums
