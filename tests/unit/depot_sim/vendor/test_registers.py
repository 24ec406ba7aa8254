"""Vendors' register maps: packing, resolution, gaps, sentinels, writes."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.vendor.registers import Entry, RegisterMap

ENTRIES = {
    "power": Entry(at=10, type="int32", scale=0.1),
    "soc": Entry(at=12, scale=0.1),
    "energy": Entry(at=20, type="float64"),
    "name": Entry(at=24, text=3, fixed=True),
    "limit": Entry(at=100, type="float32", writable=True, fixed=True),
    "mode": Entry(at=102, type="int16", writable=True, fixed=True),
}


def test_numbers_are_packed_as_the_document_says() -> None:
    held = RegisterMap(ENTRIES)
    held.put("power", -446.6)
    held.put("soc", 61.27)
    held.put("name", "AB")
    assert held.view(10, 3) == [0xFFFF, 0xEE8E, 613]
    assert held.view(24, 3) == [0x4142, 0, 0]
    assert RegisterMap(ENTRIES, low_word_first=True).view(10, 2) == [0, 0]
    other = RegisterMap(ENTRIES, low_word_first=True)
    other.put("power", -446.6)
    assert other.view(10, 2) == [61_070, 65_535]  # as an EM540 has it


def test_what_lies_between_reads_as_nothing_and_what_lies_beyond_is_not_there() -> None:
    held = RegisterMap(ENTRIES)
    assert held.view(13, 7) == [0] * 7
    assert held.view(9, 2) is None
    assert held.view(27, 1) is None
    assert held.view(101, 2) == [0, 0]


def test_a_block_may_begin_in_the_middle_of_a_number() -> None:
    held = RegisterMap(ENTRIES)
    held.put("energy", 1.5)
    words = list(struct.unpack(">4H", struct.pack(">d", 1.5)))
    assert held.view(21, 2) == words[1:3]


def test_lost_values_say_so_by_their_type() -> None:
    held = RegisterMap(ENTRIES)
    assert held.view(10, 3, blank=True) == [0x7FFF, 0xFFFF, 0xFFFF]
    words = held.view(20, 4, blank=True)
    assert words is not None
    assert math.isnan(struct.unpack(">d", struct.pack(">4H", *words))[0])
    assert held.view(100, 3, blank=True) == [0, 0, 0]


def test_only_whole_writable_numbers_are_taken() -> None:
    held = RegisterMap(ENTRIES)
    sixteen = list(struct.unpack(">2H", struct.pack(">f", 16.0)))
    assert held.write(100, [*sixteen, 0xFFFF]) == ["limit", "mode"]
    assert (held.get("limit"), held.get("mode")) == (16.0, -1.0)
    for address, values in ((100, sixteen[:1]), (101, sixteen), (12, [1]), (102, [1, 2])):
        assert held.write(address, values) is None
    assert held.write(100, [0x7FC0, 0]) is None  # NaN
    assert held.get("limit") == 16.0


@given(value=st.floats(allow_nan=False, allow_infinity=False, width=32), soc=st.floats(-1e9, 1e9))
def test_any_value_fits(value: float, soc: float) -> None:
    held = RegisterMap(ENTRIES)
    held.put("power", value)
    held.put("soc", soc)
    words = held.view(10, 3)
    assert words is not None
    assert all(0 <= word <= 0xFFFF for word in words)


@pytest.mark.parametrize("kind", ["int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_keep_to_their_range(kind: str) -> None:
    held = RegisterMap({"x": Entry(at=0, type=kind)})
    for value in (-1e30, 1e30):
        held.put("x", value)
        assert held.view(0, 1) is not None
