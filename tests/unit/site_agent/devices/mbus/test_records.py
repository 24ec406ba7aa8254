"""Telegrams composed by hand from the tables of EN 13757-3, and what must be read in them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from depot_sim.mbus import telegram
from site_agent.devices.mbus import records
from site_agent.devices.mbus.frame import Response
from site_agent.devices.mbus.records import Record, Telegram

# number 12345678, maker SIM, version 1, electricity, access 5, status 0, no signature
HEAD = bytes.fromhex("72 78 56 34 12 2D 4D 01 02 05 00 00 00")


def read(data: str, head: bytes = HEAD) -> Telegram:
    return records.decode(Response(address=1, data=head + bytes.fromhex(data)))


def only(data: str) -> Record:
    (record,) = read(data).records
    return record


def test_the_header() -> None:
    told = read("01 FD 17 00")
    assert (told.identification, told.address) == ("12345678", "123456782D4D0102")
    assert not told.more


@pytest.mark.row("trap:B1")
@pytest.mark.parametrize(
    ("data", "unit", "value"),
    [
        ("04 03 10 27 00 00", "Wh", 10_000),  # 32 bit, 1 Wh
        ("04 06 10 27 00 00", "Wh", 10_000_000),  # 1 kWh
        ("0C 04 78 56 34 12", "Wh", 123_456_780),  # 8 digits BCD, 10 Wh
        ("0E 84 00 12 90 78 56 34 12", "Wh", 1_234_567_890_120),  # 12 digits, no error
        ("04 2B FE FF FF FF", "W", -2),  # signed
        ("03 2B FE FF FF", "W", -2),  # 24 bit
        ("06 2B FE FF FF FF FF FF", "W", -2),  # 48 bit
        ("07 2B FE FF FF FF FF FF FF FF", "W", -2),  # 64 bit
        ("02 2D 64 00", "W", 10_000),  # 100 W
        ("0B 2B 12 00 F0", "W", -12),  # BCD with the sign in its highest digit
        ("05 2E 00 00 C0 3F", "W", 1500),  # float 1.5 kW
        ("02 FD 48 FC 08", "V", 230.0),
        ("03 FD 59 BE FF FF", "A", -0.066),
        ("02 FB 00 03 00", "Wh", 300_000),  # 0.1 MWh
    ],
)
def test_values_and_units(data: str, unit: str, value: float) -> None:
    record = only(data)
    assert record.unit == unit
    assert record.value is not None
    assert math.isclose(record.value, value, rel_tol=1e-6)


@pytest.mark.row("trap:B1")
@pytest.mark.parametrize(
    ("dib", "storage", "tariff", "subunit", "function"),
    [
        ("04", 0, 0, 0, 0),
        ("44", 1, 0, 0, 0),
        ("14", 0, 0, 0, 1),
        ("24", 0, 0, 0, 2),
        ("34", 0, 0, 0, 3),
        ("84 10", 0, 1, 0, 0),
        ("84 11", 2, 1, 0, 0),
        ("C4 02", 5, 0, 0, 0),
        ("84 40", 0, 0, 1, 0),
        ("84 80 40", 0, 0, 2, 0),
        ("84 B0 10", 0, 7, 0, 0),
    ],
)
def test_data_information(dib: str, storage: int, tariff: int, subunit: int, function: int) -> None:
    record = only(f"{dib} 03 01 00 00 00")
    found = (record.storage, record.tariff, record.subunit, record.function)
    assert found == (storage, tariff, subunit, function)
    assert record.value == 1


@pytest.mark.parametrize(
    "data",
    [
        "02 2B 00 80",  # the lowest number of its kind
        "04 03 00 00 00 80",
        "0C 04 FF FF FF FF",  # no digits
        "0A 2B BB BB",
        "05 2B 00 00 C0 7F",  # not a number
        "04 83 15 01 00 00 00",  # record error: no data available
        "00 03",  # no data at all
        "42 6C 21 36",  # a date
        "0D FD 11 02 42 41",  # a text
    ],
)
def test_a_meter_that_says_it_has_no_value(data: str) -> None:
    assert [one.value for one in read(data).records] in ([None], [])


def test_extensions_of_the_maker_are_no_record_errors() -> None:
    assert only("04 AB FF 01 05 00 00 00").value == 5
    assert only("01 FF 93 15 07").value == 7


def test_more_records_follow_and_what_the_maker_adds() -> None:
    assert read("01 FD 17 00 1F").more
    assert [one.unit for one in read("04 2B 01 00 00 00 0F AA BB CC").records] == ["W"]
    assert len(read("2F 2F 04 2B 01 00 00 00 2F").records) == 1


@pytest.mark.row("trap:B2")
@pytest.mark.parametrize(
    "data",
    [
        "04 FD" + " FF" * 30 + " 7F 00 00 00 00",  # chains of more than ten extensions
        "84" + " 80" * 30 + " 00 2B 00 00 00 00",
        "04 2B 00 00",  # runs over the end
        "84",
        "04 FD",
    ],
)
def test_hostile_records_are_refused(data: str) -> None:
    with pytest.raises(ProtocolError):
        read(data)


@pytest.mark.parametrize("data", ["73 00", "78 04 2B 00 00 00 00", "72 00 00", "00"])
def test_other_telegrams(data: str) -> None:
    with pytest.raises(ProtocolError, match="no such telegram"):
        read("", head=bytes.fromhex(data))


@pytest.mark.row("trap:B2")
@given(st.binary(min_size=1, max_size=253))
def test_random_telegrams_never_crash(data: bytes) -> None:
    for head in (b"", HEAD):
        try:
            found = records.decode(Response(address=1, data=(head + data)[:253]))
        except ProtocolError:
            continue
        assert all(one.value is None or math.isfinite(one.value) for one in found.records)


@pytest.mark.row("trap:B1")
@given(
    st.tuples(*[st.floats(-1e6, 1e6)] * 3),
    st.floats(0, 1e11),
    st.floats(0, 400),
)
def test_what_another_hand_wrote_is_read(
    phases_w: tuple[float, float, float], import_wh: float, voltage_v: float
) -> None:
    shown = telegram.Measured(
        phases_w=phases_w,
        phases_a=(1.0, 2.5, 0.0),
        voltage_v=voltage_v,
        import_wh=import_wh,
        export_wh=0.0,
    )
    data = telegram.header("00000042", 1) + telegram.totals(shown) + telegram.phases(shown)
    values = [one.value for one in records.decode(Response(address=1, data=data)).records]
    assert values[0] == round(import_wh)
    assert values[2] == round(sum(phases_w))
    for place, watts in enumerate(phases_w):
        assert values[3 + 3 * place] == round(watts)
        assert values[4 + 3 * place] == pytest.approx(voltage_v, abs=0.051)
