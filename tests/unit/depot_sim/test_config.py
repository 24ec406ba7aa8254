"""A depot's settings: the example loads, mistakes are named."""

from __future__ import annotations

import pytest

from contracts.config import load, loads
from contracts.errors import ConfigError
from depot_sim.config import EXAMPLE, DepotSettings

CHARGER = "{id: CP-1, version: '1.6', url: 'ws://localhost:9000'"


def test_the_example_loads() -> None:
    depot = load(EXAMPLE, DepotSettings)
    assert {charger.version for charger in depot.chargers} == {"1.6", "2.0.1"}
    assert depot.batteries
    assert depot.pv


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site_id: a.b", r"site_id: .*pattern"),
        ("site_id: a\nchargers: [{id: CP-1, version: 1.6, url: 'ws://x'}]", r":2: .*version"),
        (f"site_id: a\nchargers: [{CHARGER}, personality: [grumpy]}}]", r"grumpy.*amps-only"),
        (f"site_id: a\nchargers: [{CHARGER}}}, {CHARGER}}}]", r"ids used twice: CP-1"),
        (
            "site_id: a\nfaults: [{at_s: 1, device: pcc, kind: kill}]",
            r"'pcc' knows freeze, offline",
        ),
        ("site_id: a\nfaults: [{at_s: 1, device: x, kind: kill}]", r"no device 'x'"),
        ("site_id: a\nbatteries: [{id: b, kind: steam}]", r":2: .*steam"),
        ("site_id: a\nmeter: {port: 70000}", r":2: meter.port"),
        ("site_id: a\nchargerz: []", r":2: chargerz"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loads(text, DepotSettings, name="depot.yaml")
