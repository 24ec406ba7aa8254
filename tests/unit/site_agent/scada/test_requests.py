"""Requests and answers byte by byte, written out by hand from the Modbus specification."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import FREE, Order, Voice
from site_agent.scada.limits import LimitRegisters
from site_agent.scada.map import (
    IDENTITY_FIELDS,
    LIMIT_FIELDS,
    LIMITS,
    LIMITS_SIZE,
    MEASUREMENT_SIZE,
    MEASUREMENTS,
    SPOTS,
    STATE_FIELDS,
)
from site_agent.scada.requests import answer, no_such_unit
from support.scada_bench import SPEC, Bench
from support.site import NOON

pytestmark = pytest.mark.row("truth:T2")

FREE_LIMITS = "ffffffff" * 4 + "ffff" * 2 + "0000"


@pytest.fixture
def bench() -> Bench:
    return Bench()


class TestReading:
    def test_measurements_with_quality_and_age(self, bench: Bench) -> None:
        pcc_w = 20_000 + 16 * 690 - 5_000
        assert bench.number("pcc_power_w") == (pcc_w, 0, 0)
        assert bench.number("site_limit_w") == (200_000, 0, 0)
        assert bench.number("battery_power_w") == (-5_000, 0, 0)
        assert bench.number("battery_soc_pct") == (406, 0, 0)
        assert bench.number("chargers_total") == (1, 0, 0)

    def test_what_there_is_not_has_no_value(self, bench: Bench) -> None:
        assert bench.number("pv_power_w") == (-0x8000_0000, 4, 0xFFFF)
        assert bench.number("export_limit_w") == (-0x8000_0000, 4, 0xFFFF)

    async def test_age_is_told_and_old_numbers_are_none(self, bench: Bench) -> None:
        await bench.clock.advance(7)
        assert bench.number("battery_power_w") == (-5_000, 0, 7)
        await bench.clock.advance(4)
        assert bench.number("battery_power_w") == (-0x8000_0000, 4, 0xFFFF)
        assert bench.ask("03 0002 0001") == "0302000b"

    def test_before_the_first_cycle_there_is_nothing(self, bench: Bench) -> None:
        bench.cycle = None
        assert bench.ask("03 0000 0006") == "030c" + "0001 0000 ffff 0001 00000000".replace(" ", "")
        assert bench.number("pcc_power_w") == (-0x8000_0000, 4, 0xFFFF)

    def test_identity(self, bench: Bench) -> None:
        instant = f"{int(NOON.timestamp()):08x}"
        assert bench.ask("03 0000 0006") == f"030c0001000100000001{instant}"
        assert bench.ask("04 0001 0001") == "04020001", "the same cycle is counted once"
        assert Bench(writable=False).ask("03 0003 0001") == "03020000"

    def test_both_reading_functions_read_the_same(self, bench: Bench) -> None:
        assert bench.ask("03 0064 003c")[2:] == bench.ask("04 0064 003c")[2:]

    @pytest.mark.parametrize(
        ("pdu", "reply"),
        [
            ("03 0006 0001", "8302"),
            ("03 0000 0007", "8302"),
            ("03 00a0 0001", "8302"),
            ("04 ffff 0001", "8402"),
            ("04 ffff 0002", "8402"),
            ("03 00d2 0002", "8302"),
            ("03 0000 0000", "8303"),
            ("03 0000 007e", "8303"),
            ("03 0000 ffff", "8303"),
            ("03 0000", "8303"),
            ("03", "8303"),
            ("03 0000 0001 00", "8303"),
            ("01 0000 0001", "8101"),
            ("02 0000 0001", "8201"),
            ("05 00c8 ff00", "8501"),
            ("0f 00c8 0001 01 01", "8f01"),
            ("17 00c8 0001 00c8 0001 02 0000", "9701"),
            ("2b 0e 01 00", "ab01"),
            ("00", "8001"),
            ("83 00", "8301"),
            ("ff", "ff01"),
        ],
    )
    def test_what_is_refused(self, bench: Bench, pdu: str, reply: str) -> None:
        assert bench.ask(pdu) == reply

    def test_another_unit_does_not_answer(self) -> None:
        assert no_such_unit(bytes.fromhex("03 0000 0001")).hex() == "830b"


class TestWriting:
    def test_nothing_is_limited_until_something_is_written(self, bench: Bench) -> None:
        assert bench.ask("03 00c8 000b") == "0316" + FREE_LIMITS
        assert bench.bounds == SPEC.fail_safe
        assert bench.ask("03 00dc 0005") == "030a 0000 ffff 003c 012c 0002".replace(" ", "")

    def test_a_limit_is_taken_and_read_back(self, bench: Bench) -> None:
        assert bench.ask("10 00c8 0002 04 0000 4e20") == "1000c80002"
        assert bench.bounds == Bounds(import_w=20_000.0)
        assert bench.ask("03 00c8 0002") == "030400004e20"
        assert bench.ask("03 00dc 0005") == "030a 0001 003c 003c 012c 0001".replace(" ", "")

    def test_magnitudes_become_exports(self, bench: Bench) -> None:
        everything = "00002710 00001388 00001068 00000000 ffff ffff 0007"
        assert bench.ask("10 00c8 000b 16" + everything) == "1000c8000b"
        assert bench.bounds == Bounds(
            import_w=10_000.0, export_w=-5_000.0, load_w=4_200.0, generation_w=0.0
        )
        assert bench.ask("03 00c8 000b") == "0316" + everything.replace(" ", "")

    def test_percentages_and_watts_the_tighter_counts(self, bench: Bench) -> None:
        assert bench.ask("06 00d1 012c") == "0600d1012c"
        assert bench.bounds == Bounds(generation_w=-30_000.0)
        bench.ask("10 00ce 0002 04 0000 2710")
        assert bench.bounds == Bounds(generation_w=-10_000.0)
        bench.ask("06 00d1 0000")
        assert bench.bounds == Bounds(generation_w=0.0)
        bench.ask("10 00ce 0004 08 ffffffff ffff ffff")
        assert bench.bounds == FREE

    async def test_the_watchdog_renews_the_lease_and_silence_ends_it(self, bench: Bench) -> None:
        bench.ask("10 00c8 0002 04 0000 4e20")
        for n in range(5):
            await bench.clock.advance(50)
            assert bench.inputs.standing("rtu").voice is Voice.HEARD
            assert bench.ask(f"06 00d2 {n:04x}") == f"0600d2{n:04x}"
        await bench.clock.advance(61)
        assert bench.inputs.standing("rtu").voice is Voice.KEPT
        assert bench.ask("03 00dc 0002") == "03040002012b"
        await bench.clock.advance(300)
        assert bench.bounds == SPEC.fail_safe
        assert bench.ask("03 00dc 0002") == "03040003ffff"
        bench.ask("06 00d2 0001")
        assert bench.bounds == Bounds(import_w=20_000.0), "the registers still say so"

    async def test_a_restart_takes_up_what_was_written(self, bench: Bench) -> None:
        bench.inputs.heard("rtu", Order(bounds=Bounds(export_w=-5_000.0), words="as written"))
        again = LimitRegisters(bench.inputs, "rtu", None)
        assert again.words == (*[0xFFFF] * 2, 0, 5_000, *[0xFFFF] * 6, 0)
        again.write(210, [1])
        assert bench.bounds == Bounds(export_w=-5_000.0)

    async def test_a_restart_does_not_turn_percentages_into_watts(self, bench: Bench) -> None:
        """Or who only writes percentages could never loosen the limit from before it."""
        bench.ask("06 00d1 012c")
        async with asyncio.TaskGroup() as group:
            storing = group.create_task(bench.inputs.run())
            await bench.clock.advance(0)
            storing.cancel()
        later = Bench(memory=bench.memory)
        await later.inputs.load()
        later.restart()
        assert later.bounds == Bounds(generation_w=-30_000.0)
        assert later.ask("03 00ce 0004") == "0308ffffffffffff012c"
        later.ask("06 00d1 03e8")
        assert later.bounds == Bounds(generation_w=-100_000.0)
        later.restart(of_w=None)
        assert later.ask("03 00ce 0004") == "0308000186a0ffffffff", "percentages of nothing"

    @pytest.mark.parametrize(
        ("pdu", "reply"),
        [
            pytest.param("10 0000 0001 02 0001", "9002", id="identity"),
            pytest.param("10 0064 0002 04 0000 0001", "9002", id="a measurement"),
            pytest.param("10 00dc 0001 02 0001", "9002", id="the state"),
            pytest.param("10 00d2 0002 04 0001 0001", "9002", id="over the end"),
            pytest.param("10 00c7 0002 04 0001 0001", "9002", id="over the beginning"),
            pytest.param("10 ffff 0002 04 0001 0001", "9002", id="over the end of all"),
            pytest.param("06 00c8 0001", "8602", id="half a number"),
            pytest.param("06 00c9 0001", "8602", id="its other half"),
            pytest.param("10 00c9 0002 04 0001 0001", "9002", id="two halves"),
            pytest.param("10 00c8 0003 06 0000 0001 0000", "9002", id="one and a half"),
            pytest.param("10 00c8 0002 04 3b9a ca01", "9003", id="more than a gigawatt"),
            pytest.param("10 00c8 0002 04 ffff fffe", "9003", id="-2"),
            pytest.param("06 00d1 03e9", "8603", id="more than 100 %"),
            pytest.param("10 00c8 0000 00", "9003", id="nothing"),
            pytest.param("10 00c8 0002 03 0000 01", "9003", id="odd bytes"),
            pytest.param("10 00c8 0002 04 0000", "9003", id="too short"),
            pytest.param("10 00c8 0001 04 0000 0001", "9003", id="count and bytes differ"),
            pytest.param("10 00c8 0002", "9003", id="no bytes"),
            pytest.param("10", "9003", id="nothing at all"),
            pytest.param("06 00d2", "8603", id="no value"),
        ],
    )
    def test_what_is_refused_changes_nothing(self, bench: Bench, pdu: str, reply: str) -> None:
        assert bench.ask(pdu) == reply
        assert bench.inputs.last("rtu") is None, "nor does it renew the lease"
        assert bench.ask("03 00c8 000b") == "0316" + FREE_LIMITS

    def test_a_percentage_of_nothing_is_refused(self) -> None:
        assert Bench(of_w=None).ask("06 00d1 0001") == "8603"

    @pytest.mark.parametrize("pdu", ["10 00c8 0002 04 0000 4e20", "06 00d2 0001"])
    def test_who_may_not_write_cannot(self, bench: Bench, pdu: str) -> None:
        refused = f"{int(pdu[:2], 16) | 0x80:02x}01"
        assert bench.ask(pdu, may_write=False) == refused
        assert Bench(writable=False).ask(pdu) == refused
        assert bench.inputs.last("rtu") is None

    def test_without_limits_their_registers_do_not_exist(self) -> None:
        reader = Bench(writable=False)
        assert reader.ask("03 00c8 0001") == "8302"
        assert reader.ask("03 00dc 0001") == "8302"


PDUS = st.one_of(
    st.binary(min_size=1, max_size=253),
    st.builds(
        lambda function, rest: bytes([function]) + rest,
        st.sampled_from([3, 4, 6, 16]),
        st.binary(max_size=252),
    ),
    st.builds(
        lambda address, words: struct.pack(
            f">BHHB{len(words)}H", 16, address, len(words), 2 * len(words), *words
        ),
        st.integers(190, 225),
        st.lists(st.integers(0, 0xFFFF), max_size=15),
    ),
)


@given(st.lists(PDUS, max_size=5))
def test_whatever_comes_is_answered_and_limits_stay_within_their_range(pdus: list[bytes]) -> None:
    bench = Bench()
    for pdu in pdus:
        reply = answer(pdu, bench.registers, may_write=True)
        assert 2 <= len(reply) <= 253
        assert reply[0] in (pdu[0], pdu[0] | 0x80)
        bounds = bench.bounds
        assert bounds.import_w is None or 0 <= bounds.import_w <= 1e9
        assert bounds.export_w is None or -1e9 <= bounds.export_w <= 0
        assert bounds.load_w is None or 0 <= bounds.load_w <= 1e9
        assert bounds.generation_w is None or -1e9 <= bounds.generation_w <= 0


def test_the_map_has_no_overlaps() -> None:
    taken = [
        place
        for field in (*IDENTITY_FIELDS, *LIMIT_FIELDS, *STATE_FIELDS)
        for place in range(field.address, field.address + field.size)
    ]
    taken += range(MEASUREMENTS, MEASUREMENTS + MEASUREMENT_SIZE * len(SPOTS))
    assert len(set(taken)) == len(taken)
    assert sum(field.size for field in LIMIT_FIELDS) == LIMITS_SIZE
    assert LIMIT_FIELDS[0].address == LIMITS
