"""How much of what a site is asked it gives, learnt from every minute of every event.

A site that answers after three minutes is slow, not unreliable: what it gives is compared with what
it was asked so long ago, and how long that is is learnt from the minutes in which the request
changed. Both are exponentially weighted means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

LONGEST_LAG_MIN = 5
LAGS = LONGEST_LAG_MIN + 1
_USUAL_LAG_MIN = 2
_MOVES = 0.2
"""A request that moves by more than this part within the lags tells something about the lag."""
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class CredibilityRules:
    """How fast is learnt, and from what."""

    weight: float = 0.10
    """Of the newest minute, 0-1: with 0.10 half of what is known is from the last 7 minutes."""
    least: float = 0.05
    most: float = 1.20
    """Bounds of the expected part."""
    least_w: float = 500.0
    least_share: float = 0.03
    """Requests below this, or this part of the baseline, drown in the baseline's own error."""
    lag_minutes: int = 3
    """After so many minutes of change the lag is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credibility:
    """What is known of one site's answers."""

    expected: float = 1.0
    """Part of what it is asked that it gives; 1 until something else is seen."""
    minutes: int = 0
    """How many minutes this rests on."""
    misses: tuple[float, ...] = (0.0,) * LAGS
    """Mean error if the lag were 0, 1, ... 5 minutes, as a part of the request."""
    moved: int = 0
    """In how many minutes the request had moved."""

    @property
    def lag_min(self) -> int:
        """Minutes after which the site follows, 0-5."""
        best = min(self.misses)
        fits = [lag for lag, miss in enumerate(self.misses) if miss <= best + _SLACK]
        return min(fits, key=lambda lag: abs(lag - _USUAL_LAG_MIN))


def learnt(
    before: Credibility,
    asked_w: Sequence[float],
    delivered_w: float | None,
    baseline_w: float,
    rules: CredibilityRules,
) -> Credibility:
    """What is known after one minute more.

    `asked_w[k]` was asked `k` minutes ago (six of them); `delivered_w` is None when it was not
    measured, and then nothing is learnt.
    """
    largest_w = max(asked_w)
    least_w = max(rules.least_w, rules.least_share * abs(baseline_w))
    if delivered_w is None or largest_w < least_w:
        return before
    moving = largest_w - min(asked_w) > _MOVES * largest_w
    known = _with_lag(before, asked_w, delivered_w, rules) if moving else before
    lag_known = known.moved >= rules.lag_minutes * 2
    reference_w = asked_w[known.lag_min]
    if reference_w < least_w or (moving and not lag_known):
        return known
    part = min(rules.most, max(0.0, delivered_w / reference_w))
    mean = before.expected + rules.weight * (part - before.expected)
    bounded = min(rules.most, max(rules.least, mean))
    return replace(known, expected=bounded, minutes=before.minutes + 1)


def lagged(credibility: Credibility, asked_w: Sequence[float]) -> float:
    """What the site is expected to give now, W, after what it was asked in the last minutes."""
    return min(1.0, credibility.expected) * asked_w[credibility.lag_min]


def _with_lag(
    before: Credibility, asked_w: Sequence[float], delivered_w: float, rules: CredibilityRules
) -> Credibility:
    """The misses of every lag, whatever part of its request the site gives."""
    scale_w = max(asked_w)
    misses = tuple(
        miss + rules.weight * (abs(before.expected * then_w - delivered_w) / scale_w - miss)
        for miss, then_w in zip(before.misses, asked_w, strict=True)
    )
    return replace(before, misses=misses, moved=before.moved + 1)
