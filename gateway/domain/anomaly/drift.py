"""A meter that goes away slowly: its power beside its register, day by day.

The trend is the median of all slopes between two days (Theil-Sen: H. Theil, 1950; P. K. Sen, 1968),
which one odd day does not move. It counts when nearly all pairs of days agree on its direction
(Kendall's tau) and it has come far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from contracts.time import Interval
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.anomaly.picture import PCC
from gateway.domain.words import pct

LEAST_DAYS = 5
_AGREE = 0.8
_FAR = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRatio:
    """Of one day: energy summed up from power over energy by the register."""

    day: Interval
    ratio: float


def drift(days: Sequence[DayRatio]) -> Iterator[Finding]:
    """From days in order, of which each was measured well."""
    if len(days) < LEAST_DAYS:
        return
    slopes = [
        (later.ratio - earlier.ratio) / (j - i)
        for (i, earlier), (j, later) in combinations(enumerate(days), 2)
    ]
    trend = median(slopes)
    agree = sum((one > 0) - (one < 0) for one in slopes) / len(slopes)
    came = trend * (len(days) - 1)
    if abs(agree) >= _AGREE and abs(came) >= _FAR:
        yield Finding(
            code=Code.DRIFT,
            subject=PCC,
            evidence=Interval(start=days[0].day.start, end=days[-1].day.end),
            reason=(
                f"over {len(days)} days the meter's power went from {pct(days[0].ratio)} to"
                f" {pct(days[-1].ratio)} of its own register"
            ),
            what_to_do="Have the meter checked against another one; it changes by the day",
        )
