"""A capture served on a real socket and read by our own link."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import TransientError
from site_agent.devices.commissioning.capture import Capture, Device, Recorder
from site_agent.devices.commissioning.replay import Lookup, answer_to, serving
from site_agent.devices.modbus.replies import ModbusRefusedError
from support.modbus_link import linked

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def small() -> Capture:
    recorder = Recorder()
    recorder.read(1, 3, 40000, range(130))
    recorder.read(1, 1, 5, [1, 0, 1, 0, 0, 0, 0, 0, 1])
    recorder.refused(1, 3, 0, 2, 3)
    return recorder.capture(AT, device=Device())


async def test_a_link_reads_what_was_captured() -> None:
    asked: list[tuple[int, int, int, int]] = []
    async with (
        serving(small(), asked=lambda *what: asked.append(what)) as (_, port),
        linked(port, timeout_s=5.0) as link,
    ):
        assert await link.read_holding(1, 40004, 125) == tuple(range(4, 129))
        for address, code in ((0, 3), (500, 2)):
            with pytest.raises(ModbusRefusedError) as refused:
                await link.read_holding(1, address, 2)
            assert refused.value.code == code
        with pytest.raises(ModbusRefusedError) as refused:
            await link.write_registers(1, 40000, [1])
        assert refused.value.code == 1
    assert asked[0] == (1, 3, 40004, 125)


async def test_a_unit_that_was_never_asked_is_silent() -> None:
    async with serving(small()) as (_, port), linked(port) as link:
        with pytest.raises(TransientError):
            await link.read_holding(2, 40000, 1)


async def test_a_device_may_not_look_at_the_unit() -> None:
    async with serving(small(), any_unit=1) as (_, port), linked(port, timeout_s=5.0) as link:
        assert await link.read_holding(77, 40001, 1) == (1,)


async def test_what_is_not_modbus_is_hung_up_on() -> None:
    async with serving(small()) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()


def test_bits_are_packed_as_the_specification_says() -> None:
    answer = answer_to(Lookup(small()), 1, bytes([1, 0, 5, 0, 9]))
    assert answer == bytes([1, 2, 0b101, 0b1])


@given(st.binary(min_size=1, max_size=253))
def test_every_request_gets_an_answer_that_fits(pdu: bytes) -> None:
    answer = answer_to(Lookup(small()), 1, pdu)
    assert answer[0] & 0x7F == pdu[0] & 0x7F
    assert len(answer) <= 253
