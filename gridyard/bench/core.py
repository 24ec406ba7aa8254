"""What a bench is, how it is timed, and how its rows are shown."""

from __future__ import annotations

import operator
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. `ratio` is ours over other; `bar` is its limit, `holds` whether it is met.

    Without the other (a peer that is not installed) there is no ratio, and nothing to be missed.
    """

    name: str
    ours: float
    other: float | None
    other_is: str
    unit: str
    ratio: float | None
    bar: float
    holds: bool
    spread: str = ""
    """Minimum to maximum of our runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A named measurement."""

    name: str
    about: str
    run: Callable[[], Sequence[Row]]
    packages: tuple[str, ...]
    """Whose versions belong beside the figures."""
    run_with: Callable[[int], Sequence[Row]] | None = None
    """The same with so many sites, where their number may be chosen."""


def median_s(work: Callable[[], object], *, runs: int = 7) -> tuple[float, str]:
    """Median wall seconds of several runs after a warm-up, and their spread in ms."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), f"{min(times) * 1e3:.3g}-{max(times) * 1e3:.3g} ms"


def median_cpu_ms(work: Sequence[Callable[[], object]], runs: int = 1) -> tuple[float, str]:
    """Median and spread of the processor time of each piece of work, ms: as on a quiet machine."""
    times = []
    for _ in range(runs):
        for one in work:
            start = time.process_time()
            one()
            times.append(1e3 * (time.process_time() - start))
    return statistics.median(times), f"{min(times):.3g}-{max(times):.3g} ms"


def at_most(
    name: str, unit: str, ours: float, other: float | None, other_is: str, bar: float, spread: str
) -> Row:
    """A row that holds while ours costs no more than `bar` times the other."""
    return _row(operator.le, name, unit, ours, other, other_is, bar, spread)


def at_least(
    name: str, unit: str, ours: float, other: float | None, other_is: str, bar: float, spread: str
) -> Row:
    """A row that holds while ours does at least `bar` times as much as the other."""
    return _row(operator.ge, name, unit, ours, other, other_is, bar, spread)


def _row(
    keeps: Callable[[float, float], bool],
    name: str,
    unit: str,
    ours: float,
    other: float | None,
    other_is: str,
    bar: float,
    spread: str,
) -> Row:
    ratio = None if other is None else ours / other
    return Row(
        name=name,
        ours=ours,
        other=other,
        other_is=other_is,
        unit=unit,
        ratio=ratio,
        bar=bar,
        holds=ratio is None or keeps(ratio, bar),
        spread=spread,
    )


def as_document(bench: Bench, rows: Sequence[Row]) -> dict[str, object]:
    """The rows as JSON, with the machine and the versions they were measured on."""
    return {
        "bench": bench.name,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "versions": {name: _version(name) for name in bench.packages},
        "rows": [asdict(row) for row in rows],
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def as_table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [f"{'':44} {'ours':>10} {'other':>10} {'ratio':>7} {'bar':>6}"]
    for row in rows:
        mark = "ok" if row.holds else "MISSED"
        other = "-" if row.other is None else f"{row.other:.4g}"
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        spread = f"; ours {row.spread}" if row.spread else ""
        lines.append(
            f"{row.name:44} {row.ours:10.4g} {other:>10} {ratio:>7} {row.bar:6.3g}"
            f"  {mark}  [{row.unit}; other: {row.other_is}{spread}]"
        )
    return "\n".join(lines)
