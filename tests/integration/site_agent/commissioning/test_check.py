"""Devices checked on themselves: a sound depot passes, each fault is named with what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contracts.config import loads
from contracts.errors import ConfigError
from depot_sim.faults import FaultKind
from site_agent.config import SiteSettings
from site_agent.devices.commissioning import looks
from site_agent.devices.commissioning.check import check, movable
from site_agent.devices.commissioning.verdict import Line, Verdict
from site_agent.store.memory import MemorySessions
from support.commissioning import DEPOT, works
from support.leaping_clock import leaping
from support.ports import free_port


@leaping
async def test_a_sound_depot_passes_and_nothing_is_written(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        lines = await depot.lines(depot.site())
        failed = {key: line for key, line in lines.items() if line.verdict is Verdict.FAIL}
        assert failed == {}
        assert lines["meter", "identity"].detail.startswith("Gridyard Simulated PCC meter")
        assert lines["bess", "ratings"].verdict is Verdict.OK
        assert lines["roof", "sign"].verdict is Verdict.OK
        for device in ("bess", "roof"):
            assert lines[device, "setpoint"].verdict is Verdict.WARN
            assert "--write" in lines[device, "setpoint"].hint
        assert depot.depot.batteries["bess"].battery.power_w == 0.0


@leaping
async def test_setpoints_are_obeyed_kept_alive_and_lapse(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        site = depot.site()
        for device in ("bess", "roof"):
            lines = await depot.lines(site, device, device)
            assert {key[0] for key in lines} == {device}
            steps = ("setpoint", "response", "re-arm", "lapse", "released")
            told = {step: lines[device, step] for step in steps}
            assert {line.verdict for line in told.values()} == {Verdict.OK}, told
            assert lines[device, "meter sees it"].verdict is not Verdict.FAIL
        assert await depot.memory.get("sunspec-lapse/bess") == "device"  # for the agent


@pytest.mark.parametrize(
    ("device", "kind", "amount", "step", "word"),
    [
        ("pcc", FaultKind.SENTINEL, None, "points", "watch"),
        ("pcc", FaultKind.OFFLINE, None, "reach", "unit id"),
        ("pcc", FaultKind.WRONG_UNIT, None, "reach", "unit id"),
        ("pcc", FaultKind.BUSY, None, "reach", "unit id"),
        ("pcc", FaultKind.SCALED, 40.0, "plausible", "scale"),
    ],
)
@leaping
async def test_what_is_wrong_with_a_meter_is_said(
    tmp_path: Path, device: str, kind: FaultKind, amount: float | None, step: str, word: str
) -> None:
    async with works(tmp_path) as depot:
        depot.depot.fail(device, kind, None, amount)
        lines = await depot.lines(depot.site(), "meter")
        assert lines["meter", step].verdict is Verdict.FAIL, lines
        assert word in lines["meter", step].hint


@leaping
async def test_a_meter_that_counts_the_other_way_is_found(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        await depot.clock.sleep(20)
        right = await depot.lines(depot.site(), "meter")
        assert right["meter", "sign"].verdict is not Verdict.FAIL
        turned = await depot.lines(depot.site(meter="invert: true"), "bess", "bess")
        assert turned["bess", "meter sees it"].verdict is Verdict.FAIL


@leaping
async def test_a_frozen_meter_is_noticed(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        await depot.lines(depot.site(), "meter")  # it has something to hold on to
        depot.depot.fail("pcc", FaultKind.FREEZE, None)
        lines = await depot.lines(depot.site(), "meter")
        assert lines["meter", "moves"].verdict is Verdict.WARN


@leaping
async def test_a_battery_that_confirms_and_does_nothing_is_found(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        depot.depot.fail("bess", FaultKind.IGNORES_WRITES, None, 0)
        lines = await depot.lines(depot.site(), "bess", "bess")
        assert lines["bess", "response"].verdict is Verdict.FAIL
        assert "remote control" in lines["bess", "response"].hint
        assert ("bess", "lapse") not in lines


@leaping
async def test_a_battery_that_turns_the_setpoint_round_is_found(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        lines = await depot.lines(depot.site(bess="invert_setpoint: true"), "bess", "bess")
        assert lines["bess", "response"].verdict is Verdict.FAIL
        assert "invert_setpoint" in lines["bess", "response"].hint


@leaping
async def test_nothing_is_moved_that_the_connection_has_no_room_for(tmp_path: Path) -> None:
    text = DEPOT.replace("base_w: 12000", "base_w: 82000")
    async with works(tmp_path, text=text) as depot:
        site = depot.site()
        battery = await depot.lines(site, "bess", "bess")
        inverter = await depot.lines(site, "roof", "roof")
        depot.depot.fail("pcc", FaultKind.OFFLINE, None)
        blind = await depot.lines(site, "bess", "bess")
    assert "discharging" in battery["bess", "setpoint"].detail
    assert battery["bess", "lapse"].verdict is Verdict.OK
    assert "no room for what it would stop making" in inverter["roof", "setpoint"].detail
    assert ("roof", "released") not in inverter
    assert "discharging" in blind["bess", "setpoint"].detail
    assert blind["bess", "meter sees it"].verdict is Verdict.WARN


@leaping
async def test_a_trial_that_is_broken_off_lets_go_at_once(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        hardware = depot.depot.batteries["bess"]
        moved = asyncio.Event()

        def tell(line: Line) -> None:
            if line.step == "response":
                moved.set()

        checking = asyncio.create_task(
            check(
                depot.site(),
                depot.clock,
                MemorySessions(),
                device="bess",
                moved=frozenset({"bess"}),
                tell=tell,
            )
        )
        await moved.wait()
        assert hardware.battery.power_w == pytest.approx(3750)
        checking.cancel()
        await asyncio.wait({checking})
        assert checking.cancelled()
        await depot.clock.sleep(2)  # its own timer would take 15
        assert hardware.battery.power_w == 0.0


@leaping
async def test_a_setpoint_that_could_not_be_taken_back_is_said(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        told: dict[str, Line] = {}

        def tell(line: Line) -> None:
            told[line.step] = line
            if line.step == "response":
                depot.depot.fail("bess", FaultKind.OFFLINE, None)

        await check(
            depot.site(),
            depot.clock,
            MemorySessions(),
            device="bess",
            moved=frozenset({"bess"}),
            tell=tell,
        )
    assert told["setpoint"].verdict is Verdict.FAIL
    assert told["released"].verdict is Verdict.FAIL
    assert "its timer does, after 15 s" in told["released"].detail


@pytest.mark.row("trap:S8")
@leaping
async def test_a_timer_that_never_runs_out_is_found(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        depot.depot.fail("bess", FaultKind.NO_REVERSION, None)
        lines = await depot.lines(depot.site(), "bess", "bess")
        assert lines["bess", "lapse"].verdict is not Verdict.OK
        assert "lapse: none" in lines["bess", "lapse"].hint
        assert await depot.memory.get("sunspec-lapse/bess") == "none"  # for the agent


@pytest.mark.row("trap:S9")
@leaping
async def test_a_timer_a_third_late_is_allowed_for(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        depot.depot.fail("bess", FaultKind.LATE_TIMER, None)
        lines = await depot.lines(depot.site(), "bess", "bess")
        assert lines["bess", "lapse"].verdict is Verdict.OK


@leaping
async def test_too_little_sun_is_no_failure(tmp_path: Path) -> None:
    text = """
