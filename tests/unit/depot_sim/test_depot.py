"""A depot without its sockets: the meter is the sum of everything, seeds repeat."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.config import load
from contracts.testing import FakeClock
from depot_sim.chargers.events import EndReason
from depot_sim.chargers.local_list import Listed
from depot_sim.config import EXAMPLE, DepotSettings
from depot_sim.depot import Depot
from depot_sim.faults import FaultKind
from depot_sim.physics.vehicle import Vehicle

YES = Listed(accepted=True)


def example() -> Depot:
    return Depot(load(EXAMPLE, DepotSettings), FakeClock())


def van(name: str) -> Vehicle:
    return Vehicle(
        id=name, id_tag=name, capacity_wh=60_000, soc_pct=50, max_ac_w=22_000, max_dc_w=60_000
    )


@given(dt_s=st.lists(st.floats(0.05, 60), min_size=1, max_size=15), data=st.data())
@settings(deadline=None, max_examples=40)
def test_the_meter_is_the_sum_of_what_is_connected(dt_s: list[float], data: st.DataObject) -> None:
    depot = example()
    charging = data.draw(st.sets(st.sampled_from(sorted(depot.chargers))))
    for name in charging:
        depot.plug(name, van(name))
        depot.chargers[name].station.authorized(1, name, FakeClock().now(), YES)
    net_wh = 0.0
    for step_s in dt_s:
        depot.step(step_s)
        devices = (*depot.chargers.values(), *depot.batteries.values(), *depot.pv.values())
        total_w = depot.building_w + sum(sum(device.phases_w) for device in devices)
        assert depot.plant.power_w == pytest.approx(total_w)
        net_wh += total_w * step_s / 3600
    assert depot.plant.import_wh - depot.plant.export_wh == pytest.approx(net_wh)
    assert {name for name, charger in depot.chargers.items() if charger.power_w > 0} == charging


def test_equal_seeds_give_equal_weather() -> None:
    one, other = example(), example()
    one.step(1.0)
    other.step(1.0)
    assert one.plant == other.plant


def test_plugging_and_unplugging() -> None:
    depot = example()
    depot.plug("CP-1", van("a"))
    with pytest.raises(ValueError, match="taken by a"):
        depot.plug("CP-1", van("b"))
    vehicle = depot.unplug("CP-1")
    assert vehicle
    assert vehicle.id == "a"
    assert depot.unplug("CP-1") is None


def test_energy_flows_only_inside_a_transaction() -> None:
    depot = example()
    charger, now = depot.chargers["CP-1"], FakeClock().now()
    depot.plug("CP-1", van("a"))
    depot.step(5.0)
    assert charger.power_w == 0
    charger.station.authorized(1, "a", now, YES)
    depot.step(5.0)
    assert charger.power_w == pytest.approx(22_000)
    charger.station.end(1, EndReason.REMOTE, now)
    assert charger.power_w == 0
    depot.step(5.0)
    assert charger.power_w == 0


def test_addresses_are_known_only_while_running() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = example().addresses


def test_faults_go_to_their_device() -> None:
    depot = example()
    depot.fail("pcc", FaultKind.FREEZE, 5)
    with pytest.raises(KeyError):
        depot.fail("nobody", FaultKind.FREEZE, 5)
    with pytest.raises(ValueError, match="no fault offline here"):
        depot.fail("CP-1", FaultKind.OFFLINE, 5)


def test_a_charger_with_a_wrong_clock_says_so() -> None:
    depot = example()
    charger = depot.chargers["CP-1"]
    right = charger.now()
    depot.fail("CP-1", FaultKind.WRONG_CLOCK, None, amount=-90.0)
    assert charger.now() - right == timedelta(seconds=-90)
    depot.fail("CP-1", FaultKind.WRONG_CLOCK, 0)
    assert charger.now() == right


def test_a_stuck_meter_is_stuck_only_while_it_is() -> None:
    depot = example()
    outlet = depot.chargers["CP-1"].station.outlets[1]
    depot.fail("CP-1", FaultKind.FREEZE, None)
    depot.step(1.0)
    depot.step(1.0)
    assert outlet.meter_stuck_at is not None
    depot.fail("CP-1", FaultKind.FREEZE, 0)
    depot.step(1.0)
    assert outlet.meter_stuck_at is None
