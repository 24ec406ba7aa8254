"""Whole Green Button feeds against the published schemas, and a zone as ESPI tells it.

The schemas are those that OpenADR 2.0b embeds (ESPI 0.7, Atom), as openleadr ships them.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.program.wall import span_of
from gateway.reports.meter_data.dst_rule import LocalTime, local_time
from gateway.reports.meter_data.green_button import green_button
from gateway.reports.meter_data.rows import MeterData, meter_rows

QUARTER = timedelta(minutes=15)
NS = {"a": "http://www.w3.org/2005/Atom", "e": "http://naesb.org/espi"}
NONE = "FFFFFFFF"


@cache
def schema() -> etree.XMLSchema:
    """ESPI with the Atom schema that it imports."""
    return etree.XMLSchema(etree.parse(str(files("openleadr") / "schema/oadr_greenbutton.xsd")))


def feed(zone: str, first: date, last: date, power_w: float = 8_000.0) -> bytes:
    place = ZoneInfo(zone)
    window = span_of(first, last, place)
    halves = list(window.split((window.duration or QUARTER) / 2))
    gap = Interval(start=halves[0].start, end=halves[0].start + QUARTER)
    power = StepSeries.of(
        [
            (Interval(start=gap.end or gap.start, end=halves[0].end), power_w),
            (halves[1], -power_w),
        ]
    )
    data = MeterData(
        site_id="harbor",
        name="Harbor & <Sons>",
        zone=place,
        length=QUARTER,
        rows=meter_rows(power, window, QUARTER),
        simulated=True,
        created_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    return green_button(data)


def problems(content: bytes) -> list[str]:
    """The feed as a whole, and every resource in it by its own declaration."""
    root = etree.fromstring(content)
    found = schema()
    parts = [root, *(one for inside in root.iterfind(".//a:content", NS) for one in inside)]
    return [str(found.error_log) for part in parts if not found.validate(part)]


@pytest.mark.row("mv:M7")
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 7, 1), date(2026, 7, 2)), (date(2026, 10, 24), date(2026, 11, 2))],
)
def test_a_whole_feed_is_valid(zone: str, first: date, last: date) -> None:
    assert problems(feed(zone, first, last)) == []


def test_the_schema_finds_what_is_wrong() -> None:
    good = feed("Europe/Berlin", date(2026, 7, 1), date(2026, 7, 1))
    for old, new in (
        (b"<espi:uom>72</espi:uom>", b"<espi:uom>watt</espi:uom>"),
        (b"<espi:tzOffset>3600</espi:tzOffset>", b""),
        (b"<espi:dstStartRule>3E0E2000<", b"<espi:dstStartRule>march<"),
        (b"<title>", b"<headline>x</headline><title>"),
    ):
        assert good.count(old), old
        assert problems(good.replace(old, new, 1)) != [], new


@pytest.mark.row("mv:M7")
@pytest.mark.parametrize(
    ("flow", "codes"),
    [
        (
            flow,
            {
                "accumulationBehaviour": "4",
                "commodity": "1",
                "dataQualifier": "12",
                "flowDirection": flow,
                "intervalLength": "900",
                "kind": "12",
                "powerOfTenMultiplier": "0",
                "timeAttribute": "0",
                "uom": "72",
            },
        )
        for flow in ("1", "19")
    ],
)
def test_reading_types_are_those_of_block_fb_05(flow: str, codes: dict[str, str]) -> None:
    root = etree.fromstring(feed("America/New_York", date(2026, 7, 1), date(2026, 7, 1)))
    found = [
        {etree.QName(leaf).localname: leaf.text for leaf in one}
        for one in root.iterfind(".//e:ReadingType", NS)
    ]
    assert codes in found
    assert len(found) == 2


@pytest.mark.row("mv:M7")
@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        # Second Sunday of March 02:00, first Sunday of November 02:00: as Green Button prints it.
        ("America/New_York", (-18_000, 3_600, "360E2000", "B40E2000")),
        ("America/Los_Angeles", (-28_800, 3_600, "360E2000", "B40E2000")),
        # Last Sunday of March 02:00, last Sunday of October 03:00.
        ("Europe/Berlin", (3_600, 3_600, "3E0E2000", "AE0E3000")),
        ("Europe/Dublin", (0, 3_600, "3E0E1000", "AE0E2000")),
        # South of the equator: first Sunday of October and of April.
        ("Australia/Sydney", (36_000, 3_600, "A40E2000", "440E3000")),
        # Half an hour only.
        ("Australia/Lord_Howe", (37_800, 1_800, "A40E2000", "440E2000")),
        ("Asia/Tokyo", (32_400, 0, NONE, NONE)),
        ("America/Phoenix", (-25_200, 0, NONE, NONE)),
        ("Asia/Kolkata", (19_800, 0, NONE, NONE)),
        ("UTC", (0, 0, NONE, NONE)),
        # The Sunday on or after 2 September, the Sunday on or after 2 April (2026-2033).
        ("America/Santiago", (-14_400, 3_600, "922E0000", "422E0000")),
    ],
)
def test_a_zone_as_espi_tells_it(zone: str, expected: tuple[int, int, str, str]) -> None:
    found = local_time(ZoneInfo(zone), 2026)
    assert (found.tz_offset_s, found.dst_offset_s, found.start_rule, found.end_rule) == expected


def test_a_year_is_told_by_its_own_rules() -> None:
    """Before 2007 the United States changed on the first Sunday of April, the last of October."""
    assert local_time(ZoneInfo("America/New_York"), 1995) == LocalTime(
        tz_offset_s=-18_000, dst_offset_s=3_600, start_rule="440E2000", end_rule="AE0E2000"
    )


@pytest.mark.row("mv:M7")
@pytest.mark.parametrize(
    ("zone", "golden"),
    [
        (
            "America/New_York",
            b"<espi:LocalTimeParameters><espi:dstEndRule>B40E2000</espi:dstEndRule>"
            b"<espi:dstOffset>3600</espi:dstOffset><espi:dstStartRule>360E2000</espi:dstStartRule>"
            b"<espi:tzOffset>-18000</espi:tzOffset></espi:LocalTimeParameters>",
        ),
        (
            "Europe/Berlin",
            b"<espi:LocalTimeParameters><espi:dstEndRule>AE0E3000</espi:dstEndRule>"
            b"<espi:dstOffset>3600</espi:dstOffset><espi:dstStartRule>3E0E2000</espi:dstStartRule>"
            b"<espi:tzOffset>3600</espi:tzOffset></espi:LocalTimeParameters>",
        ),
        (
            "Asia/Tokyo",
            b"<espi:LocalTimeParameters><espi:dstEndRule>FFFFFFFF</espi:dstEndRule>"
            b"<espi:dstOffset>0</espi:dstOffset><espi:dstStartRule>FFFFFFFF</espi:dstStartRule>"
            b"<espi:tzOffset>32400</espi:tzOffset></espi:LocalTimeParameters>",
        ),
    ],
)
def test_local_time_parameters_to_the_byte(zone: str, golden: bytes) -> None:
    made = feed(zone, date(2026, 7, 1), date(2026, 7, 1))
    assert golden in made
    root = etree.fromstring(made)
    related = {
        link.get("href")
        for link in root.iterfind("a:entry[1]/a:link", NS)
        if link.get("rel") == "related"
    }
    assert "LocalTimeParameters/site" in related


def test_the_rule_gives_back_the_hour_of_the_change() -> None:
    """Of every change of ten years: decoded by a reader of the standard, it is the zone's own."""
    for name in ("America/New_York", "Europe/Berlin", "Australia/Sydney", "America/Santiago"):
        zone = ZoneInfo(name)
        for year in range(2024, 2034):
            told = local_time(zone, year)
            for rule, offset_s in (
                (told.start_rule, told.tz_offset_s),
                (told.end_rule, told.tz_offset_s + told.dst_offset_s),
            ):
                at = decoded(rule, year) - timedelta(seconds=offset_s)
                before, after = (
                    (at + timedelta(seconds=s)).astimezone(zone).utcoffset() for s in (-1, 0)
                )
                assert before != after, (name, year, rule)


def decoded(rule: str, year: int) -> datetime:
    """The wall clock's time of a change, by the words of the schema alone."""
    value = int(rule, 16)
    month, operator = value >> 28, value >> 25 & 7
    day, weekday, hour, seconds = (
        value >> 20 & 31,
        value >> 17 & 7,
        value >> 12 & 31,
        value & 4095,
    )
    days = [
        one for n in range(31) if (one := date(year, month, 1) + timedelta(days=n)).month == month
    ]
    same = [one for one in days if one.isoweekday() == weekday]
    match operator:
        case 0:
            chosen = date(year, month, day)
        case 1:
            chosen = next(one for one in same if one.day >= day)
        case 7:
            chosen = same[-1]
        case _:
            chosen = same[operator - 2]
    return datetime(chosen.year, chosen.month, chosen.day, hour, tzinfo=UTC) + timedelta(
        seconds=seconds
    )
