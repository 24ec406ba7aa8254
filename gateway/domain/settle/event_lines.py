"""An event's lines on a statement: its report's, priced and credited by what is known now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.domain.program import Program
from gateway.domain.program.paying import Excess, Penalty, Rate
from gateway.domain.program.wall import local_day
from gateway.domain.settle.credit import Claimed, credit
from gateway.domain.settle.determinant import Determinant, What, of_event
from gateway.domain.settle.energy import Prices, energy_pay, lines_for
from gateway.domain.settle.event_account import EventAccount
from gateway.domain.settle.line import Kind, Line, statement, unpriced
from gateway.domain.settle.parts import weights_kwh
from gateway.domain.settle.penalty import score_lines, shortfall_lines

NOT_KNOWN = "not known: "
_PRICE_OF_SHORTFALL = "the price it is a multiple of"
_IN_THE_TARIFF = ("rate: see the tariff", "the heat rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """A line, by what sites share in it, and what it hangs on beside the event's report."""

    line: Line
    weights: Mapping[str, Decimal]
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An event to be settled."""

    report: ParticipationReport
    program: Program
    """In force when the event began."""
    told: Sequence[Determinant] = ()
    others: Sequence[Claimed] = field(default=())
    """Events of other programs at the same time and sites."""


def event_lines(one: Settled) -> tuple[EventLine, ...]:
    """The event's lines in order.

    A report without an account (from before it was kept) says what it said.
    """
    report = one.report
    if report.account is None:
        lines = [_as_reported(report, line) for line in report.lines]
        return tuple(lines)
    found = list(_energy(one, report.account))
    found += _score(one, report.account)
    found += _penalties(one, report.account)
    order = statement(each.line for each in found).lines
    return tuple(sorted(found, key=lambda each: order.index(each.line)))


def awaited(line: Line) -> str | None:
    """What of outside keeps a line from an amount, in words; None: nothing that can be told."""
    if line.problem == _PRICE_OF_SHORTFALL:
        return line.problem
    missing = line.problem.removeprefix(NOT_KNOWN)
    told = line.problem.startswith(NOT_KNOWN) and missing not in _IN_THE_TARIFF
    return missing if told else None


def _as_reported(report: ParticipationReport, line: Line) -> EventLine:
    return EventLine(line=line, weights=weights_kwh(report, line))


def _energy(one: Settled, account: EventAccount) -> Iterator[EventLine]:
    pay = energy_pay(one.program.rules.energy_pay, account.basis)
    if pay is None or not any(line.kind is Kind.ENERGY for line in one.report.lines):
        return
    key = one.report.header.event_key
    found = credit(Claimed(program=one.program, event_key=key, account=account), one.others)
    prices, names, notes = _prices(one)
    inputs = (*names, *(f"claim of {other.event_key}" for other in one.others))
    for line in lines_for(one.program, key, found.paid, pay, prices, (*found.words, *notes)):
        weights = found.by_site_kwh if one.others else weights_kwh(one.report, line)
        yield EventLine(line=line, weights=weights, inputs=inputs)


def _score(one: Settled, account: EventAccount) -> Iterator[EventLine]:
    rules = [rule for rule in one.program.rules.penalties if rule.excess is Excess.SCORE]
    rows = account.rows(one.program)
    if not rules or not rows or account.voluntary:
        return
    key, told = one.report.header.event_key, _told(one, What.SYSTEM_RATIO)
    lines = (
        tuple(_unscored(rule, key) for rule in rules)
        if told is None or told.value is None
        else score_lines(one.program, key, rows, told.value)
    )
    for line in lines:
        names = () if told is None else (told.name,)
        yield EventLine(line=line, weights=weights_kwh(one.report, line), inputs=names)


def _unscored(rule: Penalty, key: str) -> Line:
    missing = f"{NOT_KNOWN}the system's ratio of {key}"
    return unpriced(
        Kind.SCORE, key, Decimal(0), "kWh", missing, rule=rule.words, source=rule.source
    )


def _penalties(one: Settled, account: EventAccount) -> Iterator[EventLine]:
    """As reported; one that is a multiple of a price, by the price that was told."""
    told = _told(one, What.SHORTFALL_PRICE)
    for line in one.report.lines:
        if line.kind is Kind.ENERGY:
            continue
        if line.problem == _PRICE_OF_SHORTFALL and told is not None and told.value is not None:
            price = Rate(amount=told.value, unit="kWh", currency=told.currency, example=False)
            priced = shortfall_lines(one.program, line.subject, account.rows(one.program), price)
            again = next((each for each in priced if each.rule == line.rule), line)
            weights = weights_kwh(one.report, again)
            yield EventLine(line=again, weights=weights, inputs=(told.name,))
        else:
            yield _as_reported(one.report, line)


def _prices(one: Settled) -> tuple[Prices, tuple[str, ...], tuple[str, ...]]:
    """Prices told for the event, its month or always; their names; what is to be said of them."""
    asked = (What.MARKET_PRICE, What.INDEX, What.BID, What.STRIKE)
    found = {what: told for what in asked if (told := _told(one, what)) is not None}
    currencies = {
        told.prices.currency if told.prices is not None else told.currency
        for told in found.values()
    }
    if len(currencies) > 1:
        note = f"prices were told in {' and '.join(sorted(currencies))}: none is used"
        return Prices(), tuple(told.name for told in found.values()), (note,)
    value = {what: told.value for what, told in found.items()}
    prices = Prices(
        currency=currencies.pop() if currencies else "USD",
        market=_market(found.get(What.MARKET_PRICE), one.report.header.window),
        index_per_mmbtu=value.get(What.INDEX),
        bid=value.get(What.BID),
        strike=value.get(What.STRIKE),
    )
    return prices, tuple(told.name for told in found.values()), ()


def _market(told: Determinant | None, window: Interval) -> PriceTimeline | None:
    """Prices step by step, or one over the whole event."""
    if told is None or told.value is None:
        return None if told is None else told.prices
    step = PriceStep(interval=window, per_kwh=told.value, source_id=told.source, as_of=told.told_at)
    return PriceTimeline.of(told.source, told.currency, [step])


def _told(one: Settled, what: What) -> Determinant | None:
    day: date = local_day(one.report.header.window.start, one.program.zone)
    return of_event(one.told, what, one.report.header.event_key, day)
