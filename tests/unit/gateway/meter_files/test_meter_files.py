"""Files of meter data as people and programs write them, and as enemies do."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.metering.gaps import intervals_of_day
from gateway.domain.metering.interval import Meter, Register
from gateway.domain.metering.site_meter import SiteMeter
from gateway.meter_files import csv_file, reading
from gateway.meter_files.csv_file import read_csv
from gateway.meter_files.espi_file import read_espi
from gateway.meter_files.json_file import read_json
from gateway.meter_files.reading import ReadFile, Reading
from gateway.reports.meter_data.green_button import green_button
from gateway.reports.meter_data.rows import MeterData, MeterRow

QUARTER = timedelta(minutes=15)
BRUSSELS = ZoneInfo("Europe/Brussels")
ARRIVED = datetime(2026, 11, 28, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def by(register: Register = Register.IMPORT, issued_at: datetime | None = None) -> Reading:
    meter = SiteMeter(name="grid", rules=Meter(register=register))
    return Reading(meter=meter, zone=BRUSSELS, arrived=ARRIVED, issued_at=issued_at)


def rows(file: ReadFile) -> list[tuple[datetime, float | None]]:
    return [(one.interval.start, one.interval.energy_wh) for one in file.told]


@pytest.mark.parametrize(
    ("text", "start", "energy_wh"),
    [
        ("start_utc,energy_wh\n2026-06-01T12:00,250.5\n", NOON, 250.5),
        ("start,energy_kwh\n2026-06-01T12:00Z,1.5\n", NOON, 1500.0),
        ("start,energy_wh\n2026-06-01T14:00+02:00,1\n", NOON, 1.0),
        ("start,energy_wh\n2026-06-01 14:00,1\n", NOON, 1.0),
        ("\ufeffstart_local;energy_kwh\r\n2026-06-01 14:00;1,5\r\n", NOON, 1500.0),
        ("x,start_utc,start_local,energy_wh\n?,2026-06-01 12:00,never,\n", NOON, None),
        ("start,energy_wh\n2026-06-01T12:00Z,-4e2\n", NOON, -400.0),
    ],
)
def test_csv_by_its_columns(text: str, start: datetime, energy_wh: float | None) -> None:
    assert rows(read_csv(text.encode(), by())) == [(start, energy_wh)]


def test_what_a_row_says_of_quality_length_and_issue_is_taken() -> None:
    text = (
        "start,end,energy_wh,quality,issued_at\n"
        "2026-06-01T12:00Z,2026-06-01T12:30Z,1,estimated,2026-06-02T00:00Z\n"
        "2026-06-01T13:00Z,,NaN,,\n"
    )
    first, second = read_csv(text.encode(), by()).told
    assert (first.interval.length, first.interval.quality) == (2 * QUARTER, Quality.ESTIMATED)
    assert (first.interval.issued_at, first.dated) == (datetime(2026, 6, 2, tzinfo=UTC), True)
    assert isnan(second.interval.energy_wh or 0.0)
    assert (second.interval.issued_at, second.dated) == (ARRIVED, False)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-10-25 02:15,1", "happens twice in Europe/Brussels: give the offset, +0200 or +0100"),
        ("2026-03-29 02:15,1", "does not exist in Europe/Brussels: clocks go forward"),
        ("yesterday,1", "is no time"),
        ("0001-01-01T00:00+14:00,1", "is not between 1990 and 2100"),
        ("2026-06-01T12:00Z,1_000", "is no number"),
        ("2026-06-01T12:00Z,a lot", "is no number"),
        ("2026-06-01T12:00Z,1,perfect", "is none of"),
        ("2026-06-01T12:00Z,1,good,1e400", "infinity"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_by_number_and_holds_up_no_other(
    row: str, reason: str
) -> None:
    text = f"start,energy_wh,quality,length_s\n2026-06-01T12:00Z,1\n{row}\n"
    found = read_csv(text.encode(), by())
    assert len(found.told) == 1
    (unread,) = found.unread
    assert unread.row == 2
    assert reason in unread.reason


@pytest.mark.parametrize(
    ("read", "data", "reason"),
    [
        (read_csv, b"", "the first line must name the columns"),
        (read_csv, b"time,kwh\n1,2\n", "it has: 'time', 'kwh'"),
        (read_csv, b"start,energy_wh\n\xff,1\n", "not UTF-8"),
        (read_csv, b"start,energy_wh\n" + b"x" * 200_000, "field larger"),
        (read_json, b"[]", "/: Input should be an object"),
        (read_json, b"{", "/: Invalid JSON"),
        (read_json, b'{"intervals":[{"start":"2026-06-01T12:00"}]}', "timezone"),
        (
            read_json,
            b'{"intervals":[{"start":"2026-06-01T12:00Z","energy_wh":1,"energy_kwh":1}]}',
            "not both",
        ),
        (read_json, b'{"intervals":[{"start":"0001-01-01T00:00:00+14:00"}]}', "1990"),
        (read_espi, b"<feed/>", "no ReadingType"),
        (read_espi, b"not xml", "no Green Button feed"),
        (read_espi, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
        (read_espi, b"<a>" * 50 + b"</a>" * 50, "deeper"),
    ],
)
def test_what_is_no_such_file_is_refused_with_what_is_wrong(
    read: Callable[[bytes, Reading], ReadFile], data: bytes, reason: str
) -> None:
    with pytest.raises(PermanentError, match=reason):
        read(data, by())


def test_more_intervals_than_one_delivery_may_have_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "MOST_INTERVALS", 2)
    text = "start_utc,energy_wh\n" + "2026-06-01T12:00,1\n" * 3
    with pytest.raises(PermanentError, match="in parts, such as by month"):
        csv_file.read_csv(text.encode(), by())


@pytest.mark.parametrize(
    ("day", "quarters"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (NOON.date(), 96)]
)
def test_a_day_of_a_clock_change_comes_whole_where_its_times_have_an_offset(
    day: date, quarters: int
) -> None:
    pieces = intervals_of_day(day, BRUSSELS, QUARTER)
    local = [one.start.astimezone(BRUSSELS).isoformat() for one in pieces]
    text = "start,energy_wh\n" + "".join(f"{one},1\n" for one in local)
    found = read_csv(text.encode(), by())
    assert [start for start, _ in rows(found)] == [one.start for one in pieces]
    assert (len(found.told), found.unread) == (quarters, ())


def feed(net: list[float | None], *, coverage: float = 1.0) -> bytes:
    window = Interval.lasting(NOON, len(net) * QUARTER)
    data = MeterData(
        site_id="depot-1",
        name="Depot",
        zone=BRUSSELS,
        length=QUARTER,
        rows=[
            MeterRow(interval=piece, net_wh=wh, coverage=coverage)
            for piece, wh in zip(window.split(QUARTER), net, strict=True)
        ],
        simulated=False,
        created_at=ARRIVED,
    )
    return green_button(data)


def test_our_own_green_button_feed_is_read_by_its_direction() -> None:
    both = feed([100.0, -50.0, None, 25.0])
    taken = read_espi(both, by())
    assert rows(taken) == [(NOON, 100.0), (NOON + QUARTER, 0.0), (NOON + 3 * QUARTER, 25.0)]
    given_back = read_espi(both, by(Register.EXPORT))
    assert [wh for _, wh in rows(given_back)] == [0.0, 50.0, 0.0]
    assert {one.interval.quality for one in taken.told} == {Quality.ESTIMATED}
    assert {one.interval.reason for one in taken.told} == {"derived, its source says"}
    with pytest.raises(PermanentError, match="no IntervalReading of a register of net"):
        read_espi(both, by(Register.NET))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"<espi:uom>72", b"<espi:uom>38", "uom 38"),
        (b"Multiplier>0", b"Multiplier>99", "powerOfTenMultiplier 99"),
        (b"<espi:uom>72", b"<espi:uom>Wh", "no whole number"),
        (b"flowDirection>1<", b"flowDirection>19<", "register of import"),
    ],
)
def test_a_feed_in_another_unit_or_direction_is_refused(
    old: bytes, new: bytes, reason: str
) -> None:
    with pytest.raises(PermanentError, match=reason):
        read_espi(feed([100.0]).replace(old, new), by())


def test_a_feed_is_read_with_its_multiplier_and_bad_readings_are_told() -> None:
    kilo = feed([2.0, 3.0]).replace(b"Multiplier>0", b"Multiplier>3")
    assert [wh for _, wh in rows(read_espi(kilo, by()))] == [2000.0, 3000.0]
    broken = feed([2.0, 3.0]).replace(b"value>3<", b"value>three<")
    found = read_espi(broken, by())
    assert (len(found.told), found.unread[0].row) == (1, 2)


@pytest.mark.parametrize("read", [read_csv, read_json, read_espi])
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_nothing_that_is_sent_breaks_a_reader(
    read: Callable[[bytes, Reading], ReadFile], data: bytes
) -> None:
    try:
        found = read(b"start,energy_wh\n" + data if read is read_csv else data, by())
    except PermanentError:
        return
    assert all(1989 <= one.interval.start.year <= 2101 for one in found.told)
