"""Every model, every point, in words: as the definitions say, and never more than there is."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sunspec2 import device

from site_agent.devices.sunspec.describe import DecodedModel, DecodedPoint, decode_model
from site_agent.devices.sunspec.discovery import Place
from support.sunspec_image import common, model

DEPOT_MODELS = (
    *(1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 160),
    *(201, 202, 203, 204, 211, 212, 213, 214, *range(701, 716), 802, 803),
)
REPEATS = {"NPt": 3, "NCrv": 2, "NCrvSet": 2, "NCtl": 2, "NPrt": 2, "NStr": 3}


def decoded(registers: list[int]) -> DecodedModel:
    return decode_model(Place(model_id=registers[0], address=0, length=registers[1]), registers)


def points(registers: list[int]) -> dict[str, DecodedPoint]:
    return {point.name: point for point in decoded(registers).points}


def flat(group: device.Group, path: str = "") -> Iterator[tuple[str, device.Point]]:
    for name, point in group.points.items():
        yield path + name, point
    for name, inner in group.groups.items():
        for number, one in enumerate(inner if isinstance(inner, list) else [inner], start=1):
            step = f"{name}.{number}." if isinstance(inner, list) else f"{name}."
            yield from flat(one, path + step)


def content(kind: str, size: int, chance: random.Random) -> bytes:
    """What a point might hold; scale factors are sound."""
    if kind == "sunssf":
        return struct.pack(">h", chance.choice([-3, -1, 0, 1]))
    if kind == "float32":
        return struct.pack(">f", chance.choice([-12.5, 0.25, 230.0]))
    return b"Acme 1".ljust(size, b"\0") if kind == "string" else chance.randbytes(size)


def filled(model_id: int) -> tuple[list[int], dict[str, device.Point]]:
    """A model full of random numbers, with sound scale factors and a few groups."""
    chance = random.Random(model_id)
    shape = device.Model(model_id, data=dict(REPEATS))  # type: ignore[no-untyped-call]
    data = bytearray(shape.get_mb())  # type: ignore[no-untyped-call]
    if model_id == 160:
        data += bytes(2 * 20 * 2)  # two modules: their number is not among the points
    for _, point in flat(shape):
        if point.pdef["name"] in (*REPEATS, "ID", "L"):
            continue
        place = 2 * point.offset
        data[place : place + 2 * point.len] = content(point.pdef["type"], 2 * point.len, chance)
    struct.pack_into(">H", data, 2, len(data) // 2 - 2)
    length = len(data) // 2 - 2
    peer = device.Model(model_id, 0, length, data=bytes(data))  # type: ignore[no-untyped-call]
    return list(struct.unpack(f">{len(data) // 2}H", data)), dict(flat(peer))


@pytest.mark.row("trap:S13")
@pytest.mark.parametrize("model_id", DEPOT_MODELS)
def test_every_model_of_a_depot_decodes_as_an_independent_decoder_does(model_id: int) -> None:
    registers, peer = filled(model_id)
    ours = points(registers)
    assert ours.keys() == peer.keys() - {"ID", "L"}
    for name, point in ours.items():
        theirs = peer[name].cvalue
        if isinstance(theirs, str):
            theirs = theirs.rstrip("\0 ")
        if point.value is None or isinstance(theirs, str):
            assert point.value == theirs, name
        else:
            assert point.value == pytest.approx(theirs, rel=1e-9), name
        assert (point.value is None) == bool(point.missing), name


def test_what_a_point_says_of_itself() -> None:
    found = points(model(103, W=14138, W_SF=1, St=4, Evt1=0b1000_0000_0000_0101, Hz=49944))
    assert (found["W"].value, found["W"].unit, found["W"].label) == (141_380, "W", "Watts")
    assert (found["St"].value, found["St"].symbols) == (4, ("MPPT",))
    assert found["Evt1"].symbols == ("GROUND_FAULT", "AC_DISCONNECT", "HW_TEST_FAILURE")
    assert found["Hz"].missing == "its scale factor Hz_SF is not implemented"
    assert found["VA"].missing == "not implemented"
    assert found["WH"].missing.startswith("0: nothing counted")
    assert found["W"].words == (14138,)


def test_groups_and_what_may_be_written() -> None:
    registers, _ = filled(705)
    found = points(registers)
    assert found["Crv.2.Pt.3.V"].label == "Voltage Point"
    assert found["Ena"].writable
    assert not found["NCrv"].writable


@pytest.mark.row("trap:S3")
@pytest.mark.parametrize("length", [65, 66])
@pytest.mark.parametrize("pad", [0x8000, 0x5A5A, 0])
def test_a_common_model_with_and_without_its_pad(length: int, pad: int) -> None:
    registers = common(length)
    if length == 66:
        registers[-1] = pad
    found = decoded(registers)
    assert {p.name: p.value for p in found.points}["Mn"] == "Acme"
    assert found.notes == ()


@pytest.mark.row("trap:S6")
def test_raw_values_above_0x8000_in_unsigned_points() -> None:
    found = points(model(103, Hz=49944, Hz_SF=-3, PhVphA=0x8000, V_SF=-2))
    assert found["Hz"].value == 49.944
    assert found["PhVphA"].value == 327.68


@pytest.mark.row("trap:S1")
@pytest.mark.parametrize(
    ("scale", "why"),
    [(-32768, "not implemented"), (11, "is 11: not from -10"), (-11, "not from"), (32767, "not")],
)
def test_an_absurd_or_missing_scale_factor_leaves_no_value(scale: int, why: str) -> None:
    point = points(model(103, W=100, W_SF=scale))["W"]
    assert point.value is None
    assert why in point.missing


def test_text_that_a_terminal_might_obey_is_harmless() -> None:
    found = points(model(1, Mn="Ac\x1b[2Jme\r\n", Md="Ünit", SN="\x00\x00"))
    assert found["Mn"].value == "Ac?[2Jme??"
    assert found["Md"].value == "Ünit"
    assert found["SN"].value is None
    registers = model(1)
    registers[2:4] = [0xFFFE, 0xC328]
    assert points(registers)["Mn"].value


@pytest.mark.parametrize("count", [3, 1000, 0xFFFE])
def test_a_model_that_claims_more_than_it_has_says_so(count: int) -> None:
    registers, _ = filled(714)
    registers[2 + 2] = count
    found = decoded(registers)
    assert found.notes == (
        f"its length of {len(registers) - 2} is less than its definition or its own counts need",
    )
    assert len(found.points) <= len(registers)


def test_a_model_longer_than_its_definition_says_so() -> None:
    registers = [*model(713, SoC=50, Pct_SF=0), 1, 2, 3]
    registers[1] += 3
    found = decoded(registers)
    assert found.notes == ("its length of 10 is 3 more than its definition has",)
    assert {p.name: p.value for p in found.points}["SoC"] == 50


def test_a_vendors_model_is_named_but_not_guessed() -> None:
    found = decoded([64999, 2, 7, 8])
    assert (found.model_id, found.name, found.points) == (64999, "", ())
    assert found.notes == ("no definition of this model is published",)


@settings(max_examples=60)
@given(
    model_id=st.sampled_from((*DEPOT_MODELS, 133, 305, 601, 805, 63001, 64020, 64999)),
    words=st.one_of(
        st.lists(st.integers(0, 0xFFFF), max_size=300),
        st.integers(0, 400).map(lambda size: [0xFFFF] * size),
        st.integers(0, 400).map(lambda size: [0] * size),
    ),
)
def test_whatever_registers_hold_they_decode(model_id: int, words: list[int]) -> None:
    found = decoded([model_id, len(words), *words])
    assert len(found.points) <= len(words)
    for point in found.points:
        assert isinstance(point.value, float | int | str) or point.missing
        assert not isinstance(point.value, float) or abs(point.value) < float("inf")
