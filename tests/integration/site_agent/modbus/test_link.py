"""The register link against a peer that is late, silent, wrong or gone, in both framings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from contracts.clock import SystemClock
from contracts.errors import LinkDownError, ProtocolError, TransientError
from site_agent.devices.modbus.link import Framing, LinkSettings, Priority, RegisterLink
from site_agent.devices.modbus.replies import ModbusRefusedError
from support.modbus_peer import Peer, Request


async def test_reads_and_writes(link: RegisterLink, peer: Peer) -> None:
    assert await link.read_holding(1, 40000, 3) == (40000, 40001, 40002)
    await link.write_registers(7, 100, [1, 0xFFFF])
    assert peer.seen[1].unit == 7
    assert peer.seen[1].pdu == bytes.fromhex("10 0064 0002 04 0001 ffff")
    assert peer.connections == 1
    assert link.connected


async def test_a_reply_after_the_timeout_is_never_the_next_answer(
    link: RegisterLink, peer: Peer
) -> None:
    late: list[Request] = []

    async def keep(request: Request) -> None:
        late.append(request)

    async def after_the_late_one(request: Request) -> None:
        late[0].send(late[0].right())
        request.send(request.right())

    peer.script = [keep, after_the_late_one]
    with pytest.raises(TransientError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 2000, 2) == (2000, 2001)
    assert await link.read_holding(1, 3000, 2) == (3000, 3001)


async def test_a_server_that_numbers_its_late_reply_anew_cannot_shift_the_answers(
    link: RegisterLink, peer: Peer
) -> None:
    late: list[Request] = []

    async def keep(request: Request) -> None:
        late.append(request)

    async def mixed_up(request: Request) -> None:
        old = late[0]
        old.writer.write(old.frame(old.right(), number=request.number))
        request.send(request.right())

    peer.script = [keep, mixed_up]
    with pytest.raises(TransientError):
        await link.read_holding(1, 5, 1)
    assert [await link.read_holding(1, address, 1) for address in (6, 7)] == [(6,), (7,)]


async def test_a_gateway_that_hands_the_late_reply_to_the_new_connection(
    link: RegisterLink, peer: Peer
) -> None:
    delivered = asyncio.Event()

    def deliver(writer: asyncio.StreamWriter) -> None:
        writer.write(peer.seen[0].frame(peer.seen[0].right()))
        delivered.set()

    def on_reconnect(writer: asyncio.StreamWriter) -> None:
        delay_s = link.settings.timeout_s / 3
        asyncio.get_running_loop().call_later(delay_s, deliver, writer)

    async def after_the_late_one(request: Request) -> None:
        await delivered.wait()
        request.send(request.right())

    peer.script = [peer.silently, after_the_late_one]
    peer.on_reconnect = on_reconnect
    with pytest.raises(TransientError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 2000, 2) == (2000, 2001)


async def test_a_caller_that_gives_up_does_not_disturb_the_wire(
    link: RegisterLink, peer: Peer
) -> None:
    release = asyncio.Event()

    async def on_command(request: Request) -> None:
        await release.wait()
        request.send(request.right())

    peer.script = [on_command]
    async with asyncio.TaskGroup() as tasks:
        impatient = tasks.create_task(link.read_holding(1, 1000, 2))
        await peer.requests(1)
        impatient.cancel()
        release.set()
        assert await link.read_holding(1, 2000, 2) == (2000, 2001)
    assert peer.connections == 1


async def test_urgent_requests_overtake_waiting_ones_and_one_is_in_flight(
    link: RegisterLink, peer: Peer
) -> None:
    release = asyncio.Event()

    async def on_command(request: Request) -> None:
        await release.wait()
        assert len(peer.seen) == 1
        request.send(request.right())

    peer.script = [on_command]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(link.read_holding(1, 1, 1))
        await peer.requests(1)
        tasks.create_task(link.read_holding(1, 2, 1, priority=Priority.SLOW))
        tasks.create_task(link.read_holding(1, 3, 1, priority=Priority.FAST))
        tasks.create_task(link.write_registers(1, 4, [9]))
        await SystemClock().sleep(0)
        release.set()
    assert [request.address for request in peer.seen] == [1, 4, 3, 2]


@pytest.mark.parametrize(
    ("code", "error"),
    [(1, ModbusRefusedError), (2, ModbusRefusedError), (3, ModbusRefusedError)]
    + [(code, TransientError) for code in (4, 5, 6, 10, 11)],
)
async def test_exception_replies(
    link: RegisterLink, peer: Peer, code: int, error: type[Exception]
) -> None:
    async def refuse(request: Request) -> None:
        request.send(bytes([request.pdu[0] | 0x80, code]))

    peer.script = [refuse]
    with pytest.raises(error) as caught:
        await link.read_holding(1, 1000, 2)
    if isinstance(caught.value, ModbusRefusedError):
        assert caught.value.code == code
    assert await link.read_holding(1, 1000, 1) == (1000,)
    assert peer.connections == 1, "an exception is an answer: the link stays clean"


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(bytes.fromhex("03 02 0001"), id="one register too few"),
        pytest.param(bytes.fromhex("03 06 0001 0002 0003"), id="one register too many"),
        pytest.param(bytes.fromhex("10 03e8 0002"), id="the answer to a write"),
        pytest.param(bytes.fromhex("90 02"), id="the refusal of a write"),
    ],
)
async def test_an_answer_to_something_else_is_refused_and_the_link_cleaned(
    link: RegisterLink, peer: Peer, pdu: bytes
) -> None:
    async def nonsense(request: Request) -> None:
        request.send(pdu)

    peer.script = [nonsense]
    with pytest.raises(ProtocolError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 1000, 2) == (1000, 1001)
    assert peer.connections == 2


@pytest.mark.parametrize("junk", [b"\0" * 9, b"\xff" * 400, b"GET / HTTP/1.1\r\n\r\n", b"\x01"])
async def test_junk_on_the_wire_costs_one_request(
    link: RegisterLink, peer: Peer, junk: bytes
) -> None:
    async def garbage(request: Request) -> None:
        request.writer.write(junk)

    peer.script = [garbage]
    with pytest.raises((TransientError, ProtocolError)):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 1000, 2) == (1000, 1001)


async def test_an_answer_of_another_unit_is_not_taken(link: RegisterLink, peer: Peer) -> None:
    async def as_unit_9(request: Request) -> None:
        request.unit = 9
        request.send(request.right())

    peer.script = [as_unit_9]
    with pytest.raises(TransientError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 1000, 2) == (1000, 1001)


async def test_a_connection_dropped_in_mid_request(link: RegisterLink, peer: Peer) -> None:
    async def hang_up(request: Request) -> None:
        request.writer.close()

    peer.script = [hang_up]
    with pytest.raises(LinkDownError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 1000, 2) == (1000, 1001)


async def test_a_connection_closed_while_idle_costs_nothing(link: RegisterLink, peer: Peer) -> None:
    await link.read_holding(1, 1, 1)
    peer.writers[0].close()
    while link.connected:
        await SystemClock().sleep(0)
    assert await link.read_holding(1, 2, 1) == (2,)


async def test_a_silent_unit_rests_while_its_neighbour_is_read(
    link: RegisterLink, peer: Peer
) -> None:
    peer.script = [peer.silently, peer.silently]
    for _ in range(2):
        with pytest.raises(TransientError, match="no answer"):
            await link.read_holding(1, 1000, 2)
    with pytest.raises(TransientError, match="rests"):
        await link.read_holding(1, 1000, 2)
    assert len(peer.seen) == 2, "a resting unit is not asked"
    assert await link.read_holding(2, 1000, 2) == (1000, 1001)


async def test_a_host_that_is_not_there(unused_tcp_port: int) -> None:
    link = RegisterLink(LinkSettings(host="127.0.0.1", port=unused_tcp_port), SystemClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run())
        for _ in range(3):
            with pytest.raises(LinkDownError):
                await link.read_holding(1, 1000, 2)
        running.cancel()


async def test_stopping_fails_what_waits_and_closes_the_socket(peer: Peer) -> None:
    settings = LinkSettings(host="127.0.0.1", port=peer.port, framing=peer.framing, timeout_s=5)
    link = RegisterLink(settings, SystemClock())
    peer.script = [peer.silently]
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run())
        waiting = [tasks.create_task(_fails(link, address)) for address in (1, 2)]
        if peer.framing is Framing.TCP:
            await peer.requests(1)
        else:
            await SystemClock().sleep(0)
        running.cancel()
    assert all(task.result() for task in waiting)
    assert not link.connected


async def test_stopping_in_the_instant_of_an_answer(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pymodbus waits with `wait_for`, which on Python 3.11 then swallows the cancellation."""
    original = AsyncModbusTcpClient.execute

    async def swallowing(self: AsyncModbusTcpClient, *request: Any) -> Any:
        reply = await original(self, *request)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return reply

    monkeypatch.setattr(AsyncModbusTcpClient, "execute", swallowing)
    settings = LinkSettings(host="127.0.0.1", port=peer.port, framing=peer.framing)
    link = RegisterLink(settings, SystemClock())
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run())
        reading = tasks.create_task(link.read_holding(1, 1, 1))
        await peer.requests(1)
        await SystemClock().sleep(0.05)
        running.cancel()
    assert reading.result() == (1,)
    assert running.cancelled()


async def _fails(link: RegisterLink, address: int) -> bool:
    with pytest.raises(LinkDownError):
        await link.read_holding(1, address, 1)
    return True


async def test_what_cannot_be_sent_is_the_callers_mistake(link: RegisterLink, peer: Peer) -> None:
    with pytest.raises(ValueError, match="fit in one"):
        await link.read_holding(1, 0, 126)
    with pytest.raises(ValueError, match="addresses"):
        await link.read_holding(1, 65535, 2)
    with pytest.raises(ValueError, match="register values"):
        await link.write_registers(1, 0, [-1])
    assert await link.read_holding(1, 65535, 1) == (65535,)
    assert peer.connections == 1
