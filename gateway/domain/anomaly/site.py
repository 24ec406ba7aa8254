"""The site's clock, and time in which it tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from contracts.time import Interval
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.anomaly.picture import PCC, Picture, runs
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


def silent(picture: Picture) -> Iterator[Finding]:
    """Long stretches without a value of the meter, at a site that has told one."""
    missing = np.isnan(picture.pcc_w)
    for first, end in runs(missing, SILENT_LEAST // picture.grid.step):
        evidence = picture.span(first, end)
        yield Finding(
            code=Code.SILENT,
            subject=PCC,
            evidence=evidence,
            reason=(f"no usable value of the meter for {span(evidence.duration or timedelta(0))}"),
            what_to_do=(
                "Look whether the agent runs, has a link, and trusts its meter; rows that wait at"
                " the site still come"
            ),
        )
