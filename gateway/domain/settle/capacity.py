"""Money for kW held ready: the rate that applies, the uplift, the factor, the tier table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.factor import ONE, Standing, tier_of
from gateway.domain.program import Program
from gateway.domain.program.paying import CapacityPay
from gateway.domain.program.season import Season
from gateway.domain.program.wall import local_day
from gateway.domain.settle.line import Kind, Line, priced, said, unpriced


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a participant holds ready, and in which product."""

    committed_kw: Decimal
    tier: str = ""
    """The tier, zone or product, where the program pays several."""
    notice: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPeriod:
    """What one payment is for: a month, or a year or season of a rate that is for one."""

    subject: str
    first: date
    """Local date on which it begins."""


def capacity_lines(
    program: Program,
    holding: Holding,
    period: PayPeriod,
    standing: Standing,
    network_events: Iterable[datetime] = (),
) -> tuple[Line, ...]:
    """What the program pays for capacity over one period; nothing where it pays none.

    `network_events` are the starts of the participant's network's events of the season (tests are
    none), for a rate that rises with them. A tier that is a penalty is a line of its own.
    """
    found = [one for one in program.rules.capacity_pay if _applies(one, holding, period.first)]
    if not found:
        return ()
    kw = holding.committed_kw
    if len(found) > 1:
        names = ", ".join(sorted(one.tier or "(no tier)" for one in found))
        return (_open(period, kw, found[0], f"say which of these applies: {names}"),)
    pay = found[0]
    share, why, penalty = _share(program, pay, standing)
    if share is None:
        return (_open(period, kw, pay, why),)
    if pay.rate is None:
        return (
            _open(period, kw * share, pay, "rate: see the tariff"),
            *penalty_of(penalty, period),
        )
    uplift = _uplift(program, pay, period.first, network_events)
    line = priced(
        Kind.CAPACITY,
        period.subject,
        kw * share,
        "kW",
        pay.rate,
        amount=(pay.rate.amount + uplift) * kw * share,
        rule=pay.words,
        inputs=(f"{said(kw)} kW committed", f"factor {said(share)}: {why}", *_uplifted(uplift)),
        source=pay.source,
    )
    return (line, *penalty_of(penalty, period))


def penalty_of(rule: str, period: PayPeriod) -> tuple[Line, ...]:
    """A tier that is a penalty, whose amount the tariff says."""
    if not rule:
        return ()
    problem = "the penalty of this tier: see the tariff"
    return (unpriced(Kind.PENALTY, period.subject, ZERO, "", problem, rule=rule),)


def _applies(pay: CapacityPay, holding: Holding, first: date) -> bool:
    return (
        (not pay.months or first.month in pay.months)
        and (not holding.tier or pay.tier in ("", holding.tier))
        and (holding.notice is None or pay.notice in (None, holding.notice))
    )


def _share(
    program: Program, pay: CapacityPay, standing: Standing
) -> tuple[Decimal | None, str, str]:
    """Share of the commitment that is paid, why, and the tier that is a penalty."""
    if pay.without_event_in_full and not standing.by_event:
        return ONE, "no event, so the nomination is paid", ""
    if standing.factor is None:
        return None, standing.because, ""
    if not pay.by_tier_table:
        return standing.factor, standing.because, ""
    if not program.rules.tiers:
        return None, "the program pays by a tier table and has none", ""
    share, tier = tier_of(standing.factor, program.rules.tiers[0])
    band = tier.words if tier else "below every tier"
    penalty = tier.words if tier and tier.penalty else ""
    return share, f"ratio {said(standing.factor)} ({standing.because}): {band}", penalty


def _uplift(
    program: Program, pay: CapacityPay, first: date, network_events: Iterable[datetime]
) -> Decimal:
    """From the month of the network's nth event of the season on."""
    if pay.uplift is None or pay.uplift_from_event is None:
        return ZERO
    days = sorted(local_day(start, program.zone) for start in network_events)
    days = [day for day in days if _same_season(program.rules.seasons, day, first)]
    if len(days) < pay.uplift_from_event:
        return ZERO
    since = days[pay.uplift_from_event - 1]
    return pay.uplift if (since.year, since.month) <= (first.year, first.month) else ZERO


def _same_season(seasons: Sequence[Season], day: date, other: date) -> bool:
    around = next((one.around(day) for one in seasons if one.holds(day)), None)
    if around is None:
        return not seasons
    first, last = around
    return first.replace(day=1) <= other <= last


def _uplifted(uplift: Decimal) -> tuple[str, ...]:
    return (f"rate raised by {said(uplift)}",) if uplift else ()


def _open(period: PayPeriod, kw: Decimal, pay: CapacityPay, problem: str) -> Line:
    return unpriced(
        Kind.CAPACITY, period.subject, kw, "kW", problem, rule=pay.words, source=pay.source
    )
