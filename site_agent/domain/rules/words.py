"""A rule said back in one plain sentence, so that who wrote it sees what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import time

from site_agent.domain.rules.rule import (
    EVERY_DAY,
    WEEKEND,
    WORKDAYS,
    Rule,
    StorageDo,
    StorageWish,
    Then,
    When,
    Window,
)

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def sentence(rule: Rule) -> str:
    """Such as "between 16:00 and 21:00 on weekdays the battery gives up to 20 kW"."""
    conditions, wishes = list(_conditions(rule.when)), list(_wishes(rule.when, rule.then))
    return f"{', '.join([*conditions, ''])}{_and(wishes)}" if conditions else _and(wishes)


def _conditions(when: When) -> Iterator[str]:
    at = [one for one in (_windows(when.windows), _days(when.days), _months(when.months)) if one]
    if at:
        yield " ".join(at)
    states = list(_states(when))
    if states:
        yield f"while {_and(states)}"


def _states(when: When) -> Iterator[str]:
    for value, words in (
        (when.price_above, "the price is above {:g} per kWh"),
        (when.price_below, "the price is below {:g} per kWh"),
        (when.soc_below_pct, "the batteries hold less than {:g} %"),
        (when.soc_above_pct, "the batteries hold more than {:g} %"),
    ):
        if value is not None:
            yield words.format(value)
    if when.price is not None:
        yield f"the price is {when.price.value} for the day"
    for watts, words in (
        (when.building_above_w, "the building draws more than {}"),
        (when.building_below_w, "the building draws less than {}"),
        (when.surplus_above_w, "PV makes over {} more than the building draws"),
    ):
        if watts is not None:
            yield words.format(kw(watts))
    if when.event is not None:
        yield "an event is in force" if when.event else "no event is in force"
    if when.mode:
        yield f"the mode is {_or(sorted(mode.value for mode in when.mode))}"


def _wishes(when: When, then: Then) -> Iterator[str]:
    if then.battery is not None:
        yield f"the battery {_battery(then.battery)}"
    if then.vehicles is not None:
        yield f"{_who(when)} {_vehicles(then.vehicles.most_w, many=_many(when))}"
    if then.import_below_w is not None:
        late = " unless vehicles would be late"
        yield f"the site stays below {kw(then.import_below_w)}{late}"
    if then.import_limit_w is not None:
        yield f"the site never draws more than {kw(then.import_limit_w)}"
    if then.export_limit_w is not None:
        yield f"the site never feeds in more than {kw(then.export_limit_w)}"


def _battery(wish: StorageWish) -> str:
    most = "" if wish.power_w is None else f" up to {kw(wish.power_w)}"
    match wish.do:
        case StorageDo.HOLD:
            return "rests"
        case StorageDo.CHARGE:
            return f"charges with{most or ' all it can'}"
        case StorageDo.STORE:
            return f"charges from surplus PV only{most and ','}{most}"
        case StorageDo.DISCHARGE:
            return f"gives{most or ' what the site draws'}"


def _vehicles(most_w: float | None, *, many: bool) -> str:
    s, they = ("", "they stay") if many else ("s", "it stays")
    if most_w is None:
        return f"charge{s} now"
    if most_w == 0:
        return f"wait{s} as long as {they} on time"
    return f"charge{s} with at most {kw(most_w)}{' each' if many else ''}"


def _who(when: When) -> str:
    names = sorted(when.vehicles)
    ranks = [f"of rank {_or(str(rank) for rank in sorted(when.ranks))}"] if when.ranks else []
    spare = []
    if when.spare_above_h is not None:
        spare = [f"with more than {when.spare_above_h:g} h to spare"]
    who = ["vehicles" if _many(when) else "vehicle", *([_and(names)] if names else [])]
    return " ".join([*who, *ranks, *spare])


def _many(when: When) -> bool:
    return len(when.vehicles) != 1


def _windows(windows: tuple[Window, ...]) -> str:
    return _or(f"between {_clock(one.start)} and {_clock(one.end)}" for one in windows)


def _days(days: frozenset[int]) -> str:
    if days == EVERY_DAY:
        return ""
    if days in (WORKDAYS, WEEKEND):
        return "on weekdays" if days == WORKDAYS else "at weekends"
    return f"on {_and([_DAYS[day] for day in sorted(days)])}"


def _months(months: frozenset[int]) -> str:
    return f"in {_and([_MONTHS[month - 1] for month in sorted(months)])}" if months else ""


def kw(watts: float) -> str:
    """A power for people."""
    return f"{watts / 1000:g} kW"


def _clock(at: time) -> str:
    return at.strftime("%H:%M")


def _and(parts: Iterable[str]) -> str:
    return _joined(list(parts), "and")


def _or(parts: Iterable[str]) -> str:
    return _joined(list(parts), "or")


def _joined(parts: list[str], word: str) -> str:
    if len(parts) < 2:  # noqa: PLR2004 (nothing to join)
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
