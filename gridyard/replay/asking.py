"""Replays over a gateway's API, and their differences in lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from contracts.errors import ConfigError
from gridyard.at_gateway.asking import told

Json = dict[str, Any]
_KILO = 1000.0
_ON_A_LINE = 60
"""Characters of both values; longer ones have lines of their own."""
_SHOWN_AS = {"W": "kW", "Wh": "kWh"}


def replayed(url: str, event: str, otherwise: Mapping[str, object]) -> Json:
    """A past event by other rules.

    Raises:
        GridyardError: no gateway answers, it has no such event, or the rules do not exist.
    """
    found: Json = asyncio.run(told(url, f"events/{quote(event, safe='/')}/replays", otherwise))
    return found


def replayed_day(url: str, day: Mapping[str, object]) -> Json:
    """Hours without an event; see `replayed`."""
    found: Json = asyncio.run(told(url, "replays", day))
    return found


def otherwise(
    *,
    baseline: str,
    program: str,
    sites: list[str],
    device_classes: list[str],
    energy_price: str,
    loads: str = "",
    known_at: str = "",
) -> dict[str, object]:
    """What is to be otherwise, as the API takes it.

    Raises:
        ConfigError: nothing is, or the price is none.
    """
    given: dict[str, object] = {
        "baseline": baseline,
        "program_id": program,
        "sites": sites,
        "device_classes": device_classes,
        "energy_rate": _rate(energy_price) if energy_price else None,
        "loads": loads,
        "known_at": known_at,
    }
    chosen = {name: value for name, value in given.items() if value}
    if not chosen:
        raise ConfigError(
            "say what is to be otherwise: --baseline, --program, --site, --device-class, "
            "--energy-price, --loads or --known-at"
        )
    return chosen


def _rate(text: str) -> dict[str, str]:
    amount, _, currency = text.partition(" ")
    try:
        Decimal(amount)
    except InvalidOperation as error:
        raise ConfigError(f"--energy-price {text!r}: write it as '0.25 EUR', of a kWh") from error
    if not currency.strip():
        raise ConfigError(f"--energy-price {text!r}: name the currency, as in '0.25 EUR'")
    return {"amount": amount, "currency": currency.strip().upper()}


def lines(found: Json) -> Iterator[str]:
    """First both outcomes, then what differs."""
    for name in ("before", "after"):
        one = found[name]
        performance = _pct(one["performance_pct"])
        delivered = _value(one["delivered_mean_w"], "W")
        yield f"{name}: {one['method']}"
        yield f"  {delivered} on average, performance {performance}, {one['sites']} sites"
    changes = found["changes"]
    if not changes:
        yield "nothing differs"
        return
    width = max(len(_what(one)) for one in changes)
    yield "differs:"
    for one in changes:
        unit = one["unit"]
        by = one["by"]
        step = f" ({_value(by, unit, sign=True)})" if by is not None else ""
        before, after = _value(one["before"], unit), _value(one["after"], unit)
        if len(before) + len(after) <= _ON_A_LINE:
            yield f"  {_what(one):<{width}}  {before} -> {after}{step}"
        else:
            yield from (f"  {_what(one)}", f"    was       {before}", f"    would be  {after}")


def _what(one: Mapping[str, str]) -> str:
    return one["what"] if one["where"] == "portfolio" else f"{one['where']}: {one['what']}"


def _pct(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} %"


def _value(value: float | str | None, unit: str, *, sign: bool = False) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return " ".join(filter(None, (value or "nothing", unit)))
    plus = "+" if sign else ""
    if unit in _SHOWN_AS:
        return f"{value / _KILO:{plus}.2f} {_SHOWN_AS[unit]}"
    return f"{value:{plus}.3g} {unit}".strip()
