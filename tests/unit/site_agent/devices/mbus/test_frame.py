"""Frames of the link layer, byte by byte (EN 13757-2)."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import GridyardError, ProtocolError
from site_agent.devices.mbus import frame


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._reader = asyncio.StreamReader()
        self._reader.feed_data(data)
        self._reader.feed_eof()

    async def read_exactly(self, count: int) -> bytes:
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError as error:
            raise ProtocolError("the end") from error


def test_the_frames_of_a_master() -> None:
    assert frame.reset(1) == bytes.fromhex("10 40 01 41 16")
    assert frame.request(1, count_bit=True) == bytes.fromhex("10 7B 01 7C 16")
    assert frame.request(1, count_bit=False) == bytes.fromhex("10 5B 01 5C 16")


def test_a_selection_names_what_it_wants_and_leaves_the_rest_open() -> None:
    # the number of a meter is written with its lowest digits first
    assert frame.select("12345678") == bytes.fromhex(
        "68 0B 0B 68 73 FD 52 78 56 34 12 FF FF FF FF D2 16"
    )
    assert frame.select("1234567842040202")[7:15] == bytes.fromhex("78 56 34 12 42 04 02 02")


@pytest.mark.parametrize("address", ["", "1234567", "123456789", "1234567G", "12345678424"])
def test_no_such_secondary_address(address: str) -> None:
    with pytest.raises(ValueError, match="8 digits"):
        frame.select(address)


async def test_an_answer_and_an_acknowledgement() -> None:
    source = _Bytes(bytes.fromhex("E5 68 05 05 68 08 01 72 00 00 7B 16"))
    assert await frame.read(source) is None
    answer = await frame.read(source)
    assert answer == frame.Response(address=1, data=b"\x72\x00\x00")


@pytest.mark.row("trap:B2")
@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        ("68 05 06 68 08 01 72 00 00 7B 16", "head"),  # the two lengths differ
        ("68 05 05 69 08 01 72 00 00 7B 16", "head"),
        ("68 02 02 68 08 01 09 16", "head"),  # no room for a CI field
        ("68 05 05 68 08 01 72 00 00 7C 16", "checksum"),
        ("68 05 05 68 08 01 72 00 00 7B 17", "end"),
        ("68 05 05 68 73 01 72 00 00 E6 16", "no response"),  # a master's own frame
        ("FF", "begins"),
        ("10 40 01 41 16", "begins"),
    ],
)
async def test_what_is_damaged_is_refused(damaged: str, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        await frame.read(_Bytes(bytes.fromhex(damaged)))


@pytest.mark.row("trap:B2")
@given(st.binary(max_size=600))
def test_random_bytes_never_crash(data: bytes) -> None:
    async def read_all() -> None:
        source = _Bytes(data)
        while True:
            await frame.read(source)

    with pytest.raises(GridyardError):
        asyncio.run(read_all())
