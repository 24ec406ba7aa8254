"""Whatever bytes a peer sends, nothing is raised into the event loop and nothing piles up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from contracts.clock import SystemClock
from site_agent.devices.modbus.clients import make_client
from site_agent.devices.modbus.replies import is_answer
from site_agent.devices.modbus.settings import Framing, LinkSettings

pytestmark = pytest.mark.row("trap:M10")
REQUEST = ReadHoldingRegistersRequest(dev_id=1, address=7, count=2)

BODIES = st.builds(
    lambda function, rest: bytes([1, function]) + rest,
    st.sampled_from([1, 3, 3, 3, 4, 16, 0x2B, 0x83, 0x90, 0xFF]),
    st.binary(max_size=20),
)
MBAP = st.builds(
    lambda length, body: b"\0\1\0\0" + length.to_bytes(2, "big") + body,
    st.one_of(st.integers(0, 0xFFFF), st.integers(0, 12)),
    BODIES,
)
RTU = BODIES.map(lambda body: body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))
PIECES = st.lists(st.one_of(MBAP, RTU, st.binary(min_size=1, max_size=300)), max_size=6)


@pytest.mark.parametrize("framing", list(Framing))
@given(pieces=PIECES)
def test_only_an_answer_is_taken_for_one(framing: Framing, pieces: list[bytes]) -> None:
    async def receive() -> None:
        client = make_client(LinkSettings(host="127.0.0.1", framing=framing), None)
        manager = client.ctx
        manager.request_dev_id, manager.request_transaction_id = 1, 1
        for piece in pieces:
            manager.data_received(piece)
            assert len(manager.recv_buffer) <= manager.max_buffer_size
        await SystemClock().sleep(0)
        waiting = manager.response_future
        if waiting.done() and is_answer(REQUEST, waiting.result()):
            reply = waiting.result()
            assert reply.isError() or len(reply.registers) == 2
            assert any(b"\1\3\4" in piece or b"\1\x83" in piece for piece in _joined(pieces))

    asyncio.run(receive())


def _joined(pieces: list[bytes]) -> list[bytes]:
    return [*pieces, b"".join(pieces)]
