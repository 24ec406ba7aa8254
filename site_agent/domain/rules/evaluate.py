"""What rules ask for at one instant, and how that goes together with a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.protect.envelope import Bound, Limit, Side
from site_agent.domain.rules.circumstances import Circumstances, Present
from site_agent.domain.rules.holds import about, failing, holds
from site_agent.domain.rules.rule import Rule, StorageDo, StorageWish

SOURCE = "the site's rules"
WAIT_RESERVE = timedelta(hours=1)
"""No rule makes a vehicle wait once all vehicles together have less spare time than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules say now."""

    guidance: Guidance = NO_GUIDANCE
    holding: tuple[str, ...] = ()
    """Names of the rules that hold, in order of priority."""
    limits: tuple[Limit, ...] = ()
    """Those of rules that hold; firm."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Of the other rules, by name: why each does not hold."""


def evaluate(
    rules: Sequence[Rule], seen: Circumstances, held: frozenset[str] = frozenset()
) -> Verdict:
    """What these rules ask for; `held`: the names of those that held a moment ago."""
    active = [rule for rule in rules if holds(rule.when, seen, held=rule.name in held)]
    names = {rule.name for rule in active}
    return Verdict(
        guidance=_guidance(active, seen),
        holding=tuple(rule.name for rule in active),
        limits=tuple(limit for rule in active for limit in _limits(rule)),
        others={
            rule.name: failing(rule.when, seen, held=rule.name in held)
            for rule in rules
            if rule.name not in names
        },
    )


def compose(plan: Guidance, rules: Guidance) -> Guidance:
    """A plan's wishes with the rules' above them: one by one, and the tighter demand target."""
    if rules == NO_GUIDANCE:
        return plan
    if plan == NO_GUIDANCE:
        return rules
    targets = [one for one in (rules.import_w, plan.import_w) if one is not None]
    return Guidance(
        source=f"{plan.source}, under {rules.source}",
        vehicles_w={**plan.vehicles_w, **rules.vehicles_w},
        storage_w=rules.storage_w or plan.storage_w,
        import_w=min(targets, key=lambda bound: bound.value, default=None),
    )


def _guidance(active: Sequence[Rule], seen: Circumstances) -> Guidance:
    storage = next(
        (_storage(rule, rule.then.battery, seen) for rule in active if rule.then.battery), None
    )
    targets = [
        Bound(value=rule.then.import_below_w, cause=_cause(rule))
        for rule in active
        if rule.then.import_below_w is not None
    ]
    vehicles = dict(_vehicles(active, seen))
    if storage is None and not targets and not vehicles:
        return NO_GUIDANCE
    return Guidance(
        source=SOURCE,
        vehicles_w=vehicles,
        storage_w=storage,
        import_w=min(targets, key=lambda bound: bound.value, default=None),
    )


def _storage(rule: Rule, wish: StorageWish, seen: Circumstances) -> Bound | None:
    """The wish in W, charging positive; None where what it hangs on is not known."""
    most_w = inf if wish.power_w is None else wish.power_w
    match wish.do:
        case StorageDo.HOLD:
            value = 0.0
        case StorageDo.CHARGE:
            value = min(most_w, seen.can_charge_w)
        case StorageDo.STORE if seen.drawn_w is not None:
            value = min(most_w, seen.can_charge_w, max(0.0, -seen.drawn_w))
        case StorageDo.DISCHARGE if seen.drawn_w is not None:
            value = -min(most_w, seen.can_discharge_w, max(0.0, seen.drawn_w)) + 0.0
        case _:
            return None
    return Bound(value=value, cause=_cause(rule))


def _vehicles(active: Sequence[Rule], seen: Circumstances) -> Iterator[tuple[str, Bound]]:
    """The first wish for each vehicle; "charge now" is a wish for its EVSE's rating."""
    for vehicle in seen.present:
        rule = _first_about(active, vehicle, seen)
        if rule is None or rule.then.vehicles is None:
            continue
        most_w = rule.then.vehicles.most_w
        if most_w is not None and _scarce(seen):
            continue
        value = vehicle.rated_w if most_w is None else most_w
        yield vehicle.evse_id, Bound(value=value, cause=_cause(rule))


def _first_about(active: Sequence[Rule], vehicle: Present, seen: Circumstances) -> Rule | None:
    return next(
        (rule for rule in active if rule.then.vehicles and about(rule.when, vehicle, seen)), None
    )


def _scarce(seen: Circumstances) -> bool:
    """Whether waiting would cost readiness: of all together, not only of each alone."""
    return seen.spare is None or seen.spare < WAIT_RESERVE


def _limits(rule: Rule) -> Iterator[Limit]:
    cause = _cause(rule)
    if rule.then.import_limit_w is not None:
        yield Limit(side=Side.IMPORT, bound=Bound(value=rule.then.import_limit_w, cause=cause))
    if rule.then.export_limit_w is not None:
        value = 0.0 - rule.then.export_limit_w
        yield Limit(side=Side.EXPORT, bound=Bound(value=value, cause=cause))


def _cause(rule: Rule) -> str:
    return f"the rule {rule.name!r}"
