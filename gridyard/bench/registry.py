"""Every bench by name."""

from __future__ import annotations

from gridyard.bench import ingest, openadr
from gridyard.bench.core import Bench

BENCHES: dict[str, Bench] = {bench.name: bench for bench in (openadr.BENCH, ingest.BENCH)}
