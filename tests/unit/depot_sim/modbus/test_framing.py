"""Frames in any pieces, and bytes that are none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from contracts.errors import ProtocolError
from depot_sim.modbus.framing import Frame, Framing, crc16, decoder

READ = bytes.fromhex("03006b0003")
WRITE = bytes.fromhex("100001000204000a0102")
BOTH = bytes.fromhex("1700030006000e000306" + "00ff" * 3)


@given(data=st.binary(max_size=300))
def test_the_checksum_is_that_of_pymodbus(data: bytes) -> None:
    assert crc16(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@pytest.mark.parametrize("framing", Framing)
@given(pieces=st.lists(st.integers(1, 20), min_size=1))
def test_frames_come_whole_whatever_the_pieces(framing: Framing, pieces: list[int]) -> None:
    frames = [Frame(5, READ, 7), Frame(6, WRITE, 8), Frame(7, BOTH, 9), Frame(8, READ, 10)]
    if framing is Framing.RTU:
        frames = [frame._replace(number=0) for frame in frames]
    line = decoder(framing)
    wire, got = b"".join(line.wrap(frame) for frame in frames), []
    while wire:
        size = pieces[len(wire) % len(pieces)]
        got += line.feed(wire[:size])
        wire = wire[size:]
    assert got == frames


@pytest.mark.parametrize("wire", ["0001 0001 0006 01 03 0000 0001", "0001 0000 0001 01", "FF" * 7])
def test_what_is_no_modbus_is_said_to_be_none(wire: str) -> None:
    with pytest.raises(ProtocolError):
        decoder(Framing.TCP).feed(bytes.fromhex(wire))


def test_a_bus_starts_afresh_after_noise() -> None:
    line = decoder(Framing.RTU)
    good = line.wrap(Frame(5, READ))
    assert line.feed(good[:-1] + b"\0") == []
    assert line.feed(good) == [Frame(5, READ)]
    assert line.feed(b"\x05\x63noise") == []
    assert line.feed(line.wrap(Frame(5, b"\x2b\x0e"))) == [Frame(5, b"\x2b\x0e")]


@given(chunks=st.lists(st.binary(max_size=400), max_size=20))
def test_nothing_makes_a_decoder_hold_more_than_a_frame(chunks: list[bytes]) -> None:
    for framing in Framing:
        line = decoder(framing)
        with contextlib.suppress(ProtocolError):
            for chunk in chunks:
                for frame in line.feed(chunk):
                    assert 1 <= len(frame.pdu) <= 253
                assert len(line._held) < 260  # type: ignore[attr-defined]
