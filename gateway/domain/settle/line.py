"""Lines of a statement: what, how much, at which rate, by which rule, from which inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from gateway.domain.program.paying import Rate
from gateway.domain.program.source import Source

_NOISE = Decimal("1e-9")
"""Quotients such as a third of an hour leave less than this; amounts are taken to it first."""
_MINOR_UNITS = {"JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3}
"""Decimals of a currency, ISO 4217; 2 for the others."""
_PER_KWH = {"kWh": Decimal(1), "MWh": Decimal(1000)}


class Kind(StrEnum):
    """What a line is for."""

    CAPACITY = "capacity"
    ENERGY = "energy"
    AVERAGE = "season average"
    PEAK = "peak charge"
    PENALTY = "penalty"
    SCORE = "score"
    OVER_LEVEL = "over firm service level"
    STOP_LOSS = "stop-loss"
    CLAW_BACK = "claw-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One amount; negative is what we owe. Without an amount `problem` says what is missing."""

    kind: Kind
    subject: str
    """The month, event or season it is for."""
    quantity: Decimal
    unit: str
    price: Decimal | None
    """Of a unit; where prices differ over the time, the mean by quantity."""
    amount: Decimal | None
    """Rounded to the currency's smallest unit."""
    currency: str
    example: bool
    """The rate is an example: no tariff in force was read."""
    rule: str
    inputs: tuple[str, ...] = ()
    source: str = ""
    problem: str = ""

    @property
    def words(self) -> str:
        """The line as a sentence: rule, inputs, source."""
        parts = [self.rule, *self.inputs]
        parts += [f"source: {self.source}"] if self.source else []
        parts += [f"no amount: {self.problem}"] if self.problem else []
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Lines in a fixed order, whatever the order they were made in."""

    lines: tuple[Line, ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """The sum of the lines' amounts, by currency."""
        found: dict[str, Decimal] = {}
        for line in self.lines:
            if line.amount is not None:
                found[line.currency] = found.get(line.currency, Decimal(0)) + line.amount
        return dict(sorted(found.items()))

    @property
    def unpriced(self) -> tuple[Line, ...]:
        """Lines that wait for a rate or a price."""
        return tuple(line for line in self.lines if line.amount is None)


def statement(lines: Iterable[Line]) -> Statement:
    """Lines put in order."""
    ordered = sorted(lines, key=lambda one: (one.subject, one.kind, one.rule, str(one.quantity)))
    return Statement(lines=tuple(ordered))


def money(amount: Decimal, currency: str) -> Decimal:
    """An amount in the currency's smallest unit, halves away from zero."""
    unit = Decimal(1).scaleb(-_MINOR_UNITS.get(currency, 2))
    return amount.quantize(_NOISE).quantize(unit, rounding=ROUND_HALF_UP)


def plain(value: Decimal) -> Decimal:
    """A quantity without the noise of quotients and without zeros at its end."""
    found = value.quantize(_NOISE).normalize()
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


def said(value: Decimal) -> str:
    """A quantity as people read it."""
    return f"{plain(value):f}"


def priced(
    kind: Kind,
    subject: str,
    quantity: Decimal,
    unit: str,
    rate: Rate,
    *,
    amount: Decimal,
    rule: str,
    inputs: Iterable[str] = (),
    source: Source | None = None,
) -> Line:
    """A line whose amount is known; here it is rounded, and only here."""
    kept = plain(quantity)
    return Line(
        kind=kind,
        subject=subject,
        quantity=kept,
        unit=unit,
        price=plain(amount / quantity) if quantity else None,
        amount=money(amount, rate.currency),
        currency=rate.currency,
        example=rate.example,
        rule=rule,
        inputs=tuple(inputs),
        source=source.words if source else "",
    )


def unpriced(
    kind: Kind,
    subject: str,
    quantity: Decimal,
    unit: str,
    problem: str,
    *,
    rule: str,
    inputs: Iterable[str] = (),
    source: Source | None = None,
) -> Line:
    """A line that lacks a rate, a price or a factor, and says which."""
    return Line(
        kind=kind,
        subject=subject,
        quantity=plain(quantity),
        unit=unit,
        price=None,
        amount=None,
        currency="",
        example=False,
        rule=rule,
        inputs=tuple(inputs),
        source=source.words if source else "",
        problem=problem,
    )


def per_kwh(rate: Rate) -> Decimal:
    """A rate for energy as an amount a kWh.

    Raises:
        ValueError: it is for something else.
    """
    if rate.unit not in _PER_KWH:
        raise ValueError(f"a rate a {rate.unit} pays no energy: give one a kWh or MWh")
    return rate.amount / _PER_KWH[rate.unit]
