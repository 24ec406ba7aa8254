"""The register link against a peer that is late, silent, wrong or gone, on every wire."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from pymodbus.client import AsyncModbusTcpClient

from contracts.clock import SystemClock
from contracts.errors import LinkDownError, ProtocolError, TransientError
from site_agent.devices.modbus.link import LinkSettings, Priority, RegisterLink
from site_agent.devices.modbus.replies import ModbusRefusedError
from support.manual_clock import ManualClock
from support.modbus_link import running
from support.raw_modbus import (
    Answer,
    Peer,
    Request,
    Wire,
    after_the_late,
    as_another_unit,
    bits_at,
    claiming_a_huge_length,
    cut_and_hang_up,
    cut_in_mid_frame,
    dripping,
    garbage,
    held_back,
    one_register_short,
    refusing,
    serving,
    silently,
)
from support.waiting import until

SOCKETS = pytest.mark.parametrize("peer", [Wire.TCP, Wire.RTU_TCP], indirect=True)
"""For what a serial line has not got: connections."""


async def test_reads_and_writes(link: RegisterLink, peer: Peer) -> None:
    assert await link.read_holding(1, 40000, 3) == (40000, 40001, 40002)
    await link.write_registers(7, 100, [1, 0xFFFF])
    assert peer.seen[1].unit == 7
    assert peer.seen[1].pdu == bytes.fromhex("10 0064 0002 04 0001 ffff")
    assert peer.connections == 1
    assert link.connected


async def test_every_function(link: RegisterLink, peer: Peer) -> None:
    assert await link.read_input(2, 30000, 2) == (30000, 30001)
    assert await link.read_coils(2, 10, 11) == tuple(bits_at(10, 11))
    assert await link.read_discrete(2, 0, 8) == tuple(bits_at(0, 8))
    await link.write_register(2, 5, 0xABCD)
    await link.write_coil(2, 6, True)
    await link.write_coil(2, 7, False)
    assert [request.pdu.hex() for request in peer.seen] == [
        "0475300002",
        "01000a000b",
        "0200000008",
        "060005abcd",
        "050006ff00",
        "0500070000",
    ]


@pytest.mark.row("trap:M1")
@SOCKETS
async def test_a_reply_after_the_timeout_is_never_the_next_answer(
    link: RegisterLink, peer: Peer
) -> None:
    late: list[Request] = []
    peer.script = [held_back(late), after_the_late(late)]
    with pytest.raises(TransientError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 2000, 2) == (2000, 2001)
    assert await link.read_holding(1, 3000, 2) == (3000, 3001)


@pytest.mark.row("trap:M2")
@SOCKETS
async def test_a_server_that_numbers_its_late_reply_anew_cannot_shift_the_answers(
    link: RegisterLink, peer: Peer
) -> None:
    late: list[Request] = []
    peer.script = [held_back(late), after_the_late(late, renumbered=True)]
    with pytest.raises(TransientError):
        await link.read_holding(1, 5, 1)
    assert [await link.read_holding(1, address, 1) for address in (6, 7)] == [(6,), (7,)]
    assert peer.connections == 2


@pytest.mark.row("trap:M1")
@SOCKETS
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

    peer.script = [silently, after_the_late_one]
    peer.on_reconnect = on_reconnect
    with pytest.raises(TransientError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 2000, 2) == (2000, 2001)


@pytest.mark.row("trap:M1")
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


@pytest.mark.row("trap:M8")
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
        tasks.create_task(link.write_registers(1, 5, [9], priority=Priority.SAFETY))
        await SystemClock().sleep(0)
        release.set()
    assert [request.address for request in peer.seen] == [1, 5, 4, 3, 2]


@pytest.mark.row("trap:M3")
@pytest.mark.parametrize(
    ("code", "error"),
    [(1, ModbusRefusedError), (2, ModbusRefusedError), (3, ModbusRefusedError)]
    + [(code, TransientError) for code in (4, 5, 6, 10, 11)],
)
async def test_exception_replies(
    link: RegisterLink, peer: Peer, code: int, error: type[Exception]
) -> None:
    peer.script = [refusing(code)]
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
        pytest.param(bytes.fromhex("04 04 0001 0002"), id="another table"),
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
    assert peer.connections == (1 if peer.wire is Wire.SERIAL else 2)


async def test_echoes_of_writes_and_bits_are_compared(link: RegisterLink, peer: Peer) -> None:
    async def nonsense(request: Request) -> None:
        request.send(bytes.fromhex("06 0005 abce"))

    async def other_coil(request: Request) -> None:
        request.send(bytes.fromhex("05 0007 ff00"))

    async def too_few_bits(request: Request) -> None:
        request.send(bytes.fromhex("01 01 ff"))

    peer.script = [nonsense, other_coil, too_few_bits]
    with pytest.raises(ProtocolError):
        await link.write_register(1, 5, 0xABCD)
    with pytest.raises(ProtocolError):
        await link.write_coil(2, 6, True)
    with pytest.raises(ProtocolError):
        await link.read_coils(3, 0, 9)


_JUNK = [b"\0" * 9, b"\xff" * 400, b"GET / HTTP/1.1\r\n\r\n", b"\x01", b"\0\1\0\0\0\2\1"]


@pytest.mark.row("trap:M10")
@pytest.mark.parametrize(
    "answer",
    [
        *(pytest.param(garbage(junk), id=f"junk {junk[:8]!r}") for junk in _JUNK),
        pytest.param(garbage(bytes.fromhex("0001 0000 0003 01 83 ")), id="no exception code"),
        pytest.param(garbage(bytes.fromhex("0001 0000 0000")), id="length 0"),
        pytest.param(garbage(bytes.fromhex("0001 0000 0002 01 2b") * 9), id="unknown functions"),
        pytest.param(claiming_a_huge_length, id="huge length"),
        pytest.param(cut_in_mid_frame, id="cut in mid-frame"),
        pytest.param(as_another_unit, id="another unit"),
        pytest.param(one_register_short, id="too short"),
    ],
)
async def test_what_is_no_answer_costs_one_request(
    link: RegisterLink, peer: Peer, answer: Answer
) -> None:
    peer.script = [answer]
    with pytest.raises((TransientError, ProtocolError)):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 1000, 2) == (1000, 1001)


@pytest.mark.row("trap:M10")
async def test_a_drip_is_bounded_by_the_timeout(link: RegisterLink, peer: Peer) -> None:
    peer.script = [dripping(lambda: SystemClock().sleep(0.03))]
    with pytest.raises(TransientError, match="no answer"):
        await link.read_holding(1, 1000, 120)


@pytest.mark.row("trap:M3")
@SOCKETS
async def test_a_connection_dropped_in_mid_request(link: RegisterLink, peer: Peer) -> None:
    peer.script = [cut_and_hang_up]
    with pytest.raises(LinkDownError):
        await link.read_holding(1, 1000, 2)
    assert await link.read_holding(1, 1000, 2) == (1000, 1001)


@SOCKETS
async def test_a_connection_closed_while_idle_costs_nothing(link: RegisterLink, peer: Peer) -> None:
    await link.read_holding(1, 1, 1)
    peer.writers[0].close()
    while link.connected:
        await SystemClock().sleep(0)
    assert await link.read_holding(1, 2, 1) == (2,)


@pytest.mark.row("trap:M5")
async def test_a_dead_unit_rests_and_its_neighbours_are_read_at_full_rate(peer: Peer) -> None:
    clock = ManualClock()
    peer.dead = {7}
    async with running(peer.settings(), clock) as link:
        for _ in range(20):
            with pytest.raises(TransientError):
                await link.read_holding(7, 0, 1)
            assert await link.read_holding(1, 1000, 2) == (1000, 1001)
        assert _asked(peer, 7) == 2, "a resting unit is not asked"
        for pause_s in (2.0, 4.0, 6.0):
            clock.pass_s(pause_s + 0.1)
            for _ in range(5):
                with pytest.raises(TransientError):
                    await link.read_holding(7, 0, 1)
                assert await link.read_input(2, 5, 1) == (5,)
        assert _asked(peer, 7) == 5
        assert _asked(peer, 1) + _asked(peer, 2) == 35, "every read of the others was asked once"
        peer.dead.clear()
        clock.pass_s(30.0)
        assert await link.read_holding(7, 3, 1) == (3,)


@pytest.mark.row("trap:M4")
async def test_a_device_unplugged_comes_back_without_a_restart(
    peer_settings: LinkSettings, plug: Peer
) -> None:
    clock = ManualClock()
    async with running(peer_settings, clock) as link:
        for _ in range(3):  # never there: the first connect fails, and is tried again by us
            with pytest.raises(LinkDownError):
                await link.read_holding(1, 1, 1)
        clock.pass_s(5.0)
        async with serving(plug):
            assert await link.read_holding(1, 1, 1) == (1,)
        await until(lambda: not link.connected)
        with pytest.raises(TransientError):
            await link.read_holding(1, 2, 1)
        clock.pass_s(5.0)
        async with serving(plug):
            assert await link.read_holding(1, 3, 1) == (3,)


@pytest.mark.row("trap:S14")
async def test_whoever_asks_there_is_one_connection(link: RegisterLink, peer: Peer) -> None:
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(link.read_holding(n % 3, n, 1)) for n in range(30)]
    assert [read.result() for read in reads] == [(n,) for n in range(30)]
    assert peer.connections == 1


def _asked(peer: Peer, unit: int) -> int:
    return sum(request.unit == unit for request in peer.seen)


async def test_stopping_fails_what_waits_and_closes_the_socket(peer: Peer) -> None:
    link = RegisterLink(peer.settings(timeout_s=5), SystemClock())
    peer.script = [silently]
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(link.run())
        waiting = [tasks.create_task(_fails(link, address)) for address in (1, 2)]
        if peer.wire is Wire.TCP:
            await peer.requests(1)
        else:
            await SystemClock().sleep(0)
        serving.cancel()
    assert all(task.result() for task in waiting)
    assert not link.connected


@SOCKETS
async def test_stopping_in_the_instant_of_a_connection(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pymodbus connects with `wait_for`, which on Python 3.11 may swallow the cancellation."""
    original = AsyncModbusTcpClient.connect
    connected = asyncio.Event()

    async def swallowing(self: AsyncModbusTcpClient) -> bool:
        up = await original(self)
        connected.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return up

    monkeypatch.setattr(AsyncModbusTcpClient, "connect", swallowing)
    link = RegisterLink(peer.settings(timeout_s=5), SystemClock())
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(link.run())
        reading = tasks.create_task(link.read_holding(1, 1, 1))
        await connected.wait()
        serving.cancel()
    assert reading.result() == (1,)
    assert serving.cancelled()
    with pytest.raises(LinkDownError, match="stopped"):
        await link.read_holding(1, 1, 1)


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
