"""A small depot for `gridyard.simulate`: a few vans and plugs, quick to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from gridyard.simulate import scenario
from gridyard.simulate.measure import Result
from gridyard.simulate.night import Visit, drawn
from gridyard.simulate.run import Simulation
from gridyard.simulate.scenario import Case
from gridyard.simulate.strategies import STRATEGIES

BEGIN = "2026-03-03T18:00:00+01:00"


def site_document(plugs: int, limit_w: float, building_w: float = 12_000.0) -> dict[str, object]:
    return {
        "site_id": "yard",
        "data": "./data",
        "time_zone": "Europe/Berlin",
        "contract_limit_w": limit_w,
        "max_building_w": building_w,
        "circuit": {"limit_a": 400, "nodes": [{"id": "row", "limit_a": 300}]},
        "meter": {"kind": "sunspec", "host": "192.0.2.1"},
        "chargers": [
            {"id": f"p{n:02d}", "node": "row", "max_current_a": 16, "fail_safe_current_a": 0}
            for n in range(1, plugs + 1)
        ],
    }


def group(**changes: object) -> dict[str, object]:
    return {
        "name": "van",
        "count": 3,
        "arrives": ["18:10", "18:40"],
        "departs": ["23:30", "23:50"],
        "capacity_wh": 60_000,
        "arrival_soc_pct": [30, 50],
        "required_soc_pct": 70,
        "max_ac_w": 11_040,
        **changes,
    }


def case(
    folder: Path,
    *,
    plugs: int = 3,
    limit_w: float = 40_000.0,
    fleet: Sequence[dict[str, object]] = (),
    **changes: object,
) -> Case:
    """A scenario written to a folder and read back, as a user's would be."""
    (folder / "site.yaml").write_text(yaml.safe_dump(site_document(plugs, limit_w)))
    document = {
        "name": "small",
        "site": "site.yaml",
        "begin": BEGIN,
        "hours": 6,
        "building": {"base_w": 6_000, "swing_w": 500},
        "margin_share": 0.05,
        "fleet": list(fleet) or [group()],
        **changes,
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(document))
    return scenario.read(str(folder / "small.yaml"))


def run(of: Case, strategy: str = "llf", seed: int = 1, visits: tuple[Visit, ...] = ()) -> Result:
    return simulation(of, strategy, seed, visits).run()


def simulation(
    of: Case, strategy: str = "llf", seed: int = 1, visits: tuple[Visit, ...] = ()
) -> Simulation:
    return Simulation(of, drawn(of, seed, visits), STRATEGIES[strategy])
