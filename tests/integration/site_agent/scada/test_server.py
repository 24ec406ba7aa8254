"""The site's Modbus server on real sockets, with an independent client, and with hostile ones."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.errors import ConfigError, LinkDownError
from contracts.identity import server_context
from site_agent.devices.modbus.link import LinkSettings
from site_agent.devices.modbus.settings import TlsFiles
from site_agent.domain.instruction import Bounds
from site_agent.scada import server as scada
from site_agent.scada.server import ScadaServer, ServerConfig
from support.modbus_link import running
from support.scada_bench import Bench
from support.waiting import until

pytestmark = pytest.mark.row("truth:T2")
READ = bytes.fromhex("0007 0000 0006 01 03 0000 0001")
READ_REPLY = bytes.fromhex("0007 0000 0005 01 03 02 0001")


@pytest.fixture(autouse=True)
async def nothing_crashes() -> AsyncIterator[None]:
    """Whatever a client sends, no exception is left to the event loop."""
    crashes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: crashes.append(context))
    yield
    assert not crashes


@asynccontextmanager
async def serving(bench: Bench, **changes: Any) -> AsyncIterator[int]:
    """A server for the bench; yields its port."""
    config = replace(ServerConfig(host="127.0.0.1", port=0, unit=1), **changes)
    server = ScadaServer(config, bench.registers, SystemClock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        await server.ready.wait()
        yield server.port
        task.cancel()


@asynccontextmanager
async def client(port: int) -> AsyncIterator[AsyncModbusTcpClient]:
    one = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=20, retries=0, reconnect_delay=0)
    assert await one.connect()
    try:
        yield one
    finally:
        one.close()


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server hangs up without a word."""
    try:
        async with asyncio.timeout(30):
            return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_an_independent_client_reads_and_writes(bench: Bench) -> None:
    async with serving(bench) as port, client(port) as centre:
        reply = await centre.read_input_registers(100, count=60, device_id=1)
        pcc_w = centre.convert_from_registers(reply.registers[:2], centre.DATATYPE.INT32)
        assert pcc_w == 20_000 + 16 * 690 - 5_000
        assert not (await centre.write_registers(200, [0, 20_000], device_id=1)).isError()
        assert bench.bounds == Bounds(import_w=20_000.0)
        assert not (await centre.write_register(210, 1, device_id=1)).isError()
        assert (await centre.read_holding_registers(200, count=2, device_id=1)).registers == [
            0,
            20_000,
        ]
        assert (await centre.write_registers(100, [0, 1], device_id=1)).exception_code == 2
        assert (await centre.read_coils(0, count=1, device_id=1)).exception_code == 1
        assert (await centre.read_input_registers(0, count=1, device_id=9)).exception_code == 11
        for unit in (0, 255):
            reply = await centre.read_input_registers(0, count=1, device_id=unit)
            assert reply.registers == [1]


async def test_requests_in_one_packet_and_byte_by_byte_are_answered_in_order(
    bench: Bench,
) -> None:
    async with serving(bench) as port, raw(port) as (reader, writer):
        writer.write(READ + READ.replace(b"\0\7", b"\0\x08", 1))
        assert await reader.readexactly(11) == READ_REPLY
        assert (await reader.readexactly(11))[:2] == b"\0\x08"
        for place in range(len(READ)):
            writer.write(READ[place : place + 1])
            await writer.drain()
        assert await reader.readexactly(11) == READ_REPLY


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="tls hello"),
        pytest.param(b"\xff" * 300, id="ones"),
        pytest.param(b"\0" * 300, id="zeros"),
        pytest.param(bytes.fromhex("0001 0001 0006 01 03 0000 0001"), id="another protocol"),
        pytest.param(bytes.fromhex("0001 0000 ffff 01 03 0000 0001"), id="huge length"),
        pytest.param(bytes.fromhex("0001 0000 00ff 01 03 0000 0001"), id="one byte too long"),
        pytest.param(bytes.fromhex("0001 0000 0001 01"), id="no function"),
        pytest.param(bytes.fromhex("0001 0000 0000 01"), id="no unit"),
    ],
)
async def test_what_is_no_frame_ends_that_connection_alone(bench: Bench, frame: bytes) -> None:
    async with serving(bench) as port, client(port) as centre, raw(port) as (reader, writer):
        writer.write(frame)
        assert await closed(reader)
        assert (await centre.read_input_registers(0, count=1, device_id=1)).registers == [1]


