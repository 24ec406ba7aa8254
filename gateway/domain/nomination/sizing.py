"""What a program's rules make of a quantity: its steps, its least, its most, and its price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.program import Program
from gateway.domain.words import kw

TRIFLE_W = 1.0
"""Less than this is nothing."""
_SLACK = 1e-9
"""Of a step: so that 30 kW made of thirds are still 30 kW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """None: the rules do not say."""

    step_w: float | None = None
    least_w: float | None = None
    most_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """One step of a price curve: bids of up to so much carry this price."""

    up_to_w: float | None
    """None: whatever is bid."""
    per_kwh: float


def sizes(program: Program, rule: NominationRule) -> Sizes:
    """The strictest of what nomination and enrolment rules say."""
    rules = program.rules.enrolment
    steps = [rule.step_w] if rule.step_w is not None else [one.step_w for one in rules]
    return Sizes(
        step_w=max((one for one in steps if one), default=None),
        least_w=max((w for one in rules if (w := one.aggregate_min_w) is not None), default=None),
        most_w=min((w for one in rules if (w := one.aggregate_max_w) is not None), default=None),
    )


def sized(raw_w: float, rules: Sizes) -> tuple[float, tuple[str, ...]]:
    """The quantity that may be promised of what there is, W, with what bound it.

    It is rounded down, never up; 0 when it is below the least.
    """
    power_w, words = raw_w, []
    if rules.most_w is not None and power_w > rules.most_w:
        power_w = rules.most_w
        words.append(f"no more than {kw(power_w)} by the program's rules")
    if rules.step_w is not None:
        whole_w = floor(power_w / rules.step_w + _SLACK) * rules.step_w
        if whole_w < power_w:
            words.append(f"rounded down from {kw(power_w)} to whole steps of {kw(rules.step_w)}")
        power_w = min(whole_w, raw_w)
    if power_w < TRIFLE_W:
        return 0.0, (*words, "nothing is left to promise")
    if rules.least_w is not None and power_w < rules.least_w:
        return 0.0, (*words, f"{kw(power_w)} is less than the program's least, {kw(rules.least_w)}")
    return power_w, tuple(words)


def priced(
    power_w: float, rule: NominationRule, curve: Sequence[PriceStep]
) -> tuple[float | None, str]:
    """Price of a bid, currency per kWh, with its words; None: price taker, or none is set."""
    if not rule.own_price:
        return None, ""
    fitting = [one for one in curve if one.up_to_w is None or power_w <= one.up_to_w]
    chosen = fitting[0] if fitting else (curve[-1] if curve else None)
    if chosen is None:
        return None, "the program takes a price of ours, and the settings name none"
    if rule.price_cap is not None and chosen.per_kwh > rule.price_cap:
        return rule.price_cap, (
            f"{chosen.per_kwh:g} per kWh by the settings, {rule.price_cap:g} by the program's cap"
        )
    return chosen.per_kwh, f"{chosen.per_kwh:g} per kWh by the settings"