site_id: depot
batteries:
  - {id: bess, kind: sunspec, capacity_wh: 60000, max_charge_w: 30000, max_discharge_w: 30000}
pv: [{id: roof, rated_w: 30000, clearness: 0.01, swing: 0.0}]
"""
    async with works(tmp_path, text=text) as dim:
        lines = await dim.lines(dim.site(), "roof", "roof")
    assert lines["roof", "setpoint"].verdict is Verdict.WARN
    assert "more light" in lines["roof", "setpoint"].detail


@leaping
async def test_the_wrong_device_at_an_address_is_named(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        where = depot.depot.addresses
        text = depot.text().replace(f"port: {where.meter.port},", f"port: {where.pv['roof'].port},")
        lines = await depot.lines(loads(text, SiteSettings, name="site"), "meter")
        assert lines["meter", "identity"].verdict is Verdict.FAIL
        assert "is pv, the settings want a meter" in lines["meter", "identity"].detail


@leaping
async def test_a_device_nobody_has_is_a_plain_mistake(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        assert movable(depot.site(), None) == ["bess", "roof"]
        assert movable(depot.site(), "meter") == []
        with pytest.raises(ConfigError, match="there are meter, bess, roof"):
            movable(depot.site(), "garage")


MAKERS = """
site_id: depot
drift_period_s: 40
meter: {kind: em540}
building: {base_w: 16000, swing_w: 2000}
batteries:
  - {id: sh, kind: sungrow, capacity_wh: 20000, max_charge_w: 10000, max_discharge_w: 10000,
     reaction_s: 1.5, ramp_w_per_s: 3000, standby_w: 40}
  - {id: multi, kind: victron, unit_id: 227, capacity_wh: 20000, max_charge_w: 10000,
     max_discharge_w: 10000}
