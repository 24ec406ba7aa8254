"""A baseline from sites that took no part: their mean load, then scaled to this site's own.

Control groups are among CAISO's five kinds of baseline since ESDER 2 (read in public text; its
numbers, such as the least size of a group, were not). The scaling by hours before the event is the
same as of the other kinds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.time import Interval
from gateway.domain.curves import Grid, Sampler
from gateway.domain.measure.baseline_run import (
    BaselineInputs,
    Control,
    ControlVerdict,
    Estimate,
    Values,
)
from gateway.domain.measure.metering import metered_table
from gateway.domain.measure.own_day import own_windows
from gateway.domain.measure.past_days import HALF
from gateway.domain.words import pct


def of_controls(inputs: BaselineInputs, bins: Sequence[Interval]) -> Estimate:
    """The mean over the sites that are accepted, at least `min_days` of them."""
    samplers = [Sampler(one.load) for one in inputs.controls]
    verdicts = tuple(map(_verdict, [inputs] * len(samplers), inputs.controls, samplers))
    kept = [s for s, verdict in zip(samplers, verdicts, strict=True) if verdict.used]
    least = max(1, inputs.method.min_days)
    if len(kept) < least:
        said = f"{len(kept)} usable sites in the control group, at least {least} needed"
        return Estimate(controls=verdicts, problem=said)

    def expected(pieces: Sequence[Interval]) -> Values:
        return _mean(inputs, kept, pieces)[0]

    values, counts = _mean(inputs, kept, bins)
    return Estimate(
        values=values, counts=counts, wanted=len(kept), expected=expected, controls=verdicts
    )


def _verdict(inputs: BaselineInputs, control: Control, sampler: Sampler) -> ControlVerdict:
    windows = own_windows(inputs.method, inputs.event, inputs.zone, inputs.notified)
    looked = [inputs.event, *(one for one in windows if one.end != one.start)]
    reason = ""
    if any(event.overlaps(one) for event in control.events for one in looked):
        reason = "it took part in an event"
    else:
        pieces = [piece for one in looked for piece in one.split(inputs.resolution)]
        coverage = float(sampler.table(Grid(pieces))[1].mean())
        if coverage < inputs.method.min_coverage:
            reason = (
                f"data for only {pct(coverage)} of the hours looked at" if coverage else "no data"
            )
    return ControlVerdict(name=control.name, used=not reason, reason=reason)


def _mean(
    inputs: BaselineInputs, samplers: Sequence[Sampler], bins: Sequence[Interval]
) -> tuple[Values, tuple[int, ...]]:
    grid = Grid(bins)
    tables = [metered_table(*sampler.table(grid), inputs.export) for sampler in samplers]
    known = np.array([coverage for _, coverage in tables]) >= HALF
    loads = np.where(known, np.array([values for values, _ in tables]), 0.0).sum(axis=0)
    counts = known.sum(axis=0)
    pairs = zip(loads.tolist(), counts.tolist(), strict=True)
    return tuple(w / n if n else None for w, n in pairs), tuple(counts.tolist())
