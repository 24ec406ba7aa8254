"""What runs found, for people on a terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from gridyard.simulate.many import SeedRow
from gridyard.simulate.measure import Result
from gridyard.simulate.scenario import Case
from site_agent.domain.yard.model import YardList

_NAMED = 5
_MINUTE_S, _LONG_MIN = 60.0, 120.0
_COLUMNS = (
    "strategy",
    "ready",
    "missing kWh",
    "charged kWh",
    "15-min kW",
    "peak kW",
    "over limit",
    "swaps",
)


def summary_lines(results: Sequence[Result], case: Case) -> Iterator[str]:
    """One line a strategy."""
    limit_kw = case.site.contract_limit_w / 1000
    first = results[0]
    begin = first.begin.astimezone(case.zone)
    yield (
        f"{case.settings.name}, seed {first.seed}: {case.settings.hours:g} h from "
        f"{begin:%Y-%m-%d %H:%M %Z}, limit {limit_kw:g} kW"
    )
    costs = any(one.cost is not None for one in results)
    yield from table((*_COLUMNS, "PV used", *(["cost"] if costs else [])), map(_cells, results))
    for one in results:
        yield from _late_lines(one, case)


def _cells(one: Result) -> list[str]:
    used = f"{one.pv_used_wh / one.pv_wh:.0%}" if one.pv_wh > 0 else "-"
    cells = [
        one.strategy,
        f"{one.ready}/{len(one.left)}",
        f"{one.missing_wh / 1000:.1f}",
        f"{one.charged_wh / 1000:.0f}",
        f"{one.demand_w / 1000:.1f}",
        f"{one.peak_w / 1000:.1f}",
        _span(one.over_total_s),
        str(one.swaps),
        used,
    ]
    return cells if one.cost is None else [*cells, f"{one.cost:.2f}"]


def _late_lines(one: Result, case: Case) -> Iterator[str]:
    late = [left for left in one.left if not left.ready]
    for left in late[:_NAMED]:
        yield (
            f"  {one.strategy}: {left.vehicle_id} left {left.departs.astimezone(case.zone):%H:%M} "
            f"at {left.soc_pct:.0f} % of {left.required_soc_pct:.0f} %, "
            f"{left.missing_wh / 1000:.1f} kWh short"
        )
    if len(late) > _NAMED:
        yield f"  {one.strategy}: and {len(late) - _NAMED} more"


def seed_lines(rows: Sequence[SeedRow]) -> Iterator[str]:
    """Many seeds, one line a strategy, and the seeds that failed."""
    strategies = dict.fromkeys(row.strategy for row in rows)
    seeds = {row.seed: row.feasible for row in rows}
    yield f"{len(seeds)} seeds, {sum(seeds.values())} of them feasible by the oracle"
    columns = (
        "strategy",
        "all ready",
        "where feasible",
        "vehicles ready",
        "15-min kW",
        "peak kW",
        "longest over",
        "limit kept",
        "cpu s",
    )
    yield from table(columns, (_seed_cells(name, rows) for name in strategies))
    for row in rows:
        if row.feasible and not row.all_ready:
            yield (
                f"  {row.strategy}, seed {row.seed}: {row.ready}/{row.vehicles} ready, "
                f"{row.missing_wh / 1000:.1f} kWh missing"
            )


def _seed_cells(strategy: str, rows: Sequence[SeedRow]) -> list[str]:
    mine = [row for row in rows if row.strategy == strategy]
    feasible = [row for row in mine if row.feasible]
    vehicles = sum(row.vehicles for row in mine)
    return [
        strategy,
        f"{sum(row.all_ready for row in mine)}/{len(mine)}",
        f"{sum(row.all_ready for row in feasible)}/{len(feasible)}",
        f"{sum(row.ready for row in mine) / vehicles:.2%}" if vehicles else "-",
        f"{max(row.demand_w for row in mine) / 1000:.1f}",
        f"{max(row.peak_w for row in mine) / 1000:.1f}",
        _span(max(row.over_s for row in mine)),
        f"{sum(row.within_limit for row in mine)}/{len(mine)}",
        f"{sum(row.wall_s for row in mine) / len(mine):.1f}",
    ]


def yard_lines(made: YardList, case: Case) -> Iterator[str]:
    """A yard list for people."""
    zone = case.zone
    yield f"yard list of {made.made_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    rows = (
        [
            f"{move.at.astimezone(zone):%H:%M}",
            f"{move.by.astimezone(zone):%H:%M}",
            move.vehicle_id,
            f"{move.from_evse or 'parking'} -> {move.to_evse or 'parking'}",
            move.why,
        ]
        for move in made.moves
    )
    yield from table(("at", "by", "vehicle", "move", "why"), rows)
    for name in made.without:
        yield f"  no plug for {name}"
    for name, wh in made.short_wh.items():
        yield f"  {name} will be {wh / 1000:.1f} kWh short"


def yard_document(made: YardList) -> dict[str, object]:
    """A yard list as JSON."""
    return {
        "made_at": made.made_at.isoformat(),
        "moves": [
            asdict(move) | {"at": move.at.isoformat(), "by": move.by.isoformat()}
            for move in made.moves
        ],
        "stays": [
            asdict(stay) | {"since": stay.since.isoformat(), "until": stay.until.isoformat()}
            for stay in made.stays
        ],
        "short_wh": dict(made.short_wh),
        "without": list(made.without),
    }


def result_document(one: Result) -> dict[str, object]:
    """A run as JSON; powers in W, energies in Wh, times in s."""
    return {
        "scenario": one.scenario,
        "strategy": one.strategy,
        "seed": one.seed,
        "begin": one.begin.isoformat(),
        "vehicles": len(one.left),
        "ready": one.ready,
        "missing_wh": round(one.missing_wh, 1),
        "limit_w": one.limit_w,
        "demand_w": round(one.demand_w, 1),
        "peak_w": round(one.peak_w, 1),
        "longest_over_s": round(one.over_s, 2),
        "total_over_s": round(one.over_total_s, 1),
        "nodes_longest_over_s": round(one.nodes_over_s, 2),
        "within_limit": one.within_limit,
        "import_wh": round(one.import_wh, 1),
        "export_wh": round(one.export_wh, 1),
        "pv_wh": round(one.pv_wh, 1),
        "pv_used_wh": round(one.pv_used_wh, 1),
        "charged_wh": round(one.charged_wh, 1),
        "swaps": one.swaps,
        "cost": one.cost,
        "decisions": one.decisions,
        "decide_s": round(one.decide_s, 2),
        "wall_s": round(one.wall_s, 2),
        "left": [
            asdict(left) | {"departs": left.departs.isoformat(), "ready": left.ready}
            for left in one.left
        ],
        "stays": [
            asdict(stay) | {"since": stay.since.isoformat(), "until": stay.until.isoformat()}
            for stay in one.stays
        ],
        "quarters_w": [round(watts, 1) for watts in one.quarters_w],
    }


def write_csv(folder: Path, results: Iterable[Result]) -> list[Path]:
    """Per strategy: vehicles, stays and what flowed every minute. The files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in results:
        stem = f"{one.scenario}-{one.seed}-{one.strategy}"
        left = [asdict(left) | {"ready": left.ready} for left in one.left]
        stays = [asdict(stay) for stay in one.stays]
        flows = [
            dict(zip(_FLOWS, values, strict=True))
            for values in zip(*(getattr(one.trace, name) for name in _FLOWS), strict=True)
        ]
        for what, rows in (("vehicles", left), ("stays", stays), ("flows", flows)):
            path = folder / f"{stem}-{what}.csv"
            _write(path, rows)
            written.append(path)
    return written


_FLOWS = ("minute", "import_w", "building_w", "pv_w", "storage_w", "charging_w")


def _write(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["none"])
        writer.writeheader()
        writer.writerows(rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they must be."""
    every = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in every) for i in range(len(head))]
    for row in every:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _span(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    minutes = seconds / _MINUTE_S
    return f"{minutes:.0f} min" if minutes < _LONG_MIN else f"{minutes / 60:.1f} h"
