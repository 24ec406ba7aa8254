"""A baseline method in words with its parameters, for reports."""

from __future__ import annotations

from gateway.domain.program.method import (
    Adjustment,
    Anchor,
    BaselineKind,
    BaselineMethod,
    DayType,
    Fallback,
    Rank,
)
from gateway.domain.words import kw, pct, span

_FALLBACKS = {
    Fallback.FEWER_DAYS: "; else fewer, at least {}",
    Fallback.ANY_DAY_TYPE: "; else days of any type, at least {}",
}
_DAYS = {
    DayType.ANY: "any day",
    DayType.SAME: "days of the same type",
    DayType.BUSINESS: "business days",
    DayType.SAME_WEEKDAY: "the same day of the week",
}


def describe(method: BaselineMethod) -> str:
    """The rule in words with its parameters, for reports."""
    said = f"{method.name}: {_rule(method)}"
    if method.kind in (BaselineKind.X_OF_Y, BaselineKind.MATCH_DAY, BaselineKind.CONTROL_GROUP):
        said += f"; {_adjustment(method)}"
    return said


def _rule(method: BaselineMethod) -> str:
    if method.reads_days:
        return _of_days(method)
    level = "no level is given" if method.level_w is None else kw(method.level_w)
    hours = f"mean load of the event's own day over {_hours(method)}"
    rules = {
        BaselineKind.SAME_DAY: hours,
        BaselineKind.BEFORE_EVENT: hours,
        BaselineKind.CONTROL_GROUP: (
            f"mean load of at least {max(1, method.min_days)} sites that took no part"
        ),
        BaselineKind.DEVICE: "the device's own meter, at rest without the event",
        BaselineKind.FIRM_LEVEL: f"a level that is agreed ({level})",
        BaselineKind.FLAT: f"a level that is agreed ({level})",
        BaselineKind.ASSIGNED: "the operator assigns one to each resource",
    }
    return rules.get(method.kind, "no baseline")


def _of_days(method: BaselineMethod) -> str:
    days = _DAYS[method.day_type]
    if method.excludes_holidays:
        days += ", no holidays"
    rule = f"{_pick(method)} of the last {method.y_days} eligible days ({days}, "
    rule += f"look-back {method.look_back.days} days, data for {pct(method.min_coverage)})"
    if method.excluded_programs:
        rule += f"; without event days of {', '.join(method.excluded_programs)}"
    return rule + "".join(_FALLBACKS[one].format(method.min_days) for one in method.fallbacks)


def _pick(method: BaselineMethod) -> str:
    kind = "weighted mean" if method.weights else "mean"
    if method.kind is BaselineKind.MATCH_DAY:
        return f"{kind} of the {method.x_days} most alike outside of the event's hours"
    if method.x_days >= method.y_days:
        return kind
    return f"{kind} of the {method.x_days} {_RANKS[method.rank]}"


_RANKS = {
    Rank.HIGHEST: "highest",
    Rank.LOWEST: "lowest",
    Rank.MIDDLE: "in the middle",
    Rank.NEWEST: "newest",
}


def _adjustment(method: BaselineMethod) -> str:
    if method.adjustment is Adjustment.NONE:
        return "no same-day adjustment"
    low, high = method.adjust_low, method.adjust_high
    return f"{method.adjustment.value} adjustment over {_hours(method)}, {_bounds(low, high)}"


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        parts = [f"not below {low:g}"] if low is not None else []
        parts += [f"not above {high:g}"] if high is not None else []
        return " and ".join(parts) or "not bounded"
    return f"bounded {low:g} to {high:g}"


def _hours(method: BaselineMethod) -> str:
    point = "event" if method.anchor is Anchor.START else "notification"
    parts = []
    if method.adjust_from > method.adjust_until:
        until = span(method.adjust_until) if method.adjust_until else "0 h"
        parts.append(f"{span(method.adjust_from)} to {until} before the {point}")
    if method.after_until > method.after_from:
        begins = span(method.after_from) if method.after_from else "0 h"
        parts.append(f"{begins} to {span(method.after_until)} after it")
    return " and ".join(parts) or "no hours"
