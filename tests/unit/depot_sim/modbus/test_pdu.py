"""Requests and their answers, as the specification's own examples have them, and hostile ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.modbus.pdu import ILLEGAL_ADDRESS, RefusedError, Table, answer


@dataclass
class Memory:
    """Every address of every table from 0 to `size`."""

    size: int = 0x10000
    held: dict[tuple[Table, int], int] = field(default_factory=dict)

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        if address + count > self.size:
            raise RefusedError(ILLEGAL_ADDRESS)
        return [self.held.get((table, at), 0) for at in range(address, address + count)]

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        if address + len(values) > self.size:
            raise RefusedError(ILLEGAL_ADDRESS)
        self.held.update({(table, at): value for at, value in enumerate(values, address)})


def test_the_examples_of_the_specification() -> None:
    """Modbus Application Protocol V1.1b3, clauses 6.1 to 6.6, 6.11, 6.12 and 6.17."""
    unit = Memory()
    unit.held |= {(Table.HOLDING, 107): 0x022B, (Table.HOLDING, 109): 0x0064}
    assert answer(unit, bytes.fromhex("03 006B 0003")).hex() == "0306022b00000064"
    unit.held[Table.INPUT, 8] = 0x000A
    assert answer(unit, bytes.fromhex("04 0008 0001")).hex() == "0402000a"
    assert answer(unit, bytes.fromhex("05 00AC FF00")).hex() == "0500acff00"
    assert answer(unit, bytes.fromhex("06 0001 0003")).hex() == "0600010003"
    assert answer(unit, bytes.fromhex("0F 0013 000A 02 CD01")).hex() == "0f0013000a"
    assert answer(unit, bytes.fromhex("01 0013 000A")).hex() == "0102cd01"
    assert answer(unit, bytes.fromhex("10 0001 0002 04 000A 0102")).hex() == "1000010002"
    assert answer(unit, bytes.fromhex("03 0001 0002")).hex() == "0304000a0102"
    read_and_write = "17 0003 0006 000E 0003 06 00FF 00FF 00FF"
    assert answer(unit, bytes.fromhex(read_and_write)).hex() == "170c" + "0000" * 6
    assert unit.held[Table.HOLDING, 16] == 0x00FF


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        ("2B 0E 01 00", "ab01"),  # a function that is not here
        ("83", "8301"),
        ("03", "8303"),
        ("03 0000 0000", "8303"),
        ("03 0000 007E", "8303"),  # 126 registers
        ("03 FFFF 0002", "8302"),
        ("03 0000 0001 00", "8303"),
        ("01 0000 07D1", "8103"),
        ("05 0000 1234", "8503"),
        ("10 0000 0002 04 0001", "9003"),  # fewer bytes than it says
        ("10 0000 0002 02 00010002", "9003"),
        ("10 0000 007C F8" + "00" * 248, "9003"),
        ("17 0000 0001 0000 007A F4" + "00" * 244, "9703"),
        ("04 0100 0001", "8402"),  # not in this unit
    ],
)
def test_what_is_wrong_is_refused(request_hex: str, answer_hex: str) -> None:
    assert answer(Memory(size=256), bytes.fromhex(request_hex)).hex() == answer_hex


@given(request=st.binary(min_size=1, max_size=253))
def test_anything_gets_an_answer_that_fits(request: bytes) -> None:
    reply = answer(Memory(size=1000), request)
    assert reply[0] & 0x7F == request[0] & 0x7F
    assert len(reply) <= 253
