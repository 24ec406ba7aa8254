"""What is wrong, or surprising, about a set of rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from site_agent.domain.rules.region import covers, impossible, overlap
from site_agent.domain.rules.rule import Rule, StorageDo, Then, When

_CONTRARY = {StorageDo.CHARGE, StorageDo.DISCHARGE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the site has that rules may speak of."""

    vehicles: frozenset[str] | None = None
    """None: not known here."""
    batteries: bool = True
    tariff: bool = True
    contract_limit_w: float | None = None


def findings(rules: Sequence[Rule], ground: Ground | None = None) -> tuple[Finding, ...]:
    """Everything worth a warning: rules that never hold or never count, and conflicts."""
    ground = ground or Ground()
    return (
        *_names(rules),
        *(found for rule in rules for found in _alone(rule, ground)),
        *_shadowed(rules),
        *_conflicts(rules),
    )


def _names(rules: Sequence[Rule]) -> Iterator[Finding]:
    for name, count in Counter(rule.name for rule in rules).items():
        if count > 1:
            yield Finding(rule=name, words=f"{count} rules have this name")


def _alone(rule: Rule, ground: Ground) -> Iterator[Finding]:
    why = impossible(rule.when)
    if why:
        yield Finding(rule=rule.name, words=f"never holds: {why}")
    for words in _groundless(rule.when, rule.then, ground):
        yield Finding(rule=rule.name, words=words)


def _groundless(when: When, then: Then, ground: Ground) -> Iterator[str]:
    prices = (when.price, when.price_above, when.price_below)
    if not ground.tariff and any(one is not None for one in prices):
        yield "never holds: the site has no tariff, so it knows no price"
    charge = (when.soc_above_pct, when.soc_below_pct)
    if not ground.batteries and any(one is not None for one in charge):
        yield "never holds: the site has no battery"
    elif not ground.batteries and then.battery is not None:
        yield "asks something of a battery, which there is none of"
    if ground.vehicles is not None and when.vehicles - ground.vehicles:
        missing = ", ".join(sorted(when.vehicles - ground.vehicles))
        yield f"names vehicles that are not of the fleet: {missing}"
    if when.vehicles | when.ranks and then.vehicles is None:
        yield "names vehicles but asks nothing of them"
    contract_w = ground.contract_limit_w
    least_w = min(
        (one for one in (then.import_limit_w, then.import_below_w) if one is not None), default=None
    )
    if contract_w is not None and least_w is not None and least_w >= contract_w:
        yield f"never binds: the contract allows {contract_w:g} W anyway"


def _shadowed(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Rules of which nothing ever counts, because an earlier one always has its say first.

    Bounds on import and export always count: the tightest of all.
    """
    for place, rule in enumerate(rules):
        if _bounds(rule.then) or impossible(rule.when):
            continue
        above = [one for one in rules[:place] if covers(one.when, rule.when)]
        battery = next((one.name for one in above if one.then.battery), None)
        vehicles = next((one.name for one in above if one.then.vehicles), None)
        asks = [
            winner
            for wish, winner in ((rule.then.battery, battery), (rule.then.vehicles, vehicles))
            if wish is not None
        ]
        if asks and None not in asks:
            first = " and ".join(dict.fromkeys(repr(name) for name in asks))
            yield Finding(rule=rule.name, words=f"never counts: {first} always decides before it")


def _bounds(then: Then) -> bool:
    bounds = (then.import_below_w, then.import_limit_w, then.export_limit_w)
    return any(one is not None for one in bounds)


def _conflicts(rules: Sequence[Rule]) -> Iterator[Finding]:
    for first, second in combinations(rules, 2):
        one, other = first.when, second.when
        if covers(one, other) or covers(other, one) or not overlap(one, other):
            continue  # the one is an exception of the other, or they never meet
        what = " and ".join(_contrary(first, second))
        if what:
            words = f"may hold together with {first.name!r}, which decides: {what}"
            yield Finding(rule=second.name, words=words)


def _contrary(first: Rule, second: Rule) -> Iterator[str]:
    one, other = first.then, second.then
    does = {wish.do for wish in (one.battery, other.battery) if wish is not None}
    if does == _CONTRARY:
        yield "one charges the battery, the other discharges it"
    if one.vehicles is None or other.vehicles is None or _narrower(first.when, second.when):
        return
    most = {one.vehicles.most_w, other.vehicles.most_w}
    if None in most and len(most) > 1:
        yield "one lets vehicles charge, the other holds them back"


def _narrower(one: When, other: When) -> bool:
    """Whether `one` is about some vehicles of those that `other` is about: an exception of it."""
    chosen = bool(one.vehicles or one.ranks) or one.spare_above_h is not None
    return chosen and covers(_choice(other), _choice(one))


def _choice(when: When) -> When:
    """Only which vehicles it is about."""
    return When(vehicles=when.vehicles, ranks=when.ranks, spare_above_h=when.spare_above_h)
