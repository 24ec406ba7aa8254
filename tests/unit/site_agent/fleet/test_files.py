"""CSV files as fleets' exports and spreadsheets write them, and every way to be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.fleet.agreed import LeavesDaily
from site_agent.domain.fleet.facts import Source
from site_agent.fleet.files import cells
from site_agent.fleet.files.faults import FileFaultsError
from site_agent.fleet.files.importing import Imported, import_file
from site_agent.fleet.files.table import MAX_BYTES
from site_agent.flows.fleet.roster import LiveRoster
from support.fleet import ZONE, live_roster
from support.site import NOON

BERLIN = ZoneInfo(ZONE)


async def take(roster: LiveRoster, text: str | bytes, *, dry_run: bool = False) -> Imported:
    data = text.encode() if isinstance(text, str) else text
    return await import_file(roster, data, ZONE, NOON, dry_run=dry_run)


async def faults(text: str | bytes) -> list[str]:
    """What is wrong with a file; nothing of it counts."""
    roster = live_roster()
    before = dict(roster.vehicles)
    with pytest.raises(FileFaultsError) as raised:
        await take(roster, text)
    assert dict(roster.vehicles) == before
    return [str(one) for one in raised.value.faults]


async def test_a_plain_file_of_vehicles() -> None:
    roster = live_roster()
    done = await take(
        roster,
        "vehicle_id,vin,id_tags,capacity_kwh,max_ac_kw,dc_kw,soc,required_soc,departure,days,rank,bay\n"
        "bus-7,WVWZZZ1JZ3W386752,B7|B8,350,22,150,41.5,90,05:10,mon-fri,2,a\n"
        "van-1,,,,,,,95,,,,\n",
    )
    assert (done.rows, done.trips, done.changed) == (2, False, ("bus-7", "van-1"))
    bus, van = roster.vehicles["bus-7"], roster.vehicles["van-1"]
    assert (bus.max_power_w, bus.max_dc_power_w, bus.rank, bus.bay) == (22e3, 150e3, 2, "a")
    assert (bus.target.capacity_wh, bus.target.soc_pct) == (350e3, 90.0)
    weekdays = frozenset(range(5))
    assert bus.departure == LeavesDaily(at=time(5, 10), zone=BERLIN, days=weekdays)
    assert bus.soc is not None
    assert (bus.soc.pct, bus.soc.at) == (41.5, NOON)
    assert (van.target.soc_pct, van.target.capacity_wh) == (95.0, 50e3)  # empty: as before
    entry = roster.entry("bus-7")
    assert entry is not None
    assert entry.facts["rank"].source is Source.CSV
    again = await take(roster, "id;prio\nbus-7;2\n")
    assert (again.changed, again.unchanged) == ((), ("bus-7",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_what_a_german_spreadsheet_writes(encoding: str) -> None:
    roster = live_roster()
    text = (
        "Fahrzeug;Kapazität kWh;Ziel SoC;Ladestand;Abfahrt;Priorität;max_ac_kw\r\n"
        '"Bus Süd";1.250,5;85 %;41,5;5.10 Uhr;3;7,4\r\n'
    )
    await take(roster, text.encode(encoding))
    bus = roster.vehicles["Bus Süd"]
    assert (bus.target.capacity_wh, bus.target.soc_pct) == (1_250_500.0, 85.0)
    assert (bus.max_power_w, bus.rank) == (7_400.0, 3)
    assert bus.departure == LeavesDaily(at=time(5, 10), zone=BERLIN)


@pytest.mark.row("site:F3")
async def test_a_file_of_trips_on_local_clocks() -> None:
    roster = live_roster()
    text = (
        "vehicle,trip,departure_time,return_time,target_soc\n"
        "van-1,T1,2026-01-06 05:30,2026-01-06T17:00,90\n"
        "van-1,T2,07.01.2026 05:30,,\n"
        "bus-7,,2026-01-06T05:30:00Z,,\n"
    )
    done = await take(roster, text)
    assert (done.rows, done.trips, done.changed) == (3, True, ("bus-7", "van-1"))
    first, second = roster.vehicles["van-1"].trips
    assert (first.trip_id, first.departs) == ("T1", datetime(2026, 1, 6, 4, 30, tzinfo=UTC))
    assert (first.returns, first.required_soc_pct) == (datetime(2026, 1, 6, 16, tzinfo=UTC), 90.0)
    assert (second.departs, second.returns) == (datetime(2026, 1, 7, 4, 30, tzinfo=UTC), None)
    (other,) = roster.vehicles["bus-7"].trips
    assert (other.trip_id, other.departs.hour) == ("2026-01-06T05:30", 5)
    await take(roster, "vehicle,trip,departs\nvan-1,T2,2026-01-08 06:00\n")
    ids = [one.trip_id for one in roster.vehicles["van-1"].trips]
    assert ids == ["T1", "T2"]
    assert roster.vehicles["van-1"].trips[1].departs.day == 8


async def test_trips_that_are_long_over_are_forgotten() -> None:
    roster = live_roster()
    old = (NOON - timedelta(days=3)).isoformat()
    await take(roster, f"vehicle,trip,departs\nvan-1,old,{old}\n")
    await take(roster, "vehicle,trip,departs\nvan-1,new,2026-01-08 06:00\n")
    assert [one.trip_id for one in roster.vehicles["van-1"].trips] == ["new"]


async def test_a_dry_run_changes_nothing() -> None:
    roster = live_roster()
    done = await take(roster, "vehicle_id,rank\nvan-1,5\nnew,1\n", dry_run=True)
    assert (done.changed, done.dry_run) == (("new", "van-1"), True)
    assert (roster.ids(), roster.vehicles["van-1"].rank) == (["van-1"], 0)


async def test_none_takes_a_datum_back() -> None:
    roster = live_roster()
    await take(roster, "vehicle_id,departure,in_hours\nvan-1,none,6:30\n")
    entry = roster.entry("van-1")
    assert entry is not None
    assert ("departure" in entry.values, entry.values["in_hours"]) == (False, 6.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["file: it is empty"]),
        (b"\x00\x01\x02", ["file: it holds NUL bytes, so it is no text"]),
        ("rank\n1\n", ["line 1: there is no column vehicle_id"]),
        ("id,id\nv,w\n", ["line 1, id: the column comes twice"]),
        ("id,rank\nv,1,2\n", ["line 2: 3 cells, but the header has 2"]),
        ('id,rank\n"v,1\n', ["line 2: unexpected end of data"]),
        ("id,rank\n,5\n", ["line 2: no vehicle_id"]),
        (
            "id,rank,soc\nvan-1,x,200\n\nbus,1,-5\nbus,2,3\n",
            ["line 2, rank: 'x' is no number", "line 5: 'bus' stands in line 4 already"],
        ),
        ("id,soc\nbus,200\n", ["line 2, soc_pct: Input should be less than or equal to 100"]),
        ("id,rank\nbus,1.5\n", ["line 2, rank: Input should be a valid integer, got a number"]),
        ("id,bay\nbus,z\n", ["file: bay 'z': no EVSE of this site has this id"]),
        ("id,departure\nbus,25:00\n", ["line 2, departure: '25:00' is no time of day"]),
        ("id,days\nbus,mon-foo\n", ["line 2, days: 'mon-foo' is no weekday"]),
        ('id,capacity_kwh\nbus,"1,234"\n', ["line 2, capacity_kwh: '1,234' may be read in two"]),
        ("id,tz,eta\nbus,Mars/Base,2026-01-05 06:00\n", ["line 2, tz: no time zone such as"]),
        ("id,departs\nbus,2026-03-29 02:30\n", ["line 2, departs: '2026-03-29 02:30' does not"]),
        ("id,departs\nbus,2026-10-25 02:30\n", ["line 2, departs: '2026-10-25 02:30' comes twice"]),
        ("id,departs\nbus,2026-03-29\n", ["line 2, departs: '2026-03-29' has no time of day"]),
        ("id,start,end\nb,2026-01-06 06:00,2026-01-06 05:00\n", ["line 2, trips: Value error"]),
        (
            "id,trip,departs\nb,t,2026-01-06 06:00\nb,t,2026-01-07 06:00\n",
            ["line 3: trip 't' of 'b'"],
        ),
        ("id,trip,departs\nb,t,\n", ["line 2: no departs"]),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_by_line(text: str | bytes, told: list[str]) -> None:
    found = await faults(text)
    assert len(found) == len(told)
    assert all(one.startswith(words) for one, words in zip(found, told, strict=True)), found


async def test_a_file_that_is_too_large_is_not_read() -> None:
    assert await faults(b"a" * (MAX_BYTES + 1)) == [f"file: larger than {MAX_BYTES} bytes"]


async def test_an_unknown_column_is_told_with_those_there_are() -> None:
    (one,) = await faults("vehicle_id,color\nv,red\n")
    assert one.startswith("line 1, color: not known in a file of vehicles; there are: vehicle_id,")


@pytest.mark.parametrize(
    ("text", "comma_separates", "value"),
    [
        ("75,5", False, 75.5),
        ("75,5", True, 75.5),
        ("1.234,5", False, 1234.5),
        ("1,234.5", True, 1234.5),
        ("1 234", True, 1234.0),
        ("1,234", False, 1.234),
        ("80%", True, 80.0),
        ("-3", True, -3.0),
    ],
)
def test_numbers(text: str, comma_separates: bool, value: float) -> None:
    assert cells.number(text, comma_separates=comma_separates) == value


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e5", "0x10", "1.2.3", "\u0661\u0662"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        cells.number(text, comma_separates=False)


@given(st.binary(max_size=300))
async def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    roster = live_roster()
    try:
        done = await take(roster, b"vehicle_id;rank\n" + data)
    except FileFaultsError:
        assert roster.ids() == ["van-1"]
    else:
        assert set(roster.ids()) == {"van-1", *done.changed, *done.unchanged}
