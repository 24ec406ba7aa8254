"""The whole agent against a simulated depot: the operator's contacts, and its registers.

A roof makes 27 kW. The contacts of an I/O module and a control centre that writes the site's own
registers limit it, whatever a utility allows; the control centre sees what comes of it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.errors import ConfigError
from contracts.site_link import codec
from contracts.site_link.messages import Notice
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from site_agent.config import SiteSettings
from site_agent.main import SiteAddresses, run
from site_agent.scada.map import MEASUREMENT_SIZE, MEASUREMENTS, SPOTS
from site_agent.store.sqlite import DATABASE, open_store
from support.raw_modbus import Peer, Request, Wire, serving
from support.site import instruction
from support.waiting import until

pytestmark = [
    pytest.mark.row("truth:T1"),
    pytest.mark.row("truth:T2"),
    pytest.mark.xdist_group("realtime"),
]
CLOCK = SystemClock()
ROOF_W, BUILDING_W = 27_000.0, 2_000.0


def hardware() -> Depot:
    facts = {
        "site_id": "depot-1",
        "building": {"base_w": BUILDING_W, "swing_w": 0},
        "pv": [{"id": "roof", "rated_w": 30_000, "clearness": 0.9, "swing": 0}],
    }
    return Depot(DepotSettings.model_validate(facts), CLOCK)


def settings(data: Path, at: DepotAddresses, module_port: int) -> SiteSettings:
    def where(address: Any) -> dict[str, object]:
        return {"host": address.host, "port": address.port}

    facts = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": where(at.meter),
        "ocpp": {"host": "127.0.0.1", "port": 0},
        "pv": [{"id": "roof", **where(at.pv["roof"]), "rated_w": 30_000}],
        "telemetry_s": 0.5,
        "scada": {"port": 0},
        "telecontrol": [
            {
                "id": "ripple",
                "kind": "contacts",
                "host": "127.0.0.1",
                "port": module_port,
                "of_w": 30_000,
                "keep_s": 600,
                "fail_safe": {"generation_pct": 0},
                "contacts": [{"name": "stage 30 %", "address": 2, "generation_pct": 30}],
            },
            {
                "id": "rtu",
                "kind": "registers",
                "lease_s": 3,
                "keep_s": 1,
                "fail_safe": {"export_w": 5_000},
            },
        ],
    }
    return SiteSettings.model_validate(facts)


class Module:
    """The I/O module: one contact."""

    def __init__(self) -> None:
        self.closed = False

    async def answer(self, request: Request) -> None:
        request.send(bytes([2, 1, self.closed]))


class Centre:
    """A control centre: keeps the watchdog going while `alive`, and reads measurements."""

    def __init__(self, client: AsyncModbusTcpClient) -> None:
        self.client = client
        self.alive = True

    async def watch(self) -> None:
        count = 0
        while True:
            if self.alive:
                count += 1
                await self.client.write_register(210, count, device_id=1)
            await CLOCK.sleep(0.5)

    async def limit(self, address: int, watts: int) -> None:
        reply = await self.client.write_registers(address, [watts >> 16, watts & 0xFFFF])
        assert not reply.isError()

    async def number(self, point: str) -> int:
        place = next(n for n, spot in enumerate(SPOTS) if spot.point == point)
        address = MEASUREMENTS + MEASUREMENT_SIZE * place
        reply = await self.client.read_input_registers(address, count=2, device_id=1)
        value: int = struct.unpack(">i", struct.pack(">HH", *reply.registers))[0]
        return value


@asynccontextmanager
async def depot_and_module(module: Module) -> AsyncIterator[tuple[Depot, DepotAddresses, int]]:
    depot, listening = hardware(), asyncio.Event()
    peer = Peer(Wire.TCP, otherwise=module.answer)
    async with serving(peer), asyncio.TaskGroup() as group:
        task = group.create_task(depot.run(lambda _: listening.set()))
        await listening.wait()
        yield depot, depot.addresses, peer.port
        task.cancel()


@asynccontextmanager
async def agent(made: SiteSettings) -> AsyncIterator[Centre]:
    ready: list[SiteAddresses] = []
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run(made, CLOCK, stopping, ready.append))
        await until(lambda: bool(ready))
        assert ready[0].scada_port is not None
        client = AsyncModbusTcpClient("127.0.0.1", port=ready[0].scada_port, timeout=20)
        assert await client.connect()
        centre = Centre(client)
        watching = group.create_task(centre.watch())
        yield centre
        watching.cancel()
        client.close()
        stopping.set()


def limits_told(data: Path) -> list[Notice]:
    """The notices of the network operator's limits that the agent has stored."""
    with sqlite3.connect(data / DATABASE) as connection:
        found = connection.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
    connection.close()
    told = [codec.decode_row(seq, body).row for seq, body in found]
    return [row for row in told if isinstance(row, Notice) and row.code == "operator-limit"]


