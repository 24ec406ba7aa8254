"""Where losses end and earnings go back, over a month: stop-loss and claw-back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.factor import EventResult, factor_of
from gateway.domain.program import Program
from gateway.domain.program.paying import Penalty, Rate
from gateway.domain.program.performing import Performance
from gateway.domain.settle.line import Kind, Line, priced, said, unpriced


def stop_loss_lines(
    program: Program, month: str, lines: Iterable[Line], owed_kw: Decimal
) -> tuple[Line, ...]:
    """What of a month's losses by a rule is given back, as beyond its stop-loss.

    `lines` are those of the month, `owed_kw` the kW owed in it. A rule without an amount of a
    stop-loss limits nothing. ISO-NE type (T26): a monthly stop-loss; how much is the tariff's.
    """
    given = list(lines)
    found: list[Line] = []
    for rule in program.rules.penalties:
        if rule.stop_loss_rate is None:
            continue
        mine = [one for one in given if one.rule == rule.words and one.amount is not None]
        lost = -sum((one.amount or ZERO for one in mine), ZERO)
        most = _most(rule.stop_loss_rate, owed_kw)
        if lost > most:
            found.append(_given_back(rule, rule.stop_loss_rate, month, lost, most))
    return tuple(found)


def claw_back_lines(
    program: Program, month: str, paid: Sequence[Line], results: Iterable[EventResult]
) -> tuple[Line, ...]:
    """What is claimed back of a month's payment for capacity, as one of its events failed.

    An event has failed where its ratio counts as nothing, or is below the pass ratio; what a
    program claims back beyond that month is not known to us.
    """
    rules = [one for one in program.rules.penalties if one.claw_back]
    rule = program.rules.performance[0] if program.rules.performance else Performance()
    failed = [one.event_key for one in results if _failed(one, rule)]
    if not rules or not failed or not paid:
        return ()
    because = f"failed: {', '.join(failed)}"
    known = [one for one in paid if one.amount is not None]
    if len(known) < len(paid):
        problem = "what was paid is not known"
        return (
            unpriced(
                Kind.CLAW_BACK, month, ZERO, "", problem, rule=rules[0].words, inputs=(because,)
            ),
        )
    amount = sum((one.amount or ZERO for one in known), ZERO)
    if amount <= 0:
        return ()
    kw = sum((one.quantity for one in known), ZERO)
    rate = Rate(amount=amount, unit="month", currency=known[0].currency, example=known[0].example)
    return (
        priced(
            Kind.CLAW_BACK,
            month,
            kw,
            "kW",
            rate,
            amount=-amount,
            rule=rules[0].words,
            inputs=(because, f"{said(amount)} {rate.currency} was paid for {month}"),
            source=rules[0].source,
        ),
    )


def _failed(one: EventResult, rule: Performance) -> bool:
    if one.opted_out or one.ratio is None:
        return one.opted_out
    below = rule.pass_ratio is not None and one.ratio < rule.pass_ratio
    return below or factor_of(one.ratio, rule) == 0


def _most(rate: Rate, owed_kw: Decimal) -> Decimal:
    return rate.amount * owed_kw if rate.unit == "kW-month" else rate.amount


def _given_back(rule: Penalty, rate: Rate, month: str, lost: Decimal, most: Decimal) -> Line:
    return priced(
        Kind.STOP_LOSS,
        month,
        Decimal(1),
        "month",
        rate,
        amount=lost - most,
        rule=rule.words,
        inputs=(
            f"{said(lost)} {rate.currency} lost",
            f"at most {said(most)} {rate.currency} is lost in a month",
        ),
        source=rule.source,
    )
