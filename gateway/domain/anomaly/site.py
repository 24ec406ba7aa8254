"""The site's clock, and time in which it tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from contracts.time import Interval
from gateway.domain.accounts.grid import SlotGrid
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.anomaly.picture import PCC, Flags, runs
from gateway.domain.words import span

SITE = "site"
CLOCK_MOST = timedelta(seconds=60)
"""Quarter hours that are off by more no longer fit the utility's."""
SILENT_LEAST = timedelta(hours=1)


def clock(ahead: timedelta, heard: Interval) -> Iterator[Finding]:
    """`ahead`: the site's clock less ours, when it said what time it is."""
    if abs(ahead) > CLOCK_MOST:
        way = "ahead of" if ahead > timedelta(0) else "behind"
        yield Finding(
            code=Code.CLOCK,
            subject=SITE,
            evidence=heard,
            reason=f"the site's clock is {span(abs(ahead))} {way} ours",
            what_to_do="Let the agent's machine keep time by NTP; its intervals are off by as much",
        )


def silent(grid: SlotGrid, known: Flags) -> Iterator[Finding]:
    """Long stretches without a value of the meter, between values: `known`, slot by slot.

    Before the first value there may have been no site, and after the last one rows may still wait
    there: neither is said to be missing.
    """
    told = np.flatnonzero(known)
    if not len(told):
        return
    within = np.zeros(len(known), dtype=bool)
    within[told[0] : told[-1]] = True
    for first, end in runs(~known & within, max(1, SILENT_LEAST // grid.step)):
        evidence = Interval(start=grid.slot(first).start, end=grid.slot(end - 1).end)
        yield Finding(
            code=Code.SILENT,
            subject=PCC,
            evidence=evidence,
            reason=(f"no usable value of the meter for {span(evidence.duration or timedelta(0))}"),
            what_to_do=(
                "Look whether the agent ran and trusted its meter then; its outbox may have run"
                " over while there was no link"
            ),
        )
