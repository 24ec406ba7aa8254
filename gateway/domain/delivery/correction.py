"""How much more (or less) is asked than the utility wants, so that it gets what it wants.

An integral controller with a bounded correction: the first look, once the sites had time to
follow, takes over what is missing as a whole; from then on each minute adds a part of it.
`gridyard simulate portfolio` shows what that makes of no-shows, drop-outs, lags and lost telemetry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.series import StepSeries
from gateway.domain.curves import pointwise
from gateway.domain.words import pct, span

_MINUTE = timedelta(minutes=1)
_NOTHING_W = 1.0
_HARDLY = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRules:
    """How strongly and within what bounds the target is corrected."""

    gain: float = 0.15
    """Part of the missing share that is added a minute, 0-1; with lags of up to 5 minutes more
    than 0.3 swings."""
    first_gain: float = 1.0
    """The same for the first look of an event, 0-1."""
    lowest: float = -0.20
    highest: float = 0.30
    """Bounds of the correction as a share of the target."""
    settle: timedelta = timedelta(minutes=5)
    """Nothing is corrected so long after the ramp, after a change of the target and after the first
    look: sites answer with a lag."""
    least_coverage: float = 0.7
    """With less than this part measured the correction stands still ..."""
    blind_for: timedelta = timedelta(minutes=5)
    """... and after so long it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is asked beyond the target, and why."""

    modification: int
    """Of the event it was learnt for."""
    at: datetime
    share: float = 0.0
    """0.08: 8 % more than the target."""
    first_at: datetime | None = None
    """When the first look was; None: it is still to come."""
    blind_since: datetime | None = None
    """Since when too little is measured."""
    cause: str = "nothing measured yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One minute of an event as the controller sees it."""

    now: datetime
    modification: int
    settled_from: datetime
    """When the sites had time to follow the target in force."""
    target_w: float
    delivered_w: float
    coverage: float
    saturated: bool
    """Everything offered is asked already."""


def next_correction(before: Correction, look: Look, rules: CorrectionRules) -> Correction:
    """The correction for the minute to come.

    It starts afresh with a new modification and when nothing could be seen for too long; it stands
    still while sites still follow, while too little is measured, and does not grow while there is
    nothing more to ask for (else it would have to be unlearnt later: wind-up).
    """
    if look.modification != before.modification:
        return Correction(modification=look.modification, at=look.now, cause="a new modification")
    if look.target_w <= _NOTHING_W:
        return replace(before, at=look.now, cause="nothing is wanted now")
    follows = before.first_at is not None and look.now < before.first_at + rules.settle
    if follows or look.now < look.settled_from:
        return replace(before, at=look.now, cause="the sites still follow what was asked")
    if look.coverage < rules.least_coverage:
        return _blind(before, look, rules)
    seen = replace(before, blind_since=None)
    missing = 1.0 - look.delivered_w / look.target_w
    if look.saturated and missing > 0:
        return replace(seen, at=look.now, cause="everything offered is asked")
    return _integrated(seen, look, missing, rules)


def transferred(
    before: Correction, expected_before: float, expected_after: float, rules: CorrectionRules
) -> Correction:
    """The correction when sites are left out or return, so that what arrives does not jump.

    What it made up for them is now asked of others (bumpless transfer). `expected_*` is the part
    of what is asked that is expected to arrive, with the sites as before and as they are now.
    """
    share = (1.0 + before.share) * expected_before / expected_after - 1.0
    return replace(before, share=_bounded(share, rules))


def corrected(target: StepSeries, share: float, expected: float = 1.0) -> StepSeries:
    """What to ask for so that `target` arrives.

    `share` is the correction; `expected` the part of what is asked that the sites usually give,
    in (0, 1].
    """
    factor = (1.0 + share) / expected
    return target.map(lambda wanted_w: wanted_w * factor)


def shortfall(target: StepSeries, asked: StepSeries, not_found: StepSeries) -> StepSeries:
    """What is missing of the target itself, where `not_found` is missing of what was to be asked.

    What is asked as a reserve against sites that give less is no shortfall when it is not found.
    """
    reserve = pointwise(lambda w: max(0.0, w[0] - w[1]), (asked, target))
    missing = pointwise(lambda w: max(0.0, w[0] - w[1]), (not_found, reserve))
    return StepSeries.of((s.interval, s.value) for s in missing if s.value > _NOTHING_W)


def in_words(share: float, delivered: float | None, minutes: int) -> str:
    """`asked 8 % more: 92 % delivered over the last 5 minutes`; so many were lived."""
    asked = "as wanted" if abs(share) < _HARDLY else f"{pct(abs(share))} {_more(share)}"
    if delivered is None:
        return f"asked {asked}: nothing delivered yet that could be measured"
    last = "minute" if minutes == 1 else f"{minutes} minutes"
    return f"asked {asked}: {pct(delivered)} delivered over the last {last}"


def _more(share: float) -> str:
    return "more" if share > 0 else "less"


def _blind(before: Correction, look: Look, rules: CorrectionRules) -> Correction:
    since = before.blind_since or look.now
    known = f"only {pct(look.coverage)} of what was asked is measured"
    if look.now - since >= rules.blind_for:
        cause = f"given up: {known} for {span(look.now - since)}"
        return Correction(
            modification=before.modification, at=look.now, blind_since=since, cause=cause
        )
    return replace(before, at=look.now, blind_since=since, cause=f"held: {known}")


def _integrated(
    before: Correction, look: Look, missing: float, rules: CorrectionRules
) -> Correction:
    minutes = min(1.0, max(0.0, (look.now - before.at) / _MINUTE))
    gain = rules.gain * minutes if before.first_at else rules.first_gain
    wanted = before.share + gain * missing
    share = _bounded(wanted, rules)
    at_bound = "" if share == wanted else ", the most that is corrected"
    cause = f"{pct(1.0 - missing)} of the target delivered in the last minute{at_bound}"
    first_at = before.first_at or look.now
    return replace(before, at=look.now, share=share, first_at=first_at, cause=cause)


def _bounded(share: float, rules: CorrectionRules) -> float:
    return min(rules.highest, max(rules.lowest, share))
