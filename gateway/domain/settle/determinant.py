"""Billing determinants that come from outside: what a statement needs and no meter of ours says.

The system's peak, a system ratio, prices and last season's factor are told after the fact by the
operator of the program. Each is kept with who told it, when, and from which source; a later word on
the same subject holds, and the earlier ones stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from gateway.domain.price.timeline import PriceTimeline
from gateway.domain.program import Program
from gateway.domain.program.wall import local_day
from gateway.domain.settle.line import said
from gateway.domain.settle.period import StatementPeriod, next_month, period_named

ALWAYS = "*"
PREFIX = "told: "
"""Of the names of inputs that are determinants."""
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"\d{4}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST = Decimal(1_000_000)
_LONGEST = 400
"""Characters of a source or a subject."""


class What(StrEnum):
    """What is told, of which subject and in which unit."""

    PEAK = "peak"
    """The start of the system's top interval of a month."""
    SYSTEM_RATIO = "system_ratio"
    """By which an obligation is scaled in the score of an event (ISO-NE: balancing ratio)."""
    MARKET_PRICE = "market_price"
    """Prices over an event, or one for a month or always; currency a kWh."""
    INDEX = "index"
    """Gas price, currency a million Btu."""
    BID = "bid"
    """What we bid, currency a kWh."""
    STRIKE = "strike"
    """Our own strike price, currency a kWh."""
    SHORTFALL_PRICE = "shortfall_price"
    """Of what was not delivered, for a penalty that is a multiple of it; currency a kWh."""
    FACTOR = "factor"
    """The performance factor with which a season (or year) ended."""