modbus_chargers:
  - {id: ac, vehicle: {id: van, id_tag: TAG-1, capacity_wh: 68000, soc_pct: 35, max_ac_w: 11040}}
"""
THEIR_SITE = """
site_id: site
data: {data}
contract_limit_w: 60000
max_building_w: 20000
circuit: {{limit_a: 100}}
meter: {{kind: profile, profile: carlo-gavazzi.em540, host: 127.0.0.1, port: {meter}}}
batteries:
  - {{id: sh, kind: profile, profile: sungrow.sh, host: 127.0.0.1, port: {sh},
     capacity_wh: 20000, max_charge_w: 10000, max_discharge_w: 10000}}
  - {{id: multi, kind: profile, profile: victron.multi, host: 127.0.0.1, port: {multi},
     capacity_wh: 20000, max_charge_w: 10000, max_discharge_w: 10000, lapse: none}}
chargers:
  - {{id: ac, kind: profile, profile: alfen.ng9xx, host: 127.0.0.1, port: {ac}}}
"""


@leaping
async def test_devices_with_their_makers_registers_are_checked_by_their_profiles(
    tmp_path: Path,
) -> None:
    async with works(tmp_path, text=MAKERS) as depot:
        where = depot.depot.addresses
        text = THEIR_SITE.format(
            data=tmp_path,
            meter=where.meter.port,
            sh=where.batteries["sh"].port,
            multi=where.batteries["multi"].port,
            ac=where.chargers["ac"].port,
        )
        site = loads(text, SiteSettings, name="site")
        lines = await depot.lines(site, None, "sh", "multi")
    failed = {key: line for key, line in lines.items() if line.verdict is Verdict.FAIL}
    assert failed == {}
    assert lines["sh", "lapse"].verdict is Verdict.OK
    assert "timer of 60 s" in lines["sh", "re-arm"].detail
    assert "never ends by itself" in lines["multi", "lapse"].detail
    assert lines["multi", "response"].verdict is Verdict.OK
    assert "unit 227 answers" in lines["multi", "reach"].detail  # its profile's usual one
    assert lines["ac", "points"].verdict is Verdict.OK
    assert ("ac", "sign") not in lines


ON_MQTT = """
site_id: site
meter: {{id: pcc}}
batteries:
  - {{id: bess, kind: mqtt, capacity_wh: 20000, max_charge_w: 10000, max_discharge_w: 10000,
     broker: {{port: {broker}, username: bess, password: login-of-bess}}}}
"""
MQTT_SITE = """
site_id: site
data: {data}
contract_limit_w: 60000
max_building_w: 20000
circuit: {{limit_a: 100}}
meter: {{host: 127.0.0.1, port: {meter}}}
mqtt: {{port: {broker}}}
batteries:
  - {{id: {name}, kind: mqtt, password: login-of-bess, capacity_wh: 20000, max_charge_w: 10000,
     max_discharge_w: 10000}}
"""


@pytest.mark.parametrize("name", ["bess", "another"])
async def test_a_battery_on_mqtt_is_met_at_the_sites_own_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In real time, for the broker is a process of its own."""
    known = name == "bess"
    monkeypatch.setattr(looks, "WATCH_S", 3.0)
    monkeypatch.setattr(looks, "FIRST_S", 40.0 if known else 2.0)
    port = free_port()
    async with works(tmp_path, text=ON_MQTT.format(broker=port)) as depot:
        meter = depot.depot.addresses.meter.port
        text = MQTT_SITE.format(data=tmp_path, meter=meter, broker=port, name=name)
        lines = await depot.lines(loads(text, SiteSettings, name="site"), name)
    points = lines[name, "points"]
    assert points.verdict is (Verdict.OK if known else Verdict.FAIL)
    assert ("its login" in points.hint) is not known
    assert (name, "identity") not in lines
