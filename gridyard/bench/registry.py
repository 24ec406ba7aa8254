"""Every bench by name."""

from __future__ import annotations

from gridyard.bench import (
    accounts,
    devices,
    dispatch,
    fanout,
    ingest,
    mv,
    ocpp,
    openadr,
    plan,
    sep2,
    telemetry,
    tick,
    year,
)
from gridyard.bench.core import Bench

BENCHES: dict[str, Bench] = {
    bench.name: bench
    for bench in (
        openadr.BENCH,
        sep2.BENCH,
        ocpp.BENCH,
        devices.BENCH,
        ingest.BENCH,
        telemetry.BENCH,
        plan.BENCH,
        dispatch.BENCH,
        fanout.BENCH,
        mv.BENCH,
        tick.BENCH,
        year.BENCH,
        accounts.BENCH,
    )
}
