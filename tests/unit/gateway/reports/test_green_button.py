"""The Green Button feed, read back; and meter rows over days of clock change."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.program.wall import span_of
from gateway.reports.meter_data.green_button import green_button
from gateway.reports.meter_data.rows import MeterData, meter_rows, meter_table

BRUSSELS = ZoneInfo("Europe/Brussels")
QUARTER = timedelta(minutes=15)
NS = {"a": "http://www.w3.org/2005/Atom", "e": "http://naesb.org/espi"}
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def data(power: StepSeries, window: Interval, name: str = "Harbor") -> MeterData:
    return MeterData(
        site_id="harbor",
        name=name,
        zone=BRUSSELS,
        length=QUARTER,
        rows=meter_rows(power, window, QUARTER),
        simulated=True,
        created_at=NOW,
    )


def day(value: float, day_of: date = date(2026, 10, 24)) -> MeterData:
    window = span_of(day_of, day_of, BRUSSELS)
    return data(StepSeries.of([(window, value)]), window)


def kinds(feed: ET.Element) -> list[str]:
    contents = feed.iterfind(".//a:content", NS)
    return [one.tag.partition("}")[2] for content in contents for one in content]


@pytest.mark.row("mv:M7")
def test_a_feed_has_every_resource_linked_to_the_others() -> None:
    feed = ET.fromstring(green_button(day(8000.0)))
    assert kinds(feed) == [
        *("UsagePoint", "LocalTimeParameters", "MeterReading", "ReadingType", "IntervalBlock"),
    ]
    links = {(rel.get("rel"), rel.get("href")) for rel in feed.iterfind("a:entry/a:link", NS)}
    ours = {href for rel, href in links if rel == "self"}
    assert {href for rel, href in links if rel == "related"} <= ours
    ids = [one.text for one in feed.iterfind(".//a:id", NS)]
    assert len(set(ids)) == len(ids) == 6
    codes = {one.tag.partition("}")[2]: one.text for one in feed.iterfind(".//e:ReadingType/*", NS)}
    assert codes["uom"] == "72"
    assert codes["intervalLength"] == "900"
    assert codes["flowDirection"] == "1"
    values = [int(one.text or "") for one in feed.iterfind(".//e:IntervalReading/e:value", NS)]
    assert values == [2000] * 96
    assert "SIMULATED" in (feed.findtext("a:title", "", NS))


def test_what_is_fed_in_is_a_reading_of_its_own_and_never_negative() -> None:
    feed = ET.fromstring(green_button(day(-4000.0)))
    assert kinds(feed).count("MeterReading") == 2
    values = [int(one.text or "") for one in feed.iterfind(".//e:IntervalReading/e:value", NS)]
    assert sorted(set(values)) == [0, 1000]


@pytest.mark.parametrize(
    ("day_of", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 7, 1), 96)],
)
def test_days_of_clock_change(day_of: date, quarters: int) -> None:
    made = day(4000.0, day_of)
    assert len(made.rows) == quarters
    block = ET.fromstring(green_button(made)).find(".//e:IntervalBlock/e:interval", NS)
    assert block is not None
    assert block.findtext("e:duration", "", NS) == str(quarters * 900)


def test_what_is_not_known_is_left_out_and_what_is_estimated_said() -> None:
    window = Interval.lasting(datetime(2026, 7, 1, tzinfo=UTC), timedelta(hours=1))
    known = Interval.lasting(window.start, timedelta(minutes=25))
    made = data(StepSeries.of([(known, 4000.0)]), window)
    assert [row.quality for row in made.rows] == ["measured", "estimated", "missing", "missing"]
    feed = ET.fromstring(green_button(made))
    assert [one.text for one in feed.iterfind(".//e:quality", NS)] == ["11", "8"]
    assert [row[5] for row in meter_table(made).rows] == [1.0, 1.0, None, None]
    empty = ET.fromstring(green_button(data(StepSeries(), window)))
    assert kinds(empty) == ["UsagePoint", "LocalTimeParameters", "MeterReading", "ReadingType"]


@given(st.text(max_size=30))
def test_no_name_breaks_the_feed(name: str) -> None:
    window = Interval.lasting(datetime(2026, 7, 1, tzinfo=UTC), timedelta(hours=1))
    made = data(StepSeries.of([(window, 1.0)]), window, name)
    assert kinds(ET.fromstring(green_button(made)))[0] == "UsagePoint"
