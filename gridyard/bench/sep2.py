"""IEEE 2030.5: our codec beside plain XML, and our client beside another one at the same server."""

from __future__ import annotations

from collections.abc import Sequence

from gridyard.bench import sep2_codec, sep2_fleet
from gridyard.bench.core import Bench, Row


def _run() -> Sequence[Row]:
    return [*sep2_codec.rows(), *sep2_fleet.rows()]


BENCH = Bench(
    name="sep2",
    about="IEEE 2030.5 controls beside plain XML, a fleet's discovery and poll beside py20305",
    run=_run,
    packages=("lxml", "httpx", "py20305"),
)
