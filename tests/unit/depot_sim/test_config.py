"""A depot's settings: the example loads, mistakes are named."""

from __future__ import annotations

import pytest

from contracts.config import load, loads
from contracts.errors import ConfigError
from contracts.testing import FakeClock
from depot_sim import build
from depot_sim.chargers.personality import PERSONALITIES
from depot_sim.config import EXAMPLE, DepotSettings
from depot_sim.depot import Depot
from depot_sim.faults import FaultKind

CHARGER = "{id: CP-1, version: '1.6', url: 'ws://localhost:9000'"


def test_the_example_loads() -> None:
    depot = load(EXAMPLE, DepotSettings)
    assert {charger.version for charger in depot.chargers} == {"1.6", "2.0.1"}
    assert depot.batteries
    assert depot.pv


def test_the_difficult_depot_has_every_personality_and_every_fault_of_a_charger() -> None:
    depot = load(EXAMPLE.with_name("difficult.yaml"), DepotSettings)
    entries = [entry for charger in depot.chargers for entry in charger.personality]
    names = {name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)}
    assert names == set(PERSONALITIES) - {"good"}
    assert {charger.version for charger in depot.chargers} == {"1.6", "2.0.1", "2.1"}
    chargers = Depot(depot, FakeClock()).chargers
    assert chargers["D-11"].station.personality.apply_delay_s == 30.0
    assert chargers["D-25"].station.outlets[1].evse.bidirectional
    now = FakeClock().now()
    vans = [build.vehicle(c.vehicle, now) for c in depot.chargers if c.vehicle is not None]
    assert {van.reports_soc for van in vans} == {True, False}
    assert min(van.battery_c for van in vans) < 0.0 < max(van.sleeps_after_s or 0 for van in vans)
    assert max(van.max_discharge_w for van in vans) == 11_040.0
    kinds = {fault.kind for fault in depot.faults}
    assert kinds >= {FaultKind.REBOOT, FaultKind.LAG, FaultKind.WRONG_CLOCK, FaultKind.FREEZE}


def test_the_field_depot_has_a_fault_of_every_sort_and_a_device_of_every_vendor() -> None:
    depot = load(EXAMPLE.with_name("field.yaml"), DepotSettings)
    assert {battery.kind for battery in depot.batteries} == {"sunspec", "sungrow"}
    assert {inverter.kind for inverter in depot.pv} == {"sunspec", "sungrow"}
    assert {meter.kind for meter in (depot.meter, *depot.meters)} == {"em540", "sdm630"}
    of_lines = {FaultKind.LATE, FaultKind.OFFLINE, FaultKind.DROP}
    of_values = {FaultKind.FREEZE, FaultKind.SIGN_FLIPPED, FaultKind.SCALE_CHANGE}
    of_setpoints = {FaultKind.IGNORES_WRITES, FaultKind.LATE_TIMER}
    of_the_grid = {FaultKind.FREQUENCY, FaultKind.OUTAGE}
    kinds = {fault.kind for fault in depot.faults}
    assert kinds >= of_lines | of_values | of_setpoints | of_the_grid | {FaultKind.LENGTH_CHANGE}
    hardware = Depot(depot, FakeClock())
    hardware.step(1.0)
    assert hardware.plant.phases_v != (230.0, 230.0, 230.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site_id: a.b", r"site_id: .*pattern"),
        ("site_id: a\nchargers: [{id: CP-1, version: 1.6, url: 'ws://x'}]", r":2: .*version"),
        (f"site_id: a\nchargers: [{CHARGER}, personality: [grumpy]}}]", r"grumpy.*amps-only"),
        (f"site_id: a\nchargers: [{CHARGER}}}, {CHARGER}}}]", r"ids used twice: CP-1"),
        (
            "site_id: a\nfaults: [{at_s: 1, device: pcc, kind: reboot}]",
            r"'pcc' knows busy, cut, .* not reboot",
        ),
        ("site_id: a\nfaults: [{at_s: 1, device: x, kind: kill}]", r"no device 'x'"),
        (
            f"site_id: a\nchargers: [{CHARGER}}}]\n"
            "faults: [{at_s: 1, device: CP-1, kind: drop, amount: 3}]",
            r"amount: drop has none",
        ),
        ("site_id: a\nbatteries: [{id: b, kind: steam}]", r":2: .*steam"),
        ("site_id: a\nmeter: {port: 70000}", r":2: meter.port"),
        ("site_id: a\nchargerz: []", r":2: chargerz"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loads(text, DepotSettings, name="depot.yaml")
