"""Which record is which point."""

import pytest

from site_agent.devices.mbus import records
from site_agent.devices.mbus.frame import Response
from site_agent.devices.mbus.mapping import RecordMap, RecordRule, points

HEAD = bytes.fromhex("72 78 56 34 12 2D 4D 01 02 05")
ALL = RecordMap()


def read(data: str, how: RecordMap = ALL, status: int = 0) -> dict[str, float | None]:
    body = HEAD + bytes([status, 0, 0]) + bytes.fromhex(data)
    found = points([records.decode(Response(address=1, data=body))], how)
    return {point: value for point, value in found.items() if point != "fault"}


@pytest.mark.row("trap:B1")
@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("04 03 05 00 00 00", {"import_energy": 5}),
        ("04 83 3B 05 00 00 00 04 83 3C 07 00 00 00", {"import_energy": 5, "export_energy": 7}),
        ("84 10 03 05 00 00 00 84 20 03 07 00 00 00", {"import_energy": 12}),  # tariffs add up
        ("04 03 14 00 00 00 84 10 03 05 00 00 00", {"import_energy": 20}),  # but not to a total
        ("44 03 05 00 00 00", {}),  # of the past
        ("14 2B 05 00 00 00 24 2B 01 00 00 00", {}),  # highest and lowest
        ("84 40 2B 05 00 00 00", {}),  # another unit, as of reactive power
        ("04 2B FB FF FF FF", {"active_power": -5}),
        (
            "02 AB FF 01 01 00 02 AB FF 02 02 00 02 AB FF 03 04 00",
            {
                "active_power": 7,
                "active_power_l1": 1,
                "active_power_l2": 2,
                "active_power_l3": 4,
            },
        ),
        (
            "02 AB FC 02 01 00 02 AB FF 00 09 00",
            {"active_power": 9, "active_power_l2": 1},
        ),
        ("04 FB 7E 01 00 00 00", {}),  # counts highest powers
        ("04 AB 70 01 00 00 00", {}),  # with a factor of its own
        ("04 83 22 01 00 00 00", {}),  # an energy per hour
        ("02 AB FF 07 01 00", {}),  # of the maker, and not a phase
        ("03 FD D9 FF 01 BE FF FF 03 FD 59 BE FF FF", {"current_l1": 0.066}),  # a magnitude
        ("02 FD 48 FC 08 02 FD 59 E8 03", {"voltage_l1": 230, "current_l1": 1}),  # one phase
        ("02 2B 00 80", {"active_power": None}),  # it says that it does not know
    ],
)
def test_records_found_by_their_units(data: str, found: dict[str, float | None]) -> None:
    assert read(data) == pytest.approx(found)


def test_a_phase_that_is_not_known_leaves_the_sum_unknown() -> None:
    assert read("02 AB FF 01 01 00 02 AB FF 02 00 80")["active_power"] is None


def test_a_record_map_says_what_units_do_not() -> None:
    how = RecordMap(
        rules={
            "frequency": RecordRule(dib="02", vib="FF52", scale=0.1),
            "active_power": RecordRule(dib="c400", vib="2a"),
            "power_factor": RecordRule(dib="01", vib="FFE1FF01", scale=0.01),
        },
        shows=("frequency", "active_power", "power_factor", "import_energy"),
    )
    found = read("02 FF 52 F4 01 C4 00 2A 64 00 00 00 04 2B 63 00 00 00", how)
    assert found == pytest.approx({"frequency": 50, "active_power": 10})


def test_only_what_the_meter_shows() -> None:
    assert read("04 2B 05 00 00 00 04 03 05 00 00 00", RecordMap(shows=("import_energy",))) == {
        "import_energy": 5
    }


def test_a_permanent_error_is_a_fault() -> None:
    for status, fault in ((0x08, 1.0), (0x10, 0.0), (0, 0.0)):
        body = HEAD + bytes([status, 0, 0]) + bytes.fromhex("04 2B 05 00 00 00")
        telegram = records.decode(Response(address=1, data=body))
        assert points([telegram], ALL)["fault"] == fault