async def test_half_a_frame_and_silence_are_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scada, "_FRAME_S", 0.2)
    async with serving(bench, idle_s=0.5) as port:
        async with raw(port) as (reader, writer):
            writer.write(READ[:9])
            assert await closed(reader)
        async with raw(port) as (reader, writer):
            writer.write(READ)
            assert await reader.readexactly(11) == READ_REPLY
            assert await closed(reader), "nothing more was asked"


async def test_a_flood_delays_nobody_else(bench: Bench) -> None:
    async def flooding(writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:  # never reading an answer
                writer.write(READ * 5_000)
                await writer.drain()

    async with (
        serving(bench) as port,
        client(port) as centre,
        raw(port) as (_, writer),
        asyncio.TaskGroup() as group,
    ):
        flood = group.create_task(flooding(writer))
        for _ in range(20):
            assert (await centre.read_input_registers(0, count=1, device_id=1)).registers == [1]
        assert not flood.done()
        flood.cancel()


async def test_there_are_no_more_clients_than_agreed(bench: Bench) -> None:
    async with serving(bench, most_clients=2) as port, client(port) as one, client(port) as two:
        for centre in (one, two):
            assert (await centre.read_input_registers(0, count=1, device_id=1)).registers == [1]
        async with raw(port) as (reader, _):
            assert await closed(reader)
        one.close()
        await until(lambda: not one.connected)

        async def again() -> bool:
            async with raw(port) as (reader, writer):
                writer.write(READ)
                with suppress(ConnectionError):
                    return await reader.read(11) == READ_REPLY
            return False

        async with asyncio.timeout(30):
            while not await again():
                pass


async def test_only_known_addresses_come_in_and_only_some_write(bench: Bench) -> None:
    here, elsewhere = ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")
    async with serving(bench, clients=(elsewhere,)) as port, raw(port) as (reader, writer):
        writer.write(READ)
        assert await closed(reader)
    async with (
        serving(bench, clients=(elsewhere, here), writers=(elsewhere,)) as port,
        client(port) as centre,
    ):
        assert (await centre.read_input_registers(0, count=1, device_id=1)).registers == [1]
        refused = await centre.write_registers(200, [0, 20_000], device_id=1)
        assert refused.exception_code == 1
    assert bench.inputs.last("rtu") is None


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    return make_test_pki(folder, sites=["centre"], hosts=["127.0.0.1"])


async def test_over_tls_only_certified_clients_come_in(
    bench: Bench, pki: Pki, tmp_path: Path
) -> None:
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    stranger = make_test_pki(tmp_path, sites=["centre"]).sites["centre"]
    known = pki.sites["centre"]
    async with serving(bench, context=context) as port:

        def link(cert: Path, key: Path) -> LinkSettings:
            files = TlsFiles(ca=pki.site_ca, cert=cert, key=key)
            return LinkSettings(host="127.0.0.1", port=port, tls=files, timeout_s=20.0)

        async with running(link(known.cert, known.key)) as centre:
            await centre.write_registers(1, 200, [0, 20_000])
            assert await centre.read_input(1, 200, 2) == (0, 20_000)
        async with running(link(stranger.cert, stranger.key)) as other:
            with pytest.raises(LinkDownError):
                await other.read_input(1, 200, 2)
        async with raw(port) as (reader, writer):
            writer.write(READ)
            assert READ_REPLY not in await reader.read()


async def test_a_port_that_is_taken_is_named(bench: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = ServerConfig(host="127.0.0.1", port=taken.getsockname()[1], unit=1)
        with pytest.raises(ExceptionGroup) as caught:
            await ScadaServer(config, bench.registers, SystemClock()).run()
        assert caught.group_contains(ConfigError, match="scada: cannot listen on 127.0.0.1")
