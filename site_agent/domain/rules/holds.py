"""Whether a rule's conditions hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from site_agent.domain.rules.circumstances import Circumstances, Present
from site_agent.domain.rules.rule import When, Window

_SOC_BAND_PCT = 2.0
_POWER_BAND = 0.05
"""A rule that holds goes on until a value is so far back: batteries must not chatter."""


def holds(when: When, seen: Circumstances, *, held: bool = False) -> bool:
    """Whether all conditions on the site hold; `held`: the rule did a moment ago.

    Conditions on vehicles say which ones a rule is about (`about`), not whether it holds.
    """
    return not failing(when, seen, held=held)


def failing(when: When, seen: Circumstances, *, held: bool = False) -> str:
    """The first condition that does not hold, as a reason; empty when all do."""
    return next(_failing(when, seen, held=held), "")


def in_window(windows: tuple[Window, ...], days: frozenset[int], local: datetime) -> bool:
    """Whether a local instant lies in a window that began on one of these days."""
    if not windows:
        return local.weekday() in days
    return any(_inside(window, days, local) for window in windows)


def about(when: When, vehicle: Present, seen: Circumstances) -> bool:
    """Whether a rule's wish for vehicles is about this one."""
    need = vehicle.need
    if when.vehicles and (need is None or need.vehicle_id not in when.vehicles):
        return False
    if when.ranks and (need is None or need.rank not in when.ranks):
        return False
    if when.spare_above_h is None:
        return True
    if need is None:
        return False
    return need.laxity(seen.local) > timedelta(hours=when.spare_above_h)


def _inside(window: Window, days: frozenset[int], local: datetime) -> bool:
    clock, today = local.time(), local.weekday()
    if window.start < window.end:
        return window.start <= clock < window.end and today in days
    begun_today = clock >= window.start and today in days
    return begun_today or (clock < window.end and (today - 1) % 7 in days)


def _failing(when: When, seen: Circumstances, *, held: bool) -> Iterator[str]:
    if not in_window(when.windows, when.days, seen.local):
        yield "it is not the time"
    if when.months and seen.local.month not in when.months:
        yield "it is not the season"
    yield from _by_price(when, seen)
    band_pct = _SOC_BAND_PCT if held else 0.0
    yield from _not_below("the state of charge", seen.soc_pct, when.soc_below_pct, band_pct)
    yield from _not_above("the state of charge", seen.soc_pct, when.soc_above_pct, band_pct)
    for name, value, least, most in (
        ("the building's load", seen.building_w, when.building_above_w, when.building_below_w),
        ("the surplus", seen.surplus_w, when.surplus_above_w, None),
    ):
        yield from _not_above(name, value, least, _band(least, held=held))
        yield from _not_below(name, value, most, _band(most, held=held))
    if when.event is not None and when.event is not seen.event:
        yield "an event is in force" if seen.event else "no event is in force"
    if when.mode and seen.mode not in when.mode:
        yield f"the mode is {'not known' if seen.mode is None else seen.mode.value}"


def _by_price(when: When, seen: Circumstances) -> Iterator[str]:
    yield from _not_above("the price", seen.price.now, when.price_above, 0.0)
    yield from _not_below("the price", seen.price.now, when.price_below, 0.0)
    if when.price is not None and seen.price.level is not when.price:
        level = seen.price.level
        yield f"the price is {'not known' if level is None else level.value}"


def _band(threshold: float | None, *, held: bool) -> float:
    return abs(threshold or 0.0) * _POWER_BAND if held else 0.0


def _not_above(name: str, value: float | None, least: float | None, band: float) -> Iterator[str]:
    if least is not None and value is None:
        yield f"{name} is not known"
    elif least is not None and value is not None and value <= least - band:
        yield f"{name} is too low"


def _not_below(name: str, value: float | None, most: float | None, band: float) -> Iterator[str]:
    if most is not None and value is None:
        yield f"{name} is not known"
    elif most is not None and value is not None and value >= most + band:
        yield f"{name} is too high"
