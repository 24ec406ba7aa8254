"""Money for kWh: what of the delivery is paid, at whose price, in which month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO, Block, blocks
from gateway.domain.measure.factor import tier_of
from gateway.domain.measure.rows import Row, kwh, seconds_of
from gateway.domain.price.timeline import PriceTimeline
from gateway.domain.program import Program
from gateway.domain.program.paying import Basis, EnergyPay, EnergyPrice, Rate
from gateway.domain.program.performing import Performance, TierTable
from gateway.domain.program.wall import days_of, span_of
from gateway.domain.settle.line import Kind, Line, per_kwh, priced, said, unpriced

_BTU_PER_MMBTU = 1_000_000
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices from outside of the program; None: not known."""

    currency: str = "USD"
    market: PriceTimeline | None = None
    """Market price over the event, currency a kWh; a gap is a price that is not known."""
    index_per_mmbtu: Decimal | None = None
    """Gas price, currency a million Btu."""
    bid: Decimal | None = None
    """What we bid, currency a kWh."""
    strike: Decimal | None = None
    """Our own strike price, currency a kWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Energy that is paid for over one meter interval."""

    interval: Interval
    kilowatt_seconds: Decimal


def paid_energy(
    rows: Iterable[Row],
    rule: Performance,
    cap_ratio: Decimal | None = None,
    tiers: TierTable | None = None,
) -> tuple[Paid, ...]:
    """The part of a delivery that counts, by meter interval.

    Cap and tier table hold for each block the rule averages over (interval, hour or event); what a
    block loses, its intervals lose in proportion.
    """
    return tuple(
        Paid(interval=row.interval, kilowatt_seconds=amount)
        for block in blocks(rows, rule)
        for row, amount in zip(
            block.rows, _scaled(block, _counted(block, cap_ratio, tiers)), strict=True
        )
    )


def energy_lines(
    program: Program,
    event_key: str,
    rows: Iterable[Row],
    prices: Prices | None = None,
    basis: Basis = Basis.RESERVATION,
) -> tuple[Line, ...]:
    """What the program pays for an event's energy, one line a local month it touches."""
    pay = energy_pay(program.rules.energy_pay, basis)
    if pay is None:
        return ()
    return lines_for(program, event_key, counted_energy(program, pay, rows), pay, prices)


def counted_energy(program: Program, pay: EnergyPay, rows: Iterable[Row]) -> tuple[Paid, ...]:
    """What of an event's delivery this payment counts, before other programs' claims on it."""
    rules = program.rules
    rule = rules.performance[0] if rules.performance else Performance()
    tiers = rules.tiers[0] if pay.by_tier_table and rules.tiers else None
    return paid_energy(rows, rule, pay.cap_ratio, tiers)


def lines_for(
    program: Program,
    event_key: str,
    paid: Sequence[Paid],
    pay: EnergyPay,
    prices: Prices | None = None,
    inputs: tuple[str, ...] = (),
) -> tuple[Line, ...]:
    """Lines for energy that counts: hours fall to the month they lie in.

    `inputs` are named on each beside the energy.
    """
    known = prices or Prices()
    return tuple(
        _line(
            f"{event_key}, {month:%Y-%m}" if several else event_key,
            part,
            pay,
            known,
            program.zone,
            inputs,
        )
        for month, part, several in _by_month(paid, program.zone)
    )


def energy_pay(pays: Sequence[EnergyPay], basis: Basis) -> EnergyPay | None:
    """The payment for a basis; where a program knows one only, that one."""
    found = next((one for one in pays if one.basis is basis), None)
    return found or (pays[0] if len(pays) == 1 else None)


def energy_basis(pays: Sequence[EnergyPay], *, test: bool, voluntary: bool) -> Basis:
    """What an event is paid as to a participant with a reservation.

    A test has its own rate or is paid as any event; where nobody had to take part the event was
    unplanned, or voluntary.
    """
    wanted = (Basis.TEST,) * test + (Basis.UNPLANNED, Basis.VOLUNTARY) * voluntary
    known = {one.basis for one in pays}
    return next((basis for basis in wanted if basis in known), Basis.RESERVATION)


