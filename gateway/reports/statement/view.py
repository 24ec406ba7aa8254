"""A statement as rows of text: the one thing its page and its PDF show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from gateway.domain.settle.account import AccountLine, Change, Input, PeriodStatement
from gateway.domain.settle.line import said
from gateway.domain.settle.summary import Summary
from gateway.reports import words
from gateway.reports.view import SIMULATED, Fact

_ENERGY = 1000
"""Wh in a kWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line of money."""

    kind: str
    about: str
    """The event, month or season it is for."""
    event_key: str
    """Of an event whose report can be looked at; else empty."""
    program: str
    quantity: str
    price: str
    amount: str
    rule: str
    inputs: tuple[str, ...]
    source: str
    problem: str
    """What is missing where there is no amount."""

    @property
    def what(self) -> str:
        """Kind and subject."""
        return f"{self.kind}, {self.about}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLines:
    """The lines that fall to a month, or to a season or year."""

    name: str
    total: str
    lines: tuple[LineRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLine:
    """A party's part of the whole, and what it did for it."""

    who: str
    events: str
    energy: str
    performance: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """The whole statement as text."""

    title: str
    subject: str
    period: str
    labels: tuple[str, ...]
    simulated: bool
    status: str
    version: int
    made: str
    """Version and time of making."""
    created: str
    facts: tuple[Fact, ...]
    totals: tuple[str, ...]
    note: str
    figures: tuple[Fact, ...]
    """The period in a few numbers; empty: a version of before they were kept."""
    kinds: tuple[Fact, ...]
    """Money by kind of line."""
    months: tuple[MonthLines, ...]
    parts: tuple[SiteLine, ...]
    waits_for: tuple[str, ...]
    changes: tuple[Change, ...]
    inputs: tuple[Input, ...]


def statement_view(statement: PeriodStatement, zone: ZoneInfo | None = None) -> StatementView:
    """Turn the statement into what people read."""
    tz = zone or ZoneInfo(statement.time_zone)
    status = "FINAL" if statement.final else "PRELIMINARY"
    made = ", ".join(statement.made_of) or f"version {statement.version}"
    summary = statement.summary
    return StatementView(
        title=f"Statement {statement.period}: {statement.name}",
        subject=statement.name,
        period=statement.period,
        labels=(SIMULATED, status) if statement.simulated else (status,),
        simulated=statement.simulated,
        status=status,
        version=statement.version,
        made=made,
        created=words.moment(statement.created_at, tz),
        facts=(
            Fact(label="For", value=f"{statement.name} ({statement.subject})"),
            Fact(label="Period", value=f"{statement.first} to {statement.last}, both included"),
            Fact(label="Calendar", value=statement.time_zone),
            Fact(label="Made of", value=made),
        ),
        totals=_sums(statement.totals),
        note=_note(statement),
        figures=() if summary is None else _figures(summary),
        kinds=() if summary is None else _kinds(summary),
        months=_months(statement.lines),
        parts=_parts(statement),
        waits_for=statement.waits_for,
        changes=statement.changes,
        inputs=statement.inputs,
    )


def sums(found: Mapping[str, Decimal]) -> str:
    """Amounts by currency, one after the other; n/a where nothing is known."""
    return ", ".join(_sums(found)) or words.NA


def _sums(found: Mapping[str, Decimal]) -> tuple[str, ...]:
    return tuple(words.money(amount, currency) for currency, amount in sorted(found.items()))


def _note(statement: PeriodStatement) -> str:
    lines = [one.line for one in statement.lines]
    if not lines:
        return "Nothing is to be settled."
    missing = sum(line.amount is None for line in lines)
    said_of = [f"{missing} of {len(lines)} lines have no amount and are no part of the sum."]
    example = "Example rates: no tariff in force was read."
    return " ".join(said_of * bool(missing) + [example] * any(line.example for line in lines))


def _figures(one: Summary) -> tuple[Fact, ...]:
    tests = f", {one.tests} of them tests" if one.tests else ""
    hours = () if one.hours is None else (Fact(label="Hours", value=f"{said(one.hours)} h"),)
    return (
        Fact(label="Events", value=f"{one.events}{tests}"),
        *hours,
        Fact(label="Energy", value=_energy(one.reduced_kwh)),
        Fact(label="Mean performance", value=_percent(one.performance_pct)),
    )


def _kinds(one: Summary) -> tuple[Fact, ...]:
    return tuple(
        Fact(label=kind.capitalize(), value=sums(money)) for kind, money in one.by_kind.items()
    )


def _energy(kwh: Decimal | None) -> str:
    return words.energy(None if kwh is None else float(kwh) * _ENERGY)


def _percent(value: Decimal | None) -> str:
    return words.percent(None if value is None else float(value))


def _parts(statement: PeriodStatement) -> tuple[SiteLine, ...]:
    """The aggregator first, then every site that took part or gets something."""
    money = statement.part_totals()
    known = {} if statement.summary is None else statement.summary.sites
    sites = sorted((known.keys() | money.keys()) - {""})
    found = [_part("Aggregator", sums(money[""]))] if "" in money else []
    for site in sites:
        one = known.get(site)
        found.append(
            _part(statement.names.get(site, site), sums(money.get(site, {})))
            if one is None
            else SiteLine(
                who=statement.names.get(site, site),
                events=f"{one.events}",
                energy=_energy(one.reduced_kwh),
                performance=_percent(one.performance_pct),
                amount=sums(money.get(site, {})),
            )
        )
    return tuple(found)


def _part(who: str, amount: str) -> SiteLine:
    return SiteLine(who=who, events="", energy="", performance="", amount=amount)


def _months(lines: Iterable[AccountLine]) -> tuple[MonthLines, ...]:
    """By month, those of a season or year at the end."""
    ordered = sorted(lines, key=lambda one: one.month or "~")
    return tuple(
        _month(name, list(group)) for name, group in groupby(ordered, key=lambda one: one.month)
    )


def _month(name: str, lines: Sequence[AccountLine]) -> MonthLines:
    found: dict[str, Decimal] = {}
    for one in lines:
        if one.line.amount is not None:
            currency = one.line.currency
            found[currency] = found.get(currency, Decimal(0)) + one.line.amount
    title = f"{date.fromisoformat(f'{name}-01'):%B %Y}" if name else "Season and year"
    return MonthLines(name=title, total=sums(found), lines=tuple(_row(one) for one in lines))


def _row(one: AccountLine) -> LineRow:
    line = one.line
    unit = f"{line.currency}/{line.unit}" + ", example rate" * line.example
    return LineRow(
        kind=line.kind.value.capitalize(),
        about=line.subject,
        event_key=one.event_key,
        program=one.program,
        quantity=f"{said(line.quantity)} {line.unit}".strip(),
        price=words.NA if line.price is None else f"{said(line.price)} {unit}",
        amount=words.NA if line.amount is None else words.money(line.amount, line.currency),
        rule=line.rule,
        inputs=line.inputs,
        source=line.source,
        problem=line.problem,
    )
