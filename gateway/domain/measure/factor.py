"""From delivery to a factor of the commitment: by the event, and over a season.

Floor, cap, mean basis, stickiness and pass ratio are parameters of the program; each template names
the source of its own (CSRP, DLRP, NYSEG, LADWP, CBP, ERS: third parties, 2025 or undated).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO, Block
from gateway.domain.measure.rows import seconds_of
from gateway.domain.program.performing import Absent, Mean, Performance, Tier, TierTable

ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What one event says of a participant."""

    event_key: str
    window: Interval
    """Closed."""
    ratio: Decimal | None
    """Mean delivered over promised, capped block by block; None: nothing measured or promised."""
    mean_kw: Decimal = ZERO
    """Mean delivery."""
    test: bool = False
    opted_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The factor that holds for a period, and why."""

    factor: Decimal | None
    """None: nothing says it yet."""
    because: str
    by_event: bool = True
    """Whether an event of the period, or with a sticky factor an earlier one, set it."""


def event_ratio(parts: Sequence[Block], rule: Performance) -> Decimal | None:
    """Mean over the blocks of delivered over promised, each counted up to the cap.

    May be negative where the rule nets. None: nothing was promised.
    """
    known = [(part.ratio, part.seconds) for part in parts if part.committed > 0]
    seconds = sum((time for _, time in known), ZERO)
    if seconds == 0:
        return None
    capped = [(_up_to(rule.cap, ratio or ZERO), time) for ratio, time in known]
    return sum((ratio * time for ratio, time in capped), ZERO) / seconds


def factor_of(ratio: Decimal, rule: Performance) -> Decimal:
    """The factor of the commitment, from 0 to the cap.

    Below the floor (at it, where the rule is strict) nothing; from the pass ratio on the whole.
    """
    if rule.floor is not None and (
        ratio < rule.floor or (rule.floor_strict and ratio == rule.floor)
    ):
        return ZERO
    if rule.pass_ratio is not None and rule.pass_ratio <= ratio < ONE:
        return _up_to(rule.cap, ONE)
    return max(ZERO, _up_to(rule.cap, ratio))


def tier_of(ratio: Decimal, table: TierTable) -> tuple[Decimal, Tier | None]:
    """Share of the full payment and the band a ratio falls into; below every band nothing."""
    counted = max(ZERO, _up_to(table.cap, ratio))
    tier = next((one for one in table.tiers if counted >= one.from_ratio), None)
    if tier is None or tier.penalty:
        return ZERO, tier
    return (counted if tier.factor is None else tier.factor), tier


def standing_factor(
    results: Iterable[EventResult],
    rule: Performance,
    period: Interval,
    *,
    tests_set_it: bool = False,
    last_season: Decimal | None = None,
) -> Standing:
    """The factor of a period of one season, from the season's events.

    Sticky: the last event (or test, where tests count) that began before the period's end sets it.
    Else the mean over the period's own. Before any event: what the rule says; else a test's, where
    tests count; else the last season's.
    """
    heard = sorted(
        (one for one in results if _heard(one, rule) and (tests_set_it or not one.test)),
        key=lambda one: (one.window.start, one.event_key),
    )
    before = [one for one in heard if period.end is None or one.window.start < period.end]
    if rule.sticky and before:
        last = before[-1]
        return Standing(factor=factor_of(_ratio(last), rule), because=f"set by {last.event_key}")
    own = [one for one in before if one.window.start >= period.start]
    if own:
        names = ", ".join(one.event_key for one in own)
        return Standing(factor=factor_of(_mean(own, rule), rule), because=f"mean over {names}")
    return _without_event(before, rule, last_season)


def weighted(pairs: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Mean of `(value, weight)`; None without weight."""
    known = list(pairs)
    whole = sum((weight for _, weight in known), ZERO)
    if whole == 0:
        return None
    return sum((value * weight for value, weight in known), ZERO) / whole


def _without_event(
    tests: Sequence[EventResult], rule: Performance, last_season: Decimal | None
) -> Standing:
    if rule.without_event is not None:
        said, why = rule.without_event, "the program's factor while there is no event"
    elif tests:
        said, why = factor_of(_ratio(tests[-1]), rule), f"set by {tests[-1].event_key}"
    elif last_season is not None:
        said, why = max(ZERO, _up_to(rule.cap, last_season)), "the last season's"
    else:
        return Standing(
            factor=None, by_event=False, because="no event, test or earlier season to go by"
        )
    return Standing(factor=said, by_event=False, because=why)


def _heard(one: EventResult, rule: Performance) -> bool:
    """An event without data is none; one opted out of counts as the rule says.

    An estimate of what was opted out of would be the mean of the others: it is left out.
    """
    if one.opted_out:
        return rule.opted_out is Absent.ZERO
    return one.ratio is not None


def _ratio(one: EventResult) -> Decimal:
    return ZERO if one.opted_out or one.ratio is None else one.ratio


def _mean(own: Sequence[EventResult], rule: Performance) -> Decimal:
    by_time = rule.mean is Mean.ALL_HOURS
    mean = weighted((_ratio(one), seconds_of(one.window) if by_time else ONE) for one in own)
    return ZERO if mean is None else mean


def _up_to(cap: Decimal | None, ratio: Decimal) -> Decimal:
    return ratio if cap is None else min(cap, ratio)
