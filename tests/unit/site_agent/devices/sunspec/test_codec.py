"""Numbers in and out of registers; whatever a device does not implement is None, never a number."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.sunspec.codec import CapabilityMissingError, ModelCodec
from support.sunspec_image import model

SCALES = {
    103: {},
    121: {"WMax_SF": -1},
    203: {"A_SF": -1, "TotWh_SF": -1},
    704: {"WSet_SF": 0},
    713: {"Pct_SF": 0},
}
SET = ("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms")


@pytest.mark.parametrize(
    ("raw", "scale", "expected"),
    [
        pytest.param(14138, 1, 141380.0, id="FIMER PVS-185, 141.38 kW"),
        pytest.param(10145, -1, 1014.5, id="a tenth"),
        pytest.param(-1500, 0, -1500.0, id="negative"),
        pytest.param(0, -2, 0.0, id="a true zero"),
        pytest.param(-32768, 0, None, id="the sentinel of int16"),
        pytest.param(100, -32768, None, id="scale factor not implemented"),
        pytest.param(100, 11, None, id="scale factor out of its range"),
    ],
)
def test_scaled_power(raw: int, scale: int, expected: float | None) -> None:
    registers = model(103, W=raw, W_SF=scale)
    assert ModelCodec(103, ["W"]).decode(registers) == {"W": expected}


@pytest.mark.parametrize(
    ("model_id", "point", "raw", "expected"),
    [
        pytest.param(203, "AphA", 0x7FFF, 3276.7, id="0x7FFF is a number in SunSpec"),
        pytest.param(121, "WMax", 0xFFFF, None, id="uint16"),
        pytest.param(121, "WMax", 0x8000, 3276.8, id="0x8000 in a uint16 is a number"),
        pytest.param(713, "SoC", 0xFFFF, None, id="uint16 percent"),
        pytest.param(704, "WSet", -(1 << 31), None, id="int32"),
        pytest.param(704, "WSetRvrtTms", 0xFFFFFFFF, None, id="uint32"),
        pytest.param(203, "TotWhImp", 0, None, id="an accumulator at 0 is not implemented"),
        pytest.param(203, "TotWhImp", 0xFFFFFFFF, 429496729.5, id="a full accumulator"),
        pytest.param(103, "St", 0xFFFF, None, id="enum16"),
        pytest.param(103, "St", 4, 4.0, id="MPPT"),
    ],
)
def test_sentinels(model_id: int, point: str, raw: int, expected: float | None) -> None:
    registers = model(model_id, **SCALES[model_id], **{point: raw})
    assert ModelCodec(model_id, [point]).decode(registers)[point] == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((0x458E, 0x3C35), 4551.53),
        ((0x7FC0, 0x0000), None),
        ((0xFFFF, 0xFFFF), None),
        ((0x7F80, 0x0000), None),
        ((0xFF80, 0x0000), None),
    ],
    ids=["a number", "the sentinel", "all ones", "infinity", "minus infinity"],
)
def test_floats(words: tuple[int, int], expected: float | None) -> None:
    registers = model(113)
    registers[22:24] = words
    value = ModelCodec(113, ["W"]).decode(registers)["W"]
    assert value == (None if expected is None else pytest.approx(expected, abs=0.01))


def test_what_a_device_no_longer_has_is_not_written() -> None:
    """As settings noted when its curves had more points, or a model that has grown short."""
    codec = ModelCodec(705, counts={"NCrv": 1, "NPt": 2})
    registers = model(705, V_SF=0, NCrv=1, NPt=2)
    registers += [0] * (codec.span - len(registers))
    for name, length in (("Crv.1.Pt.3.V", codec.span), ("Crv.1.Pt.2.Var", codec.span - 1)):
        for write in (codec.encode, codec.runs, codec.differs):
            with pytest.raises(CapabilityMissingError, match=name):
                write({name: 5.0}, registers[:length])


def test_points_beyond_a_short_model_are_not_implemented() -> None:
    codec = ModelCodec(103, ["W", "St"])
    registers = model(103, W=5, W_SF=0, St=4)[:16]
    assert codec.decode(registers) == {"W": 5.0, "St": None}
    assert codec.decode(registers[:15]) == {"W": None, "St": None}


@given(st.lists(st.integers(0, 0xFFFF), max_size=70))
def test_any_registers_decode_to_finite_numbers_or_none(registers: list[int]) -> None:
    for model_id in (704, 103, 113):
        point = "WSet" if model_id == 704 else "W"
        value = ModelCodec(model_id, [point]).decode(registers)[point]
        assert value is None or abs(value) < float("inf")


@given(raw=st.integers(-(1 << 31) + 1, (1 << 31) - 1), scale=st.integers(-10, 10))
def test_what_is_written_reads_back(raw: int, scale: int) -> None:
    codec = ModelCodec(704, ["WSet"])
    registers = model(704, WSet=0, WSet_SF=scale)
    wanted = raw * 10.0**scale
    block = codec.encode({"WSet": wanted}, registers)
    before = list(registers)
    registers[24:26] = block.words
    assert codec.decode(registers)["WSet"] == pytest.approx(wanted, abs=10.0**scale)
    assert codec.differs({"WSet": wanted}, registers) == []
    assert not codec.lost({"WSet": wanted}, before, registers)
    registers[24:26] = [0x8000, 0]
    assert codec.lost({"WSet": wanted}, before, registers) == {"WSet"}


def test_one_block_spans_first_to_last_and_keeps_what_lies_between() -> None:
    registers = model(
        704,
        WSetEna=0,
        WSetMod=0,
        WSet=0,
        WSetRvrt=7,
        WSetPct=55,
        WSetPctRvrt=66,
        WSetEnaRvrt=0,
        WSetRvrtTms=0,
        WSet_SF=1,
    )
    changes = dict.fromkeys(SET, 1.0) | {"WSet": -120_000.0, "WSetRvrt": 0.0, "WSetRvrtTms": 30.0}
    block = ModelCodec(704, SET).encode(changes, registers)
    assert block.offset == 22
    assert block.words == (1, 1, *_words(-12_000), 0, 0, 55, 66, 1, 0, 30)


def _words(value: int) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">i", value))
    return high, low


@pytest.mark.parametrize(("asked", "raw"), [(129.0, 12), (-129.0, -12), (120.0, 12), (0.3, 0)])
def test_numbers_are_cut_towards_zero(asked: float, raw: int) -> None:
    registers = model(704, WSet=0, WSet_SF=1)
    block = ModelCodec(704, ["WSet"]).encode({"WSet": asked}, registers)
    assert block.words == _words(raw)


def test_a_tenth_survives_binary_fractions() -> None:
    registers = model(123, WMaxLimPct=0, WMaxLimPct_SF=-1)
    block = ModelCodec(123, ["WMaxLimPct"]).encode({"WMaxLimPct": 33.3}, registers)
    assert block.words == (333,)


@pytest.mark.row("trap:S1")
@pytest.mark.parametrize(
    ("points", "asked"),
    [
        pytest.param({"WSet": 0}, 100.0, id="no scale factor"),
        pytest.param({"WSet_SF": 0}, 100.0, id="no such point"),
        pytest.param({"WSet": 0, "WSet_SF": 0}, 1e10, id="larger than its type"),
        pytest.param({"WSet": 0, "WSet_SF": 0}, -float(1 << 31), id="the sentinel itself"),
    ],
)
def test_writes_fail_closed(points: dict[str, int], asked: float) -> None:
    with pytest.raises(CapabilityMissingError):
        ModelCodec(704, ["WSet"]).encode({"WSet": asked}, model(704, **points))
