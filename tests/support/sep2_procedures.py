"""Our whole IEEE 2030.5 client through the simulator's CSIP procedures, over real mutual TLS.

Every procedure has a server and a client of its own; they run beside each other in one event loop
and in pretended time, because most of their time is spent waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.time import Clock
from support.leaping_clock import LeapingClock
from support.sep2_cases import Case, Certificates
from support.sep2_procedure_run import Result, Run


def outcomes(cases: Sequence[Case], folder: Path) -> Mapping[str, Result]:
    """Play these cases beside each other; a few dozen at most, since requests have time limits."""
    clock = LeapingClock()
    return clock.run(_all(cases, Certificates(folder), clock))


async def _all(
    cases: Sequence[Case], certificates: Certificates, clock: Clock
) -> Mapping[str, Result]:
    async with asyncio.TaskGroup() as tasks:
        played = [tasks.create_task(Run(case, certificates, clock).play()) for case in cases]
    return {case.name: one.result() for case, one in zip(cases, played, strict=True)}
