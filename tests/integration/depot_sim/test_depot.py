"""Whole depots on their sockets: what the chargers say, the meter shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from depot_sim.main import run
from support.foreign_modbus import client
from support.waiting import PATIENCE_S, until

POWER, SCALE = 40_070 + 18, 40_070 + 22
"""203.W and its scale factor: model 203 follows 68 registers of model 1 and the marker."""


def settings(site_id: str, url: str, **changes: Any) -> DepotSettings:
    vehicle = {"id": "van", "id_tag": "T", "capacity_wh": 60_000, "soc_pct": 30, "max_ac_w": 11_040}
    charger = {"id": "CP-1", "version": "1.6", "url": url, "meter_interval_s": 2}
    values = {
        "site_id": site_id,
        "building": {"base_w": 9_000, "swing_w": 0},
        "chargers": [charger | {"vehicle": vehicle, "plug_in_after_s": 3}],
        "batteries": [
            {
                "id": "bess",
                "kind": "sunspec",
                "capacity_wh": 50_000,
                "max_charge_w": 20_000,
                "max_discharge_w": 20_000,
            }
        ],
        "pv": [{"id": "pv", "rated_w": 10_000, "clearness": 0.5, "swing": 0}],
    }
    return DepotSettings.model_validate(values | changes)


async def metered_w(addresses: DepotAddresses) -> float:
    async with client(addresses.meter) as link:
        power = await link.read_holding_registers(POWER, count=5, device_id=1)
    to_signed = AsyncModbusTcpClient.convert_from_registers
    types = AsyncModbusTcpClient.DATATYPE.INT16
    watts, scale = (to_signed([power.registers[i]], types) for i in (0, SCALE - POWER))
    assert isinstance(watts, int)
    assert isinstance(scale, int)
    return float(watts * 10.0**scale)


async def shows(depot: Depot, power_w: float) -> None:
    """Wait until the depot's meter shows this power."""
    async with asyncio.timeout(PATIENCE_S):
        while abs(await metered_w(depot.addresses) - power_w) > 10:  # noqa: ASYNC110 (a meter has no event)
            await asyncio.sleep(0.05)


async def test_the_meter_shows_the_charger(ocpp16: Any, clock: Any, background: Any) -> None:
    depot = Depot(settings("north", ocpp16.url), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        await shows(depot, 9_000 - 5_000)
        await ocpp16.until("StartTransaction")
        await shows(depot, 15_040)
        assert depot.plant.power_w == pytest.approx(15_040, abs=1)
        assert depot.addresses.batteries["bess"].port != depot.addresses.pv["pv"].port


async def test_planned_faults_strike(ocpp16: Any, clock: Any, background: Any) -> None:
    faults = [{"at_s": 8, "device": "CP-1", "kind": "kill", "for_s": 5}]
    depot = Depot(settings("north", ocpp16.url, faults=faults), clock)
    async with background(depot.run()):
        await ocpp16.until("StartTransaction")
        stopped = await ocpp16.until("StopTransaction")
        assert stopped["reason"] == "PowerLoss"


async def test_two_depots_live_in_one_process(clock: Any, ocpp16: Any, background: Any) -> None:
    north = Depot(settings("north", ocpp16.url, chargers=[]), clock)
    south = Depot(settings("south", ocpp16.url, chargers=[], pv=[]), clock)
    async with background(north.run(), south.run()):
        await until(lambda: north.plant.power_w == pytest.approx(4_000, abs=1))
        await until(lambda: south.plant.power_w == pytest.approx(9_000, abs=1))
        await shows(south, 9_000)


async def test_the_program_stops_when_told(clock: Any, ocpp16: Any) -> None:
    addresses: list[DepotAddresses] = []
    stopping = asyncio.Event()

    def ready(found: DepotAddresses) -> None:
        addresses.append(found)
        stopping.set()

    async with asyncio.timeout(60):
        await run(settings("north", ocpp16.url), clock, ready, stopping)
    assert addresses[0].meter.port > 0
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*addresses[0].meter)
