"""The depots that come with the simulator, and the agent's settings for them."""

from __future__ import annotations

from contracts.config import load
from depot_sim.config import EXAMPLE, DepotSettings
from site_agent.config import SiteSettings


def test_the_agent_of_the_difficult_depot_knows_every_charger() -> None:
    depot = load(EXAMPLE.with_name("difficult.yaml"), DepotSettings)
    site = load(EXAMPLE.with_name("difficult-site.yaml"), SiteSettings)
    assert site.site_id == depot.site_id
    assert site.meter.kind == "sunspec"
    assert site.meter.port == depot.meter.port
    assert {charger.url for charger in depot.chargers} == {f"ws://127.0.0.1:{site.ocpp.port}"}
    settings = {charger.id: charger for charger in site.chargers}
    assert list(settings) == [charger.id for charger in depot.chargers]
    for charger in depot.chargers:
        ours = settings[charger.id]
        assert ours.kind == "ocpp"
        assert f"ocpp{charger.version}" in ours.versions
        assert ours.max_current_a == charger.rated_a
        assert bool(ours.max_discharge_a) == charger.bidirectional


def test_the_agent_of_the_field_depot_knows_every_device() -> None:
    depot = load(EXAMPLE.with_name("field.yaml"), DepotSettings)
    site = load(EXAMPLE.with_name("field-site.yaml"), SiteSettings)
    assert site.site_id == depot.site_id
    bus = depot.buses[0]
    ports = {one.id: bus.port if one.bus else one.port for one in depot.devices}  # type: ignore[union-attr]
    assert site.meter.port == ports[depot.meter.id]  # type: ignore[union-attr]
    ours = (*site.batteries, *site.pv, *site.chargers, *site.telecontrol)
    ports_of_ours = {one.id: one.port for one in ours}  # type: ignore[union-attr]
    for part in (*depot.parts, *depot.contacts):
        assert ports_of_ours[part.id] == ports[part.id]
    for battery, hardware in zip(site.batteries, depot.batteries, strict=True):
        assert battery.max_charge_w == hardware.max_charge_w
    for inverter, roof in zip(site.pv, depot.pv, strict=True):
        assert inverter.rated_w == roof.rated_w
    for charger, socket in zip(site.chargers, depot.modbus_chargers, strict=True):
        assert charger.fail_safe_current_a == socket.safe_a


def test_the_agent_of_the_depot_of_buses_knows_every_device() -> None:
    depot = load(EXAMPLE.with_name("buses.yaml"), DepotSettings)
    site = load(EXAMPLE.with_name("buses-site.yaml"), SiteSettings)
    assert site.site_id == depot.site_id
    ports = {wire.id: wire.port for wire in depot.wires}
    assert site.meter.kind == "mbus"
    assert site.meter.port == ports["grid-meter"]
    (battery,) = site.batteries
    assert battery.port == depot.batteries[0].port  # type: ignore[union-attr]
    assert battery.bms is not None
    assert battery.bms.channel == f"socket://127.0.0.1:{ports['cells']}"
    assert [sensor.port for sensor in site.sensors] == [ports["hall"]]  # type: ignore[union-attr]
