"""The API's description is a promise: a change to it must be seen in review."""

import json
import os
from pathlib import Path

from support.gateway_web import World

SNAPSHOT = Path(__file__).parent / "openapi.json"


def test_the_description_is_the_committed_one(bare: World) -> None:
    """Run once with UPDATE_SNAPSHOTS=1 to accept a change."""
    now = json.dumps(bare.app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(now)
    assert now == SNAPSHOT.read_text()


def test_every_operation_is_described_and_every_number_has_a_unit(bare: World) -> None:
    description = bare.app.openapi()
    for operations in description["paths"].values():
        for operation in operations.values():
            assert operation["description"]
    plain = {
        name
        for schema in description["components"]["schemas"].values()
        for name, field in schema.get("properties", {}).items()
        if "number" in json.dumps(field.get("type", field.get("anyOf", "")))
    }
    units = ("_w", "_wh", "_s", "_pct", "_kwh", "_per_min", "_kg", "_share")
    unitless = {"value", "coverage", "share", "equivalent_full", "adjustment", "cost", "even_cost"}
    beside_its_unit = {"before", "after", "by", "amount"}
    assert {name for name in plain if not name.endswith(units)} <= unitless | beside_its_unit