_PRICES = frozenset({What.MARKET_PRICE, What.INDEX, What.BID, What.STRIKE, What.SHORTFALL_PRICE})
_BARE = frozenset({What.SYSTEM_RATIO, What.FACTOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Determinant:
    """One figure as it was told."""

    program_id: str
    what: What
    subject: str
    """A month `2026-07`, an event's key, a season `2025-summer`, a year, or `*` for always."""
    source: str
    """Where it stands: `ERCOT 4CP notice of 2026-10-12`."""
    told_by: str
    told_at: datetime
    value: Decimal | None = None
    at: datetime | None = None
    """Of a peak: the start of its interval."""
    currency: str = ""
    prices: PriceTimeline | None = None
    """Prices over an event, step by step, instead of one value."""
    number: int = 0
    """Given when it is stored; later ones are higher."""

    @property
    def name(self) -> str:
        """As an input of a statement: `told: peak 2026-07`."""
        return f"{PREFIX}{self.what.value} {self.subject}"

    @property
    def words(self) -> str:
        """Its value, who told it, and the source."""
        return f"{self.figure} (no. {self.number}, by {self.told_by}; {self.source})"

    @property
    def figure(self) -> str:
        """Its value."""
        if self.at is not None:
            return self.at.isoformat()
        if self.prices is not None:
            steps = len(self.prices.steps)
            return f"{steps} {self.prices.currency} prices of {self.prices.area}"
        return f"{said(self.value or Decimal(0))} {self.currency}".strip()

    def same_as(self, other: Determinant) -> bool:
        """Whether nothing else is told but who told it and when."""
        mine = (self.value, self.at, self.currency, self.prices, self.source)
        return mine == (other.value, other.at, other.currency, other.prices, other.source)


def checked(one: Determinant, program: Program) -> Determinant:
    """The determinant, if it makes sense for the program.

    Raises:
        ValueError: it does not; says what to write instead.
    """
    if not one.source.strip() or max(len(one.source), len(one.subject)) > _LONGEST:
        raise ValueError("source: say where the figure stands, in at most 400 characters")
    if one.what is What.PEAK:
        return _peak(one, program)
    if one.at is not None:
        raise ValueError(f"at: a {one.what.value} has no instant; only a peak has")
    if one.prices is None:
        _value(one)
    elif one.what is not What.MARKET_PRICE:
        raise ValueError(f"prices: only a {What.MARKET_PRICE.value} has several")
    _subject(one, program)
    return one


def newest(told: Iterable[Determinant]) -> Mapping[tuple[What, str], Determinant]:
    """What holds: of each kind and subject the last word."""
    ordered = sorted(told, key=lambda one: one.number)
    return {(one.what, one.subject): one for one in ordered}


def concerning(
    told: Iterable[Determinant], program: Program, period: StatementPeriod, events: Iterable[str]
) -> tuple[Determinant, ...]:
    """Those that may bear on a period's statement, in order of kind and subject."""
    keys = set(events)
    holds = newest(told)
    return tuple(
        holds[key] for key in sorted(holds) if _concerns(holds[key], program, period, keys)
    )


def expected(told: Iterable[Determinant]) -> Iterator[tuple[str, str]]:
    """Determinants as names and values of a statement's inputs."""
    return ((one.name, one.words) for one in told)


def of_event(
    told: Iterable[Determinant], what: What, event_key: str, month: date
) -> Determinant | None:
    """The word on an event: on itself, else on its month, else for always."""
    holds = newest(told)
    subjects = (event_key, f"{month:%Y-%m}", ALWAYS)
    return next((holds[what, one] for one in subjects if (what, one) in holds), None)


def _concerns(one: Determinant, program: Program, period: StatementPeriod, keys: set[str]) -> bool:
    if one.subject == ALWAYS or one.subject in keys:
        return True
    if _MONTH.fullmatch(one.subject):
        month = date.fromisoformat(f"{one.subject}-01")
        if one.what is What.PEAK:
            return month.year == period.last.year and month <= period.last
        return period.first < next_month(month) and month <= period.last
    if one.what is not What.FACTOR:
        return False
    ended = _last_day(one.subject, program)
    return ended is not None and 0 < (period.first - ended).days <= _DAYS_AFTER


_DAYS_AFTER = 366
"""So long after its end a season is the one before."""


def _last_day(subject: str, program: Program) -> date | None:
    if _YEAR.fullmatch(subject):
        return date(int(subject), 12, 31)
    try:
        return period_named(subject, program.rules.seasons).last
    except ValueError:
        return None


def _peak(one: Determinant, program: Program) -> Determinant:
    if one.at is None or one.value is not None or one.currency or one.prices is not None:
        raise ValueError("at: of a peak the start of its interval is told, and nothing else")
    if not program.rules.peak_charge:
        raise ValueError(f"{program.name} has no charge on the system's peaks")
    day = local_day(one.at, program.zone)
    if one.subject != f"{day:%Y-%m}":
        raise ValueError(
            f"subject: {one.at.isoformat()} lies in {day:%Y-%m} in {program.zone.key}, "
            f"not in {one.subject}"
        )
    return one


def _value(one: Determinant) -> None:
    if one.value is None or not one.value.is_finite():
        raise ValueError("value: a finite number is needed")
    if abs(one.value) > _MOST:
        raise ValueError(f"value: {one.value} is beyond {_MOST}")
    if one.what in _BARE and (one.currency or one.value < 0):
        raise ValueError(f"value: a {one.what.value} is a number of at least 0 without a currency")
    if one.what in _PRICES and not _CURRENCY.fullmatch(one.currency):
        raise ValueError("currency: three capital letters (ISO 4217), such as USD")


def _subject(one: Determinant, program: Program) -> None:
    if one.what is What.FACTOR:
        if _last_day(one.subject, program) is None or _MONTH.fullmatch(one.subject):
            raise ValueError("subject: a season such as 2025-summer, or a year")
        return
    if one.what is What.SYSTEM_RATIO and "/" not in one.subject:
        raise ValueError("subject: a system ratio is told of an event (utility/event)")
    if one.subject != ALWAYS and "/" not in one.subject and not _MONTH.fullmatch(one.subject):
        raise ValueError("subject: an event (utility/event), a month such as 2026-07, or *")
