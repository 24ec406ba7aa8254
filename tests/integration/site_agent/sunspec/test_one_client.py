"""A device that lets in one client only, as many inverters do: everything shares one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from contracts.inverter import FixedPowerFactor
from site_agent.config.devices import ModbusSettings
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.functions import SunSpecFunctions
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.devices.workshop import Workshop
from site_agent.domain.device import BatterySetpoint, BatterySpec, PvSpec
from site_agent.store.memory import MemoryKeyValues
from support.device_bench import Bench
from support.sunspec_image import common, image, model
from support.sunspec_server import ImageServer
from support.waiting import until

BATTERY = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=400e3, max_charge_w=150e3, max_discharge_w=150e3
)
POWER_FACTOR = FixedPowerFactor(while_="injecting", power_factor=0.95, absorbs_var=True)
PV = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)


@dataclass
class Turnstile:
    """In front of a server: a second connection is closed at once, and counted."""

    behind: int
    inside: int = 0
    turned_away: int = 0
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.inside:
            self.turned_away += 1
            writer.close()
            return
        self.inside += 1
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.behind)
        self.writers += [writer, onward]
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(reader, onward))
                tasks.create_task(_pass_on(onward_reader, writer))
        finally:
            self.inside -= 1

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Turnstile]:
        server = await asyncio.start_server(self.enter, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self.writers:
                writer.close()
            await server.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.mark.row("trap:S14")
async def test_battery_inverter_and_functions_of_one_host_share_its_only_connection(
    bench: Bench,
) -> None:
    words = image(
        common(),
        model(701, W=0, W_SF=0, St=1, InvSt=3),
        model(704, WSet=0, WSet_SF=0, WSetEna=0, PFWInjEna=0, PF_SF=-2),
        model(713, SoC=50, Pct_SF=0),
    )
    server = ImageServer(words)
    shop = Workshop("site", bench.clock, bench.wakes)
    async with server.serving(), Turnstile(server.port).standing() as gate:
        where = [ModbusSettings(host="127.0.0.1", port=gate.port, unit=unit) for unit in (1, 2)]
        links = [shop.link(one) for one in where]
        battery = SunSpecBattery(links[0], 1, BATTERY, clock=bench.clock, wake=bench.wakes)
        inverter = SunSpecPv(links[1], 2, PV, clock=bench.clock, wake=bench.wakes)
        functions = SunSpecFunctions(
            shop.link(where[0]), 1, device_id="b1", memory=MemoryKeyValues(), clock=bench.clock
        )
        async with asyncio.TaskGroup() as tasks:
            runs = [*(link.run() for link in shop.links.values()), battery.run(), inverter.run()]
            lives = [tasks.create_task(run) for run in runs]
            await until(lambda: battery.state(bench.clock.now()).online)
            await until(lambda: inverter.state(bench.clock.now()).online)
            await battery.set_power(BatterySetpoint(battery_id="b1", power_w=5e3, cause="test"))
            await functions.hold([POWER_FACTOR])
            for life in lives:
                life.cancel()
        assert len(shop.links) == 1
        assert gate.turned_away == 0
