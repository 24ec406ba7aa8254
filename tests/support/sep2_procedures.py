"""Our whole IEEE 2030.5 client through the simulator's CSIP procedures, over real mutual TLS.

Every procedure has a server and a client of its own; they run beside each other in one event loop
and in pretended time, because most of their time is spent waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from contracts.time import Clock
from support.leaping_clock import LeapingClock
from support.sep2_cases import Case, Certificates
from support.sep2_procedure_run import Result, Run

BATCH = 24
"""More at one time would only wait for each other, in real time, which requests have limits in."""


def outcomes(cases: Iterable[Case], folder: Path) -> Mapping[str, Result]:
    """Play these cases beside each other."""
    waiting, certificates = list(cases), Certificates(folder)
    found: dict[str, Result] = {}
    for first in range(0, len(waiting), BATCH):
        clock = LeapingClock()
        found |= clock.run(_all(waiting[first : first + BATCH], certificates, clock))
    return found


async def _all(
    cases: Sequence[Case], certificates: Certificates, clock: Clock
) -> Mapping[str, Result]:
    async with asyncio.TaskGroup() as tasks:
        played = [tasks.create_task(Run(case, certificates, clock).play()) for case in cases]
    return {case.name: one.result() for case, one in zip(cases, played, strict=True)}
