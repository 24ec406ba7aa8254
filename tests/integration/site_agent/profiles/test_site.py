"""A whole site on profiles: meter, charger, battery and inverter of different makers."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.site_link import codec
from contracts.site_link.messages import Measurement
from site_agent.config import SiteSettings
from site_agent.main import run
from site_agent.store.sqlite import DATABASE, open_store
from support.leaping_clock import leaping, leaping_clock
from support.vendor_yard import Yard, van
from support.waiting import until

CELLS = {"capacity_wh": 40_000, "max_charge_w": 10_000, "max_discharge_w": 10_000}


def settings(data: Path, ports: list[int], **more: object) -> SiteSettings:
    meter, charger, battery, roof = (
        {"kind": "profile", "host": "127.0.0.1", "port": port, "timeout_s": 5} for port in ports
    )
    facts: dict[str, object] = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 30_000,
        "max_building_w": 12_000,
        "circuit": {"limit_a": 63},
        "meter": {**meter, "profile": "carlo-gavazzi.em540"},
        "chargers": [{**charger, "id": "ac", "profile": "alfen.ng9xx"}],
        "batteries": [{**battery, "id": "rack", "profile": "sungrow.sh", **CELLS}],
        "pv": [{**roof, "id": "roof", "profile": "sungrow.sg", "rated_w": 30_000, "lapse": "none"}],
        "sensors": [{**meter, "id": "grid", "profile": "carlo-gavazzi.em540"}],
        "ocpp": {"host": "127.0.0.1", "port": 0},
        "strangers": {"stay_h": 4, "required_wh": 30_000},
        "link": {"servers": ["tls://127.0.0.1:9"], "credentials": data / "none"},
        "telemetry_s": 2,
    }
    return SiteSettings.model_validate(facts | more)


def told(database: Path, point: str) -> list[float]:
    """What has been told of a point, oldest first."""
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
    connection.close()
    rows = [codec.decode_row(seq, body).row for seq, body in found]
    return [
        row.value
        for row in rows
        if isinstance(row, Measurement) and row.point == point and row.value is not None
    ]


@pytest.mark.row("truth:T3")
@leaping
async def test_a_charger_on_modbus_is_steered_billed_and_told_like_any_other(
    tmp_path: Path,
) -> None:
    clock = leaping_clock()
    assert clock is not None
    yard, stopping = Yard(clock, building_w=9000.0), asyncio.Event()
    devices = (yard.meter, yard.alfen, yard.sungrow, yard.roof)
    async with yard.serving(*devices) as ports, asyncio.TaskGroup() as tasks:
        agent = tasks.create_task(run(settings(tmp_path, ports), clock, stopping))
        yard.alfen.plug(van())
        await until(lambda: yard.alfen.evse.power_w > 6000.0)
        begun_s = clock.monotonic()
        highest_w = 0.0

        def charged_for(seconds: float) -> bool:
            nonlocal highest_w
            highest_w = max(highest_w, yard.plant().power_w)
            return clock.monotonic() > begun_s + seconds

        await until(lambda: charged_for(60.0))
        assert highest_w <= 30_000.0
        assert yard.alfen.evse.power_w > 6000.0
        yard.building_w = 28_000.0
        await until(lambda: yard.plant().power_w <= 30_000.0)
        yard.alfen.unplug()
        gone_s = clock.monotonic()
        await until(lambda: clock.monotonic() > gone_s + 6.0)
        stopping.set()
        await agent
    database = tmp_path / DATABASE
    assert max(told(database, "evse/ac/power_w")) > 6000.0
    assert max(told(database, "evse/ac/limit_w")) > 4000.0
    assert max(told(database, "pcc_power_w")) > 9000.0
    assert told(database, "sensor/grid/frequency_hz")[-1] == pytest.approx(50.0)
    store = open_store(database, clock.now())
    sessions = await store.sessions.sessions(clock.now().replace(year=2000), clock.now())
    store.close()
    (session,) = sessions
    assert session.ended_at is not None
    assert (session.energy.energy_wh or 0.0) == pytest.approx(yard.alfen.evse.register_wh, rel=0.05)


@leaping
async def test_a_battery_that_keeps_its_setpoint_is_at_rest_after_an_end_in_order(
    tmp_path: Path,
) -> None:
    clock = leaping_clock()
    assert clock is not None
    yard, stopping = Yard(clock, building_w=40_000.0), asyncio.Event()
    devices = (yard.meter, yard.alfen, yard.victron, yard.roof)
    async with yard.serving(*devices) as ports, asyncio.TaskGroup() as tasks:
        battery = {"kind": "profile", "host": "127.0.0.1", "port": ports[2], "timeout_s": 5}
        victron = {**battery, "id": "multi", "profile": "victron.multi", "lapse": "none", **CELLS}
        made = settings(tmp_path, ports, batteries=[victron])
        agent = tasks.create_task(run(made, clock, stopping))
        await until(lambda: yard.victron.battery.power_w < -3000.0)
        stopping.set()
        await agent
        await until(lambda: yard.victron.battery.power_w == 0.0)


async def test_a_profile_that_there_is_none_of_ends_the_start(tmp_path: Path) -> None:
    wrong = {"kind": "profile", "host": "127.0.0.1", "port": 9, "profile": "acme.nothing"}
    broken = settings(tmp_path, [9, 9, 9, 9], meter=wrong)
    with pytest.raises(BaseExceptionGroup) as caught:
        await run(broken, SystemClock(), asyncio.Event())
    assert caught.group_contains(ConfigError, match=r"no profile 'acme.nothing'")
