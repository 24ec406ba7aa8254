"""Devices that speak our own scheme, at the embedded broker: with and without TLS, well and ill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiomqtt
import pytest
from structlog.testing import capture_logs

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.errors import PermanentError, TransientError
from contracts.identity import client_context
from contracts.mqtt_broker import BrokerTls
from contracts.reading import Quality
from depot_sim.faults import FaultKind
from depot_sim.mqtt.device import Broker
from site_agent.devices.mqtt.broker import Access, BrokerAddress, SiteBroker
from site_agent.devices.mqtt.device import TopicSource, access, make_source
from site_agent.devices.mqtt.library import load_map
from site_agent.devices.points.battery import PointBattery
from site_agent.devices.points.meter import PointMeter
from site_agent.devices.points.pv import PointPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, PvSetpoint, PvSpec
from support.device_bench import Wakes
from support.fast_clock import FastClock
from support.mqtt import broker_of, names
from support.mqtt_hardware import Hardware, living, working
from support.waiting import until

MAPS = {"b1": "gridyard.battery", "roof": "gridyard.pv", "meter": "gridyard.meter"}
PASSWORD = "only-for-tests"
LEASE_S = 6.0
CELLS = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=60e3
)
ROOF = PvSpec(pv_id="roof", node="pcc", rated_w=20e3)


@dataclass
class Ours:
    """Three devices as the control loop has them."""

    clock: FastClock
    battery: PointBattery
    roof: PointPv
    meter: PointMeter
    wires: dict[str, TopicSource]

    def power_w(self) -> float | None:
        """What the meter shows, if that is good."""
        reading = self.meter.state(self.clock.now()).power_w
        return reading.value if reading.quality is Quality.GOOD else None

    def all_online(self) -> bool:
        now = self.clock.now()
        devices_online = self.battery.state(now).online and self.roof.state(now).online
        return devices_online and self.power_w() is not None


def accesses() -> list[Access]:
    return [
        access(load_map(topic_map), names(one), name=one, password=PASSWORD)
        for one, topic_map in MAPS.items()
    ]


def ours(address: BrokerAddress, clock: FastClock) -> Ours:
    wires = {
        one: make_source(
            address, load_map(topic_map), names(one), name=one, clock=clock, valid_for_s=LEASE_S
        )
        for one, topic_map in MAPS.items()
    }
    wake = Wakes()
    return Ours(
        clock=clock,
        battery=PointBattery(wires["b1"], CELLS, clock=clock, wake=wake),
        roof=PointPv(wires["roof"], ROOF, clock=clock, wake=wake),
        meter=PointMeter(wires["meter"], name="meter", clock=clock, wake=wake),
        wires=wires,
    )


@pytest.fixture
async def clock() -> FastClock:
    return FastClock(10.0)


@pytest.fixture
async def site_broker(tmp_path: Path) -> AsyncIterator[SiteBroker]:
    broker = broker_of(tmp_path / "mqtt", SystemClock(), accesses())
    async with serving(broker):
        yield broker


@asynccontextmanager
async def serving(broker: SiteBroker) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(broker.run())
        async with asyncio.timeout(60):
            await broker.ready.wait()
        try:
            yield
        finally:
            running.cancel()


class Yard(Hardware):
    """Hardware whose devices log in by their own names."""

    def __init__(self, broker: SiteBroker, clock: FastClock) -> None:
        login = Broker(host="127.0.0.1", port=broker.port, password=PASSWORD)
        super().__init__(login, clock, None)
        for device in self.devices:
            device._broker = replace(login, username=device.id)


@asynccontextmanager
async def all_at_work(broker: SiteBroker, clock: FastClock) -> AsyncIterator[tuple[Ours, Yard]]:
    yard, here = Yard(broker, clock), ours(broker.address, clock)
    async with living(yard), working(here.battery, here.roof, here.meter):
        await until(here.all_online)
        yield here, yard


def limit(limit_w: float | None) -> PvSetpoint:
    return PvSetpoint(pv_id="roof", limit_w=limit_w, cause="test")


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


async def test_a_roof_is_limited_released_and_free_when_we_die(
    site_broker: SiteBroker, clock: FastClock
) -> None:
    async with living(Yard(site_broker, clock)) as yard:
        here = ours(site_broker.address, clock)
        async with working(here.roof):
            await until(lambda: here.roof.state(clock.now()).online)
            await here.roof.set_limit(limit(4_000.0))
            await until(lambda: here.roof.state(clock.now()).power_w.value == -4_000.0)
            await here.roof.set_limit(limit(None))
            await until(lambda: yard.roof.pv.power_w == -10_000.0)
            await here.roof.set_limit(limit(0.0))
            await until(lambda: yard.roof.pv.power_w == 0.0)
        dead_since_s = clock.monotonic()
        await until(lambda: yard.roof.pv.power_w == -10_000.0)
        assert clock.monotonic() - dead_since_s <= LEASE_S + 20.0


@pytest.mark.row("trap:Q3")
async def test_a_refusal_is_permanent_and_a_silence_is_not(
    site_broker: SiteBroker, clock: FastClock
) -> None:
    async with all_at_work(site_broker, clock) as (here, yard):
        yard.battery.fail(FaultKind.REFUSES, None)
        with pytest.raises(PermanentError, match="refused"):
            await here.battery.set_power(to(1_000.0))
        yard.battery.fail(FaultKind.REFUSES, 0)
        yard.battery.fail(FaultKind.LATE, None, 600.0)
        with pytest.raises(TransientError, match="acknowledge"):
            await here.battery.set_power(to(2_000.0))


@pytest.mark.row("trap:Q4")
async def test_a_last_will_is_of_one_device(site_broker: SiteBroker, clock: FastClock) -> None:
    async with all_at_work(site_broker, clock) as (here, yard):
        yard.meter.fail(FaultKind.DROP, 20.0)
        await until(lambda: here.meter.state(clock.now()).power_w.quality is Quality.OFFLINE)
        assert here.battery.state(clock.now()).online
        await until(here.all_online)


@pytest.mark.row("trap:Q1")
@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
async def test_values_of_another_time_are_no_values(
    site_broker: SiteBroker, clock: FastClock, ahead_s: float
) -> None:
    """A clock that is fast could look fresh for ever, one that is slow is old from the start."""
    async with all_at_work(site_broker, clock) as (here, yard):
        yard.meter.fail(FaultKind.WRONG_CLOCK, None, ahead_s)
        await until(lambda: here.power_w() is None)
        yard.meter.fail(FaultKind.WRONG_CLOCK, 0)
        await until(lambda: here.power_w() is not None)


@pytest.mark.row("trap:Q5")
@pytest.mark.xdist_group("realtime")
async def test_a_flood_reaches_nobody_else(site_broker: SiteBroker) -> None:
    with capture_logs() as logs:
        async with all_at_work(site_broker, FastClock(1.0)) as (here, yard):
            yard.meter.fail(FaultKind.FLOOD, None, 3000.0)
            flood = here.wires["meter"]._session._flood
            await until(lambda: flood._lost > 500)
            for power_w in (1_000.0, -2_000.0, 3_000.0):
                await here.battery.set_power(to(power_w))
                await until(lambda wanted=power_w: yard.battery.battery.power_w == wanted)  # type: ignore[misc]
            yard.building_w = 30_000.0
            await until(lambda: (here.power_w() or 0.0) > 20_000.0)
            assert here.battery.state(here.clock.now()).online
            yard.meter.fail(FaultKind.FLOOD, 0)
            await until(here.all_online)
    said = [line for line in logs if line["event"].startswith("mqtt")]
    assert len([line for line in said if "flood" in line["event"]]) <= 2
    assert len(said) < 30


@pytest.mark.row("trap:Q3")
@pytest.mark.row("trap:Q5")
async def test_commands_are_not_retained_and_nobody_else_gives_them(
    site_broker: SiteBroker, clock: FastClock
) -> None:
    async with all_at_work(site_broker, clock) as (here, yard):
        await here.battery.set_power(to(1_000.0))
        forged = json.dumps(
            {
                "id": "forged",
                "ts": clock.now().isoformat(),
                "expires_at": "2999-01-01T00:00:00Z",
                "valid_for_s": 600.0,
                "power_w": -60_000.0,
            }
        )
        async with aiomqtt.Client(
            "127.0.0.1",
            site_broker.port,
            username="meter",
            password=PASSWORD,
            protocol=aiomqtt.ProtocolVersion.V311,
        ) as intruder:
            for retain in (True, False):
                await intruder.publish("depot/d1/b1/cmd", forged, qos=1, retain=retain)
        yard.battery.fail(FaultKind.DROP, 5.0)
        await until(lambda: not here.battery.state(clock.now()).online)
        await until(lambda: here.battery.state(clock.now()).online)
        await clock.sleep(5.0)
        assert yard.battery.battery.power_w in (0.0, 1_000.0)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return make_test_pki(tmp_path / "pki", sites=["d1"], hosts=["127.0.0.1"])


@pytest.fixture
async def tls_broker(tmp_path: Path, pki: Pki) -> AsyncIterator[SiteBroker]:
    tls = BrokerTls(cert=pki.broker.cert, key=pki.broker.key)
    broker = broker_of(tmp_path / "mqtt", SystemClock(), accesses(), tls)
    async with serving(broker):
        yield broker


async def test_over_tls_alone(tls_broker: SiteBroker, pki: Pki, clock: FastClock) -> None:
    here = ours(tls_broker.address, clock)
    plain = ours(replace(tls_broker.address, tls=None), clock)
    trusting = client_context(pki.site_ca)
    async with working(here.meter, plain.meter), speaking(tls_broker, trusting, clock, 690.0):
        await until(lambda: here.power_w() == 690.0)
        assert plain.power_w() is None
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", tls_broker.port, ssl=client_context(None))


@pytest.mark.row("trap:Q2")
async def test_over_tls_to_a_broker_that_dies(
    tls_broker: SiteBroker, pki: Pki, clock: FastClock
) -> None:
    here = ours(tls_broker.address, clock)
    trusting = client_context(pki.site_ca)
    async with working(here.meter):
        async with speaking(tls_broker, trusting, clock, 690.0):
            await until(lambda: here.power_w() == 690.0)
        pid = tls_broker._server.pid
        assert pid is not None
        tls_broker.ready.clear()
        os.kill(pid, signal.SIGKILL)
        await until(lambda: here.power_w() is None)
        async with asyncio.timeout(60):
            await tls_broker.ready.wait()
        async with speaking(tls_broker, trusting, clock, 700.0):
            await until(lambda: here.power_w() == 700.0)


@asynccontextmanager
async def speaking(
    broker: SiteBroker, tls: ssl.SSLContext, clock: FastClock, power_w: float
) -> AsyncIterator[None]:
    """A meter that says this every second."""

    async def speak(client: aiomqtt.Client) -> None:
        while True:
            seq, now = int(clock.monotonic() * 1000), clock.now().isoformat()
            state = {"ts": now, "seq": seq, "power_w": power_w}
            await client.publish("depot/d1/meter/state", json.dumps(state), qos=1, retain=True)
            await clock.sleep(1.0)

    client = aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username="meter",
        password=PASSWORD,
        protocol=aiomqtt.ProtocolVersion.V311,
        tls_context=tls,
        timeout=10,
    )
    async with client, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(speak(client))
        yield
        running.cancel()