async def test_contacts_and_registers_limit_the_site_until_they_let_it_go(tmp_path: Path) -> None:
    module = Module()
    (tmp_path / "site").mkdir()
    async with depot_and_module(module) as (depot, at, port):
        made = settings(tmp_path / "site", at, port)
        store = open_store(made.data / DATABASE, CLOCK.now())
        await store.instructions.put(instruction(90_000.0, site_id="depot-1", start=CLOCK.now()))
        store.close()

        def made_w() -> float:
            return -sum(sum(inverter.phases_w) for inverter in depot.pv.values())

        async with agent(made) as centre:
            await until(lambda: made_w() == pytest.approx(ROOF_W, rel=0.01))
            module.closed = True
            await until(lambda: made_w() == pytest.approx(9_000, rel=0.01))
            await centre.limit(202, 1_000)  # most export
            most_w = BUILDING_W + 1_000
            await until(lambda: 0.8 * most_w < made_w() <= 1.02 * most_w)
            async with asyncio.timeout(60):
                while await centre.number("export_limit_w") != -1_000:
                    await CLOCK.sleep(0.1)
                while abs(await centre.number("pcc_power_w") + 1_000) > 200:
                    await CLOCK.sleep(0.1)
            centre.alive = False  # kept for a while, then the fail-safe: 5 kW of export
            await until(lambda: made_w() == pytest.approx(BUILDING_W + 5_000, rel=0.05))
            module.closed = False
            centre.alive = True
            await centre.limit(202, 0xFFFF_FFFF)
            await until(lambda: made_w() == pytest.approx(ROOF_W, rel=0.01))
            wanted = {(one, up) for one in ("ripple", "rtu") for up in (True, False)}
            await until(
                lambda: wanted <= {(n.subject, n.raised) for n in limits_told(made.data)}
            )  # with the next sample
    texts = {one.text for one in limits_told(made.data)}
    assert "network operator: generation at most 9000 W (stage 30 %)" in texts
    assert "network operator: export at most 1000 W (as written)" in texts


async def test_an_order_outlives_the_agent(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    async with depot_and_module(Module()) as (_, at, port):
        made = settings(tmp_path / "site", at, port)
        async with agent(made) as centre:
            await centre.limit(202, 1_000)
            store_has = made.data / DATABASE
            await until(lambda: b"as written" in _bytes(store_has))
        async with agent(made) as centre:
            reply = await centre.client.read_holding_registers(202, count=2, device_id=1)
            assert reply.registers == [0, 1_000]
            async with asyncio.timeout(60):
                while await centre.number("export_limit_w") != -1_000:
                    await CLOCK.sleep(0.1)


def _bytes(database: Path) -> bytes:
    files = [database, database.with_name(database.name + "-wal")]
    return b"".join(one.read_bytes() for one in files if one.exists())


SITE = """
site_id: depot-1
data: data
contract_limit_w: 100000
max_building_w: 20000
circuit: {limit_a: 200}
meter: {host: 127.0.0.1}
"""
RTU = "{id: rtu, kind: registers, lease_s: 60, keep_s: 60, fail_safe: {}}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"telecontrol: [{RTU}]", "needs scada"),
        (f"scada: {{}}\ntelecontrol: [{RTU}, {RTU.replace('rtu', 'b')}]", "one input"),
        (f"scada: {{}}\ntelecontrol: [{RTU}, {RTU}]", "'rtu' is used 2 times"),
        (f"scada: {{host: 0.0.0.0}}\ntelecontrol: [{RTU}]", "clients, writers, tls"),
        ("scada: {clients: [10.0.0.1/8]}", "clients"),
        ("scada: {clients: [everybody]}", "clients"),
        ("scada: {unit: 0}", "scada.unit"),
        ("scada: {tls: {cert: a, key: b}}", "client_ca"),
        ("telecontrol: [{id: x, kind: smoke}]", "telecontrol.0"),
    ],
)
def test_what_is_refused_is_named(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        loads(SITE + text, SiteSettings, name="site.yaml")


@pytest.mark.parametrize(
    "scada",
    ["host: 127.0.0.1", "host: 0.0.0.0, clients: [10.0.0.0/8]", "host: '::', writers: ['::1']"],
)
def test_limits_by_registers_where_not_just_anybody_writes(scada: str) -> None:
    loads(f"{SITE}scada: {{{scada}}}\ntelecontrol: [{RTU}]", SiteSettings, name="site.yaml")