def _counted(block: Block, cap_ratio: Decimal | None, tiers: TierTable | None) -> Decimal:
    """Energy of a block that counts, kW s."""
    energy, ratio = block.delivered, block.ratio
    if cap_ratio is not None:
        energy = min(energy, cap_ratio * block.committed)
    if tiers is not None and ratio is not None:
        energy = min(energy, tier_of(ratio, tiers)[0] * block.committed)
    return energy


def _scaled(block: Block, counted: Decimal) -> tuple[Decimal, ...]:
    whole = block.delivered
    amounts = [(row.delivered_kw or ZERO) * row.seconds for row in block.rows]
    return tuple(amount if counted == whole else amount * counted / whole for amount in amounts)


def _by_month(
    paid: Sequence[Paid], zone: ZoneInfo
) -> Iterable[tuple[date, tuple[Paid, ...], bool]]:
    months: dict[date, list[Paid]] = {}
    for one in sorted(paid, key=lambda one: one.interval.start):
        for day in days_of(one.interval, zone):
            part = one.interval.intersection(span_of(day, day, zone))
            if part is not None:
                share = one.kilowatt_seconds * seconds_of(part) / seconds_of(one.interval)
                piece = Paid(interval=part, kilowatt_seconds=share)
                months.setdefault(day.replace(day=1), []).append(piece)
    return [(month, tuple(parts), len(months) > 1) for month, parts in sorted(months.items())]


def _line(
    subject: str,
    paid: Sequence[Paid],
    pay: EnergyPay,
    prices: Prices,
    zone: ZoneInfo,
    more: tuple[str, ...],
) -> Line:
    energy = kwh(sum((one.kilowatt_seconds for one in paid), ZERO))
    inputs = (f"{said(energy)} kWh counted", *more)
    try:
        parts = [one.kilowatt_seconds * _price(one, pay, prices, zone) for one in paid]
    except LookupError as missing:
        return unpriced(
            Kind.ENERGY,
            subject,
            energy,
            "kWh",
            str(missing),
            rule=pay.words,
            inputs=more,
            source=pay.source,
        )
    amount = kwh(sum(parts, ZERO))
    fixed = pay.rate if pay.price is EnergyPrice.FIXED else None
    rate = fixed or Rate(amount=ZERO, unit="kWh", currency=prices.currency, example=False)
    return priced(
        Kind.ENERGY,
        subject,
        energy,
        "kWh",
        rate,
        amount=amount,
        rule=pay.words,
        inputs=inputs,
        source=pay.source,
    )


def _price(one: Paid, pay: EnergyPay, prices: Prices, zone: ZoneInfo) -> Decimal:
    """A kWh's price over one interval.

    Raises:
        LookupError: it is not known; says which price is missing.
    """
    match pay.price:
        case EnergyPrice.FIXED:
            return per_kwh(_known(pay.rate, "rate: see the tariff"))
        case EnergyPrice.BID:
            return _known(prices.bid, "the price that was bid")
        case EnergyPrice.INDEX_HEAT_RATE:
            index = _known(prices.index_per_mmbtu, "the gas price")
            return index * _known(pay.heat_rate_btu_per_kwh, "the heat rate") / _BTU_PER_MMBTU
        case EnergyPrice.MARKET:
            return _market(one, prices, zone)
        case EnergyPrice.MAX_OF_MARKET_AND_STRIKE:
            strike = _known(prices.strike, "our strike price")
            own = strike if pay.strike_max is None else min(strike, pay.strike_max)
            return max(_market(one, prices, zone), own)


def _market(one: Paid, prices: Prices, zone: ZoneInfo) -> Decimal:
    """The mean of the prices over an interval, each by its time; all of it must have one."""
    known = prices.market or PriceTimeline(area="", currency=prices.currency)
    gap = next(iter(known.gaps(one.interval)), None)
    if gap is not None:
        raise LookupError(f"not known: the market's price {_when(gap, zone)}")
    steps = known.clip(one.interval).steps
    weighed = sum((step.per_kwh * seconds_of(step.interval) for step in steps), ZERO)
    return weighed / seconds_of(one.interval)


def _when(gap: Interval, zone: ZoneInfo) -> str:
    first, last = (at.astimezone(zone) for at in (gap.start, gap.end or gap.start))
    return f"from {first:%Y-%m-%d %H:%M} to {last:%H:%M %Z}"


def _known(value: _Value | None, what: str) -> _Value:
    if value is None:
        raise LookupError(f"not known: {what}")
    return value
