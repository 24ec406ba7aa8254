"""Match day: the days most alike outside of the event's hours, by least squares.

PJM's match day takes three non-event days that are most similar in the non-event hours, without the
hour either side (read in public text). How similarity is measured was not read: here it is the mean
square of the difference in load over the hours known on both days.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gateway.domain.curves import pieces
from gateway.domain.measure.baseline_run import BaselineInputs
from gateway.domain.measure.day_choice import Choosing
from gateway.domain.measure.own_day import day_around
from gateway.domain.measure.past_days import HALF, PastDays
from gateway.domain.words import pct


def matching(inputs: BaselineInputs, past: PastDays) -> Choosing | str:
    """The order of days by likeness; or why there is nothing to compare with.

    Only hours known on the event's own day are compared, without those of other events or of our
    own instructions; each past day must know enough of them.
    """
    windows = day_around(inputs.event, inputs.method.buffer, inputs.zone)
    bins = tuple(one for window in windows for one in pieces(window, inputs.resolution))
    if not bins:
        return "the event and its buffer fill the day: there are no hours to compare"
    table = past.table(bins)
    known = table.coverage >= HALF
    unusual = (*inputs.other_events, *inputs.moved)
    columns = known[0] & [not any(other.overlaps(one) for other in unusual) for one in bins]
    if not columns.any():
        return "no ordinary hour was measured on the event's own day outside of the event"
    both = known[:, columns]
    shares = both.mean(axis=1)
    apart = np.where(both, table.values[:, columns] - table.values[0, columns], 0.0)
    distance = (apart**2).sum(axis=1) / np.maximum(both.sum(axis=1), 1)

    def refusal(back: int) -> str:
        if shares[back] >= inputs.method.min_coverage:
            return ""
        return f"data for only {pct(float(shares[back]))} of the hours compared"

    def order(loads: Mapping[int, float]) -> list[int]:
        return sorted(loads, key=lambda back: (distance[back], back))

    return Choosing(order=order, lost="not among the {x} most alike of {y}", refusal=refusal)
