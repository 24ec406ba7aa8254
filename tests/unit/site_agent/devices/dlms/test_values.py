"""Numbers of registers, byte by byte (IEC 62056-6-2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from site_agent.devices.dlms.values import DEFAULT_OBIS, Scale, number, points_of, scale, with_total


@pytest.mark.row("trap:B4")
@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("06 00 00 30 39", 12_345),  # double-long-unsigned
        ("05 FF FF FF FE", -2),  # double-long
        ("12 09 1A", 2330),  # long-unsigned
        ("10 FF FE", -2),  # long
        ("11 FF", 255),  # unsigned
        ("0F FF", -1),  # integer
        ("15 00 00 00 01 00 00 00 00", 2**32),  # long64-unsigned
        ("14 FF FF FF FF FF FF FF FE", -2),  # long64
        ("17 43 66 80 00", 230.5),  # float32
        ("18 40 6C D0 00 00 00 00 00", 230.5),  # float64
        ("00", None),  # null-data
        ("17 7F C0 00 00", None),  # not a number
    ],
)
def test_numbers(data: str, value: float | None) -> None:
    assert number(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("02 02 0F 00 16 1E", Scale(factor=1, unit="Wh")),
        ("02 02 0F 03 16 1B", Scale(factor=1000, unit="W")),
        ("02 02 0F FF 16 23", Scale(factor=0.1, unit="V")),
        ("02 02 0F FD 16 21", Scale(factor=0.001, unit="A")),
    ],
)
def test_scaler_and_unit(data: str, found: Scale) -> None:
    assert scale(bytes.fromhex(data)) == found


@pytest.mark.parametrize(
    "data",
    [
        "",
        "06 00 00 30",  # too short
        "06 00 00 30 39 00",  # too long
        "01 88 FF FF FF FF FF FF FF FF",  # an array of billions
        "09 04 31 32 33 34",  # a text
        "02 02 0F 00 16 1E",  # a structure
        "03 01",  # a boolean
    ],
)
def test_what_is_no_number(data: str) -> None:
    with pytest.raises(ProtocolError, match="not a number"):
        number(bytes.fromhex(data))


@pytest.mark.parametrize(
    "data",
    ["", "02 02 0F 00 16", "02 03 0F 00 16 1E 00", "02 02 0F 7F 16 1E", "02 02 0F 00 16 0D"],
)
def test_what_is_no_scaler_and_unit_of_ours(data: str) -> None:
    with pytest.raises(ProtocolError):
        scale(bytes.fromhex(data))


@pytest.mark.row("trap:B4")
@given(st.binary(max_size=40))
def test_random_bytes_never_crash(data: bytes) -> None:
    for read in (number, scale):
        try:
            read(data)
        except ProtocolError:
            continue


def test_power_both_ways_makes_one() -> None:
    assert with_total({"import_power": 5.0, "export_power": 0.0}) == {"active_power": 5}
    assert with_total({"import_power": 0.0, "export_power": 7.0}) == {"active_power": -7}
    assert with_total({"import_power": 5.0}) == {"active_power": 5}
    assert with_total({"import_power": 5.0, "export_power": None}) == {"active_power": None}
    assert with_total({"active_power": 3.0, "import_power": 5.0}) == {"active_power": 3}
    assert with_total({"voltage_l1": 230.0}) == {"voltage_l1": 230}


def test_which_points_come_of_what_is_read() -> None:
    assert points_of(["voltage_l1", "import_power", "export_power"]) == (
        "voltage_l1",
        "active_power",
    )
    assert points_of(["export_power"]) == ()  # one way alone is no total
    assert points_of(DEFAULT_OBIS).count("active_power") == 1
