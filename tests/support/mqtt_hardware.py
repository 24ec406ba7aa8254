"""Simulated devices on MQTT at a broker of their own, and ours that meet them there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from contracts.clock import SystemClock
from contracts.mqtt_broker import MqttUser, mqtt_config
from contracts.nats_server import NatsServer
from contracts.time import Clock
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.mqtt.device import Broker, MqttDevice
from depot_sim.mqtt.meter import MqttMeter
from depot_sim.mqtt.pv import MqttPv
from depot_sim.physics.battery import Battery
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from site_agent.devices.mqtt.broker import BrokerAddress
from site_agent.ports import Device

PORTAL = "c0619ab12345"
_EVERYTHING = ("depot/#", f"N/{PORTAL}/#", f"R/{PORTAL}/#", f"W/{PORTAL}/#")
_LOGIN = MqttUser(
    name="everyone", password="for-tests-only", publish=_EVERYTHING, subscribe=_EVERYTHING
)


class Elsewhere:
    """A broker that is not ours."""

    def __init__(self, folder: Path) -> None:
        config = mqtt_config(store=folder / "js", users=[_LOGIN])
        self.server = NatsServer(config, folder / "broker", SystemClock())

    @property
    def address(self) -> BrokerAddress:
        """Our way in."""
        return BrokerAddress(
            host="127.0.0.1",
            port=self.server.mqtt_port,
            username=_LOGIN.name,
            password=_LOGIN.password,
        )

    @property
    def of_devices(self) -> Broker:
        """The devices' way in."""
        port = self.server.mqtt_port
        return Broker(host="127.0.0.1", port=port, username=_LOGIN.name, password=_LOGIN.password)


class Overcast:
    """A sky that offers half of everything."""

    def share(self, now_s: float) -> float:
        del now_s
        return 0.5


class Hardware:
    """A battery, a roof and a meter; the plant is what they make of it."""

    def __init__(self, broker: Broker, clock: Clock, portal: str | None) -> None:
        self._clock = clock
        self.plant = Plant()
        self.building_w = 6_900.0
        cells = Battery(capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=60e3, soc_pct=50)
        self.battery = MqttBattery(
            id="b1",
            site_id="d1",
            broker=broker,
            battery=cells,
            clock=clock,
            elapsed=clock.monotonic,
            portal=portal,
        )
        self.roof = MqttPv(
            id="roof",
            site_id="d1",
            broker=broker,
            pv=Pv(rated_w=20_000.0, sky=Overcast()),
            clock=clock,
            elapsed=clock.monotonic,
            portal=portal,
        )
        self.meter = MqttMeter(
            id="meter",
            site_id="d1",
            broker=broker,
            plant=lambda: self.plant,
            clock=clock,
            portal=portal,
            state_interval_s=0.5,
        )

    @property
    def devices(self) -> Sequence[MqttDevice]:
        """All of them."""
        return (self.battery, self.roof, self.meter)

    async def pass_time(self) -> None:
        """Let the plant move on until cancelled."""
        last_s = self._clock.monotonic()
        while True:
            await self._clock.sleep(0.2)
            now_s = self._clock.monotonic()
            for device in (self.battery, self.roof):
                device.step(now_s, now_s - last_s)
            third_w = self.building_w / 3
            building = (third_w, third_w, third_w)
            flows = [building, self.battery.phases_w, self.roof.phases_w]
            self.plant = self.plant.step(now_s - last_s, flows)
            last_s = now_s


@asynccontextmanager
async def living(hardware: Hardware) -> AsyncIterator[Hardware]:
    """It runs until the context ends."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(device.run()) for device in hardware.devices]
        running.append(tasks.create_task(hardware.pass_time()))
        try:
            yield hardware
        finally:
            for task in running:
                task.cancel()


@asynccontextmanager
async def working(*devices: Device) -> AsyncIterator[None]:
    """Ours run until the context ends."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(device.run()) for device in devices]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
