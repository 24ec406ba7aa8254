"""A statement: what a program owes for a month or season, line by line, and whose part is how much.

A statement is made from reports, commitments, rules and contracts, which it names; it is never
changed. Made again from other inputs it is another version, which says what changed and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from gateway.domain.settle.line import Line, Statement
from gateway.domain.settle.summary import Summary

NO_CONTRACT = "nothing is agreed on how this site shares in the program's money"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something a statement was made from."""

    name: str
    """`report of u/e`, `commitment 2026-10`, `rules 2026-10`, `contracts`."""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePart:
    """A site's part of a line."""

    weight: Decimal
    """What it is shared by, in the line's unit: kW held ready, kWh delivered or missed."""
    amount: Decimal | None
    """None: not known, as `problem` says."""
    terms: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One line with its parts, which sum to it."""

    program: str
    line: Line
    inputs: tuple[str, ...]
    """Names of the inputs it hangs on."""
    aggregator: Decimal | None = None
    sites: Mapping[str, SitePart] = field(default_factory=dict)
    month: str = ""
    """To which it falls, `2026-07`; empty: to a season or year."""
    event_key: str = ""
    """The event it is of, if it is of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure that is another than in the version before, and from what."""

    what: str
    before: str
    after: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodStatement:
    """One version of a program's statement, or what of the newest is one site's."""

    subject: str
    """Id of the program or the site."""
    name: str
    period: str
    first: date
    last: date
    time_zone: str
    version: int
    """Of a program; of a site 0: see `made_of`."""
    final: bool
    """False: PRELIMINARY, because of what `waits_for` says."""
    created_at: datetime
    simulated: bool
    lines: tuple[AccountLine, ...]
    inputs: tuple[Input, ...] = ()
    waits_for: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    made_of: tuple[str, ...] = ()
    """Of a site: the versions of the programs' statements."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of the sites, by id."""
    summary: Summary | None = None
    """The period in a few numbers; None: a version of before they were kept."""

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """The sum of the lines' amounts, by currency."""
        return Statement(lines=tuple(one.line for one in self.lines)).totals

    def part_totals(self) -> dict[str, dict[str, Decimal]]:
        """By site ("" is the aggregator), what is theirs by currency."""
        return part_totals(self.lines)

    def same_as(self, other: PeriodStatement) -> bool:
        """Whether nothing but the version and the time of making differs."""
        return (self.lines, self.inputs, self.final, self.waits_for) == (
            other.lines,
            other.inputs,
            other.final,
            other.waits_for,
        )


def part_totals(lines: Iterable[AccountLine]) -> dict[str, dict[str, Decimal]]:
    """By site ("" is the aggregator), what of these lines is theirs by currency."""
    found: dict[str, dict[str, Decimal]] = {}
    for one in lines:
        parts = {"": one.aggregator} | {site: part.amount for site, part in one.sites.items()}
        for who, amount in parts.items():
            if amount is not None:
                sums = found.setdefault(who, {})
                currency = one.line.currency
                sums[currency] = sums.get(currency, Decimal(0)) + amount
    return found


def changes(old: PeriodStatement, new: PeriodStatement) -> tuple[Change, ...]:
    """Every figure of `new` that is not the one of `old`, with the inputs that differ."""
    before, after = _by_key(old.lines), _by_key(new.lines)
    differing = _differing(old.inputs, new.inputs)
    found: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        names = {name for one in (was, now) if one is not None for name in one.inputs}
        because = tuple(words for name, words in differing.items() if name in names)
        for what, left, right in _figures(was, now):
            if left != right:
                label = f"{key[0]}, {key[1]}: {what}" if key[1] else f"{key[0]}: {what}"
                found.append(Change(what=label, before=left, after=right, because=because))
    return tuple(found)


def _by_key(lines: Iterable[AccountLine]) -> dict[tuple[str, str, str, int], AccountLine]:
    found: dict[tuple[str, str, str, int], AccountLine] = {}
    for one in lines:
        key = (one.line.kind.value, one.line.subject, one.program + one.line.rule)
        number = sum(known[:3] == key for known in found)
        found[(*key, number)] = one
    return found


def _figures(was: AccountLine | None, now: AccountLine | None) -> Iterable[tuple[str, str, str]]:
    yield "quantity", _quantity(was), _quantity(now)
    yield "price", _price(was), _price(now)
    yield "amount", _amount(was), _amount(now)
    sites = [one.sites if one is not None else {} for one in (was, now)]
    for site in sorted(sites[0].keys() | sites[1].keys()):
        left, right = (_part(one, site) for one in (was, now))
        yield f"part of {site}", left, right


def _quantity(one: AccountLine | None) -> str:
    return "" if one is None else f"{one.line.quantity} {one.line.unit}".strip()


def _price(one: AccountLine | None) -> str:
    if one is None or one.line.price is None:
        return ""
    return f"{one.line.price} {one.line.currency}/{one.line.unit}"


def _amount(one: AccountLine | None) -> str:
    if one is None:
        return ""
    line = one.line
    return f"none: {line.problem}" if line.amount is None else f"{line.amount} {line.currency}"


def _part(one: AccountLine | None, site: str) -> str:
    part = one.sites.get(site) if one is not None else None
    if one is None or part is None:
        return ""
    return f"none: {part.problem}" if part.amount is None else f"{part.amount} {one.line.currency}"


def _differing(old: Iterable[Input], new: Iterable[Input]) -> dict[str, str]:
    """By name, in words, the inputs that are not what they were."""
    left, right = ({one.name: one.value for one in every} for every in (old, new))
    return {
        name: f"{name}: {left.get(name, 'absent')}, now {right.get(name, 'absent')}"
        for name in sorted(left.keys() | right.keys())
        if left.get(name) != right.get(name)
    }
