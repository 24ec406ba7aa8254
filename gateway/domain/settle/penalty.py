"""What a broken promise costs: energy over a level, a shortfall, a score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO, blocks
from gateway.domain.measure.firm_level import Load, over_level
from gateway.domain.measure.rows import Row, kwh
from gateway.domain.program import Program
from gateway.domain.program.paying import Excess, Penalty, Rate
from gateway.domain.program.performing import Performance
from gateway.domain.settle.line import Kind, Line, per_kwh, priced, said, unpriced


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A site that is to stay at or below its firm service level, and what it drew."""

    site: str
    level_kw: Decimal | None
    """None: none is agreed."""
    loads: tuple[Load, ...]

    def over_kwh(self, rule: Penalty) -> Decimal:
        """Energy above the level; none without one."""
        if self.level_kw is None:
            return ZERO
        return kwh(over_level(self.loads, self.level_kw, rule.netting))


def over_level_lines(program: Program, event_key: str, sites: Sequence[Held]) -> tuple[Line, ...]:
    """What energy above the firm service levels costs: each site stands for itself.

    BIP type: operators' pages, undated; that one site's room makes up for no other's excess is our
    reading, as a level is agreed for an account.
    """
    return tuple(
        _over_level(one, event_key, sites)
        for one in program.rules.penalties
        if one.excess is Excess.OVER_LEVEL
    )


def shortfall_lines(
    program: Program, event_key: str, rows: Iterable[Row], price: Rate | None = None
) -> tuple[Line, ...]:
    """What promised and undelivered energy costs, block by block: more in one makes up for none.

    `price` is that of what was not delivered, for a penalty that is a multiple of it.
    """
    rules = program.rules
    rule = rules.performance[0] if rules.performance else Performance()
    parts = blocks(rows, rule)
    short = kwh(sum((max(ZERO, part.committed - part.delivered) for part in parts), ZERO))
    return tuple(
        _energy(one, event_key, short, ("less was delivered than promised",), price)
        for one in rules.penalties
        if one.excess is Excess.SHORTFALL
    )


def score_lines(
    program: Program, event_key: str, rows: Iterable[Row], system_ratio: Decimal
) -> tuple[Line, ...]:
    """(actual - ratio x obligation) at the rate: a credit, or a charge where it is negative.

    ISO-NE type: the system's ratio of the event, capped where the rule has a cap. A stop-loss over
    a month is the program's, not the event's.
    """
    rules = program.rules
    rule = rules.performance[0] if rules.performance else Performance()
    parts = blocks(rows, rule)
    actual = kwh(sum((part.delivered for part in parts), ZERO))
    owed = kwh(sum((part.committed for part in parts), ZERO))
    return tuple(
        _score(one, event_key, actual, owed, system_ratio)
        for one in rules.penalties
        if one.excess is Excess.SCORE
    )


def _over_level(rule: Penalty, event_key: str, sites: Sequence[Held]) -> Line:
    energy = sum((one.over_kwh(rule) for one in sites), ZERO)
    inputs = [
        f"{one.site}: {said(one.over_kwh(rule))} kWh over {said(one.level_kw)} kW"
        for one in sites
        if one.level_kw is not None
    ]
    gaps = {one.site: sum(load is None for _, load in one.loads) for one in sites}
    inputs += [f"{site}: {n} intervals were not measured" for site, n in gaps.items() if n]
    without = ", ".join(one.site for one in sites if one.level_kw is None)
    if without:
        problem = f"the firm service level of {without}: say firm_level_w in the enrolment"
        return unpriced(
            Kind.OVER_LEVEL,
            event_key,
            energy,
            "kWh",
            problem,
            rule=rule.words,
            inputs=inputs,
            source=rule.source,
        )
    return _energy(rule, event_key, energy, tuple(inputs), kind=Kind.OVER_LEVEL)


def _score(
    rule: Penalty, event_key: str, actual: Decimal, owed: Decimal, system_ratio: Decimal
) -> Line:
    ratio = system_ratio if rule.ratio_cap is None else min(system_ratio, rule.ratio_cap)
    score = actual - ratio * owed
    inputs = (f"{said(actual)} kWh delivered", f"{said(ratio)} x {said(owed)} kWh owed")
    if rule.rate is None:
        return _unpriced(Kind.SCORE, rule, event_key, score, inputs)
    return priced(
        Kind.SCORE,
        event_key,
        score,
        "kWh",
        rule.rate,
        amount=score * per_kwh(rule.rate),
        rule=rule.words,
        inputs=inputs,
        source=rule.source,
    )


def _energy(
    rule: Penalty,
    event_key: str,
    energy: Decimal,
    inputs: tuple[str, ...],
    price: Rate | None = None,
    kind: Kind = Kind.PENALTY,
) -> Line:
    rate, times = rule.rate, Decimal(1)
    if rule.factor is not None:
        rate, times = price, rule.factor
    if rate is None:
        return _unpriced(kind, rule, event_key, energy, inputs)
    return priced(
        kind,
        event_key,
        energy,
        "kWh",
        rate,
        amount=-energy * per_kwh(rate) * times,
        rule=rule.words,
        inputs=inputs,
        source=rule.source,
    )


def _unpriced(
    kind: Kind, rule: Penalty, event_key: str, energy: Decimal, inputs: tuple[str, ...]
) -> Line:
    missing = "rate: see the tariff" if rule.factor is None else "the price it is a multiple of"
    return unpriced(
        kind, event_key, energy, "kWh", missing, rule=rule.words, inputs=inputs, source=rule.source
    )
