"""What a broken promise costs: energy over a level, a shortfall, a score."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO, blocks
from gateway.domain.measure.firm_level import Load, over_level
from gateway.domain.measure.rows import Row, kwh
from gateway.domain.program import Program
from gateway.domain.program.paying import Excess, Penalty, Rate
from gateway.domain.program.performing import Performance
from gateway.domain.settle.line import Kind, Line, per_kwh, priced, said, unpriced


def over_level_lines(
    program: Program, event_key: str, loads: Iterable[Load], level_kw: Decimal
) -> tuple[Line, ...]:
    """What energy above the firm service level costs."""
    kept = list(loads)
    return tuple(
        _energy(
            one,
            event_key,
            kwh(over_level(kept, level_kw, one.netting)),
            (f"firm service level {said(level_kw)} kW",),
        )
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
) -> Line:
    rate, times = rule.rate, Decimal(1)
    if rule.factor is not None:
        rate, times = price, rule.factor
    if rate is None:
        return _unpriced(Kind.PENALTY, rule, event_key, energy, inputs)
    return priced(
        Kind.PENALTY,
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
