"""The depot of difficult field devices on its sockets, as the agent's links and others meet it."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml

from certs.pki import make_test_pki
from contracts.errors import ConfigError, TransientError
from depot_sim.config import EXAMPLE, DepotSettings
from depot_sim.depot import Depot
from depot_sim.faults import FaultKind
from depot_sim.modbus.listener import Address
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.settings import Framing, LinkSettings, TlsFiles
from support.fast_clock import FastClock
from support.modbus_link import linked, running
from support.waiting import PATIENCE_S, until

TIMEOUT_S = 5.0


def without_ports(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: without_ports(value) for key, value in part.items() if key != "port"}
    return [without_ports(one) for one in part] if isinstance(part, list) else part


def field(**more: Any) -> DepotSettings:
    text = EXAMPLE.with_name("field.yaml").read_text()
    values = without_ports(yaml.safe_load(text))
    return DepotSettings.model_validate(values | {"faults": []} | more)


def float_of(words: tuple[int, ...]) -> float:
    number = struct.unpack(">f", struct.pack(">2H", *words))[0]
    assert isinstance(number, float)
    return number


async def kept_asking(link: RegisterLink, unit: int, address: int, count: int) -> tuple[int, ...]:
    """Until it answers: units and hosts that were silent rest for a while."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await link.read_input(unit, address, count)
            except TransientError:
                await asyncio.sleep(0.02)


@pytest.fixture
def clock() -> FastClock:
    return FastClock(20.0)


async def test_every_device_listens_and_the_bus_carries_two(background: Any, clock: Any) -> None:
    depot = Depot(field(), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        at = depot.addresses
        assert at.pv["pv-2"] == at.meters["m-pv-2"]
        alone: list[Address] = [
            at.meter,
            *at.batteries.values(),
            *at.chargers.values(),
            *at.contacts.values(),
            at.pv["pv-1"],
        ]
        assert len({where.port for where in [*alone, at.pv["pv-2"]]}) == len(alone) + 1
        for where in alone:
            _, writer = await asyncio.open_connection(*where)
            writer.close()
        bus = at.pv["pv-2"]
        await until(lambda: sum(depot.pv["pv-2"].phases_w) < 0)
        async with linked(bus.port, Framing.RTU, TIMEOUT_S) as link:
            low, high = await link.read_input(2, 5030, 2)
            made_w = high << 16 | low
            metered_w = float_of(await link.read_input(3, 52, 2))
            assert metered_w == pytest.approx(-made_w, rel=0.1)
            code = await link.read_input(2, 4999, 1)
            assert code == (0x2C06,)


async def test_a_unit_unplugged_from_the_bus_comes_back_while_the_other_goes_on(
    background: Any, clock: Any
) -> None:
    depot = Depot(field(), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        bus = depot.addresses.pv["pv-2"]
        async with linked(bus.port, Framing.RTU, 0.3, clock) as link:
            assert await kept_asking(link, 3, 52, 2)
            depot.fail("m-pv-2", FaultKind.DROP, None)
            with pytest.raises(TransientError):
                await link.read_input(3, 52, 2)
            assert await kept_asking(link, 2, 5030, 2)
            depot.fail("m-pv-2", FaultKind.DROP, 0)
            assert await kept_asking(link, 3, 52, 2)


async def test_an_outage_cuts_the_meter_off_and_gives_it_back(background: Any, clock: Any) -> None:
    depot = Depot(field(), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        async with linked(depot.addresses.meter.port, timeout_s=0.3, clock=clock) as link:
            assert await kept_asking(link, 1, 0, 2) != (0, 0)
            depot.fail("grid", FaultKind.OUTAGE, None)
            await until(lambda: depot.plant.phases_v == (0.0, 0.0, 0.0))
            with pytest.raises(TransientError):
                await link.read_input(1, 0, 2)
            depot.fail("grid", FaultKind.OUTAGE, 0)
            low, _ = await kept_asking(link, 1, 0, 2)
            assert low / 10 == pytest.approx(230, abs=10)


async def test_contacts_close_as_planned(background: Any, clock: Any) -> None:
    plan = [{"id": "ripple", "count": 4, "closes": [{"at_s": 2, "contact": 1, "for_s": 20}]}]
    depot = Depot(field(contacts=plan), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        box = depot.contacts["ripple"]
        await until(lambda: box.inputs == [False, True, False, False])
        await until(lambda: not any(box.inputs))


async def test_vehicles_come_to_sockets_on_modbus(background: Any, clock: Any) -> None:
    depot = Depot(field(), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        await until(lambda: depot.modbus_chargers["ac-1"].evse.power_w > 4_000)
        vehicle = depot.unplug("ac-1")
        assert vehicle is not None
        depot.plug("ac-1", vehicle)
        with pytest.raises(ValueError, match="taken"):
            depot.plug("ac-1", vehicle)


async def test_modbus_in_tls(background: Any, clock: Any, tmp_path: Path) -> None:
    pki = make_test_pki(tmp_path, sites=["plant"], hosts=["127.0.0.1"])
    tls = {"cert": pki.broker.cert, "key": pki.broker.key, "client_ca": pki.site_ca}
    depot = Depot(field(meter={"kind": "em540", "tls": tls}), clock)
    listening = asyncio.Event()
    async with background(depot.run(lambda _: listening.set())):
        await listening.wait()
        plant, port = pki.sites["plant"], depot.addresses.meter.port
        files = TlsFiles(ca=pki.site_ca, cert=plant.cert, key=plant.key)
        where = LinkSettings(host="127.0.0.1", port=port, tls=files, timeout_s=TIMEOUT_S)
        async with running(where) as link:
            assert await link.read_input(1, 11, 1) == (1760,)
        async with linked(port, timeout_s=0.5) as plain:
            with pytest.raises(TransientError):
                await plain.read_input(1, 11, 1)
    broken = {"cert": tmp_path / "none.pem", "key": pki.broker.key}
    with pytest.raises(BaseExceptionGroup) as raised:
        async with background(Depot(field(meter={"tls": broken}), clock).run()):
            await asyncio.Event().wait()
    assert raised.group_contains(ConfigError, match=r"none\.pem")
