"""The live fleet: what is told counts at once, all of it or nothing, and lasts."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import TransientError
from site_agent.domain.fleet.agreed import LeavesAfter, LeavesDaily
from site_agent.domain.fleet.facts import Source
from site_agent.domain.fleet.identity import Evidence, Presented
from site_agent.domain.fleet.known import ConflictError, InvalidFactsError
from site_agent.flows.fleet.roster import StaleRevisionError
from site_agent.flows.fleet.sessions import Sessions
from site_agent.store.memory import MemoryKeyValues
from site_agent.store.memory_fleet import MemoryRoster
from support.fleet import VAN, ZONE, change, live_roster
from support.site import NOON, charger

HOUR = timedelta(hours=1)


async def test_a_change_counts_at_once_and_everyone_hears_of_it() -> None:
    roster, heard = live_roster(), []
    roster.on_change(lambda: heard.append(roster.vehicles["van-1"].rank))
    view = roster.vehicles
    assert await roster.tell([change(rank=5)]) == {"van-1"}
    assert view["van-1"].rank == 5
    assert heard == [5]
    assert await roster.tell([change(rank=5)]) == frozenset()
    assert heard == [5]


async def test_a_new_vehicle_gets_the_strangers_policy_where_nothing_is_said() -> None:
    roster = live_roster()
    await roster.tell([change("bus-7", id_tags=["B7"], capacity_wh=300_000)])
    bus = roster.vehicles["bus-7"]
    assert (bus.departure, bus.target.energy_wh) == (LeavesAfter(stay=8 * HOUR), 20_000.0)
    assert roster.access.identify(Presented(token="b7"), "a").vehicle == "bus-7"


async def test_what_was_told_survives_a_restart_with_its_source() -> None:
    store = MemoryRoster()
    roster = live_roster(store=store)
    await roster.tell([change(departure="05:00", days=["mon", "fri"], arrival="18:00")])
    await roster.tell([change(soc_pct=41.5, measured_at=NOON - HOUR, source=Source.GEOTAB)])
    again = live_roster(store=store)
    await again.load()
    zone = ZoneInfo(ZONE)
    assert again.vehicles == roster.vehicles
    van = again.vehicles["van-1"]
    assert van.departure == LeavesDaily(at=time(5), zone=zone, days=frozenset({0, 4}))
    assert van.soc is not None
    assert (van.soc.pct, van.soc.at) == (41.5, NOON - HOUR)
    entry = again.entry("van-1")
    assert entry is not None
    assert (entry.facts["soc_pct"].source, entry.settled) == (Source.GEOTAB, True)


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"soc_pct": 101}, "/soc_pct"),
        ({"rank": -1}, "/rank"),
        ({"departure": "25:00"}, ""),
        ({"departure": "2026-01-06T05:00:00"}, ""),  # whose clock?
        ({"nonsense": 1}, "/nonsense"),
        ({"in_hours": 8, "departure": "05:00"}, ""),
        ({"capacity_wh": None}, ""),  # the required state of charge needs it
        ({"trips": [{"trip_id": "t", "departs": "tomorrow"}]}, "/trips/0/departs"),
        ({"id_tags": ["x" * 37]}, "/id_tags/0/tag"),
    ],
)
async def test_nonsense_is_refused_by_name_and_changes_nothing(values: Any, pointer: str) -> None:
    roster = live_roster()
    before = dict(roster.vehicles)
    with pytest.raises(InvalidFactsError) as raised:
        await roster.tell([change("good", rank=1), change(**values)])
    assert [fault.pointer for fault in raised.value.faults] == [pointer]
    assert dict(roster.vehicles) == before


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"id_tags": ["04a1b2c3"]}, "card …b2c3 would be of two holders"),
        ({"id_tags": ["bad1"]}, "card …d1 would be of two holders"),
        ({"bay": "z"}, "bay 'z': no EVSE of this site"),
        ({"bay": "a"}, "bay 'a' would be of van-1, van-2"),
    ],
)
async def test_what_contradicts_others_is_refused(values: Any, words: str) -> None:
    roster = live_roster()
    await roster.tell([change(bay="a")])
    with pytest.raises(ConflictError, match=words):
        await roster.tell([change("van-2", **values)])


async def test_a_bay_moves_and_the_settings_bay_with_it() -> None:
    roster = live_roster(bays={"a": "van-1"})
    assert roster.access.identify(Presented(), "a").evidence is Evidence.BAY
    await roster.tell([change(bay="b")])
    found = [roster.access.identify(Presented(), bay).vehicle for bay in "ab"]
    assert found == [None, "van-1"]


async def test_the_settings_bay_is_where_a_vehicle_is_expected_and_nobody_elses() -> None:
    roster = live_roster(bays={"a": "van-1"})
    assert roster.vehicles["van-1"].bay == "a"
    with pytest.raises(ConflictError, match="bay 'a' would be of van-1, van-2"):
        await roster.tell([change("van-2", bay="a")])
    await roster.tell([change(bay="b"), change("van-2", bay="a")])  # they change places
    assert roster.access.roster.bays == {"a": "van-2", "b": "van-1"}


async def test_a_revision_guards_against_a_change_in_between() -> None:
    roster = live_roster()
    first = roster.entry("van-1")
    assert first is not None
    await roster.tell([change(rank=2)], {"van-1": first.revision})
    with pytest.raises(StaleRevisionError):
        await roster.tell([change(rank=3)], {"van-1": first.revision})
    with pytest.raises(StaleRevisionError):
        await roster.tell([change(rank=3)], {"van-1": ""})
    assert roster.vehicles["van-1"].rank == 2


async def test_only_what_the_settings_do_not_name_can_be_removed() -> None:
    roster = live_roster()
    await roster.tell([change("bus", rank=1)])
    assert await roster.remove("bus")
    assert not await roster.remove("bus")
    assert roster.ids() == ["van-1"]
    with pytest.raises(ConflictError, match="settings file"):
        await roster.remove("van-1")


async def test_what_cannot_be_stored_does_not_count() -> None:
    class Full(MemoryRoster):
        async def put(self, rows: Any) -> None:
            raise TransientError("disk full")

    roster = live_roster(store=Full())
    with pytest.raises(TransientError):
        await roster.tell([change(rank=9)])
    assert roster.vehicles["van-1"].rank == 0


async def test_told_data_that_fit_the_settings_no_more_are_left_out() -> None:
    store = MemoryRoster()
    before = live_roster(store=store)
    await before.tell([change("a-bus", id_tags=["NEW"]), change("b-bus", rank=3)])
    settled_tag = VAN | {"id_tags": ["NEW"]}
    after = live_roster(settled_tag, store=store)
    await after.load()
    assert after.ids() == ["b-bus", "van-1"]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"rank": [1, "carrier pigeon", "2026-01-05"]}'])
async def test_a_row_that_cannot_be_read_does_not_keep_the_depot_from_starting(body: str) -> None:
    store = MemoryRoster()
    await live_roster(store=store).tell([change("bus", rank=3)])
    await store.put({"van-1": body})
    roster = live_roster(store=store)
    await roster.load()
    assert roster.ids() == ["bus", "van-1"]
    assert roster.vehicles["van-1"].target.soc_pct == 80.0


# --- with whoever stands at the plugs -------------------------------------------------------------


async def test_a_card_that_is_given_to_a_vehicle_counts_in_the_middle_of_its_stay() -> None:
    roster = live_roster()
    sessions = Sessions(roster.fleet(), MemoryKeyValues())
    roster.on_change(sessions.renew)
    state = charger(tag="FRESH")
    assert not sessions.needs([state], NOON)[0].known
    await roster.tell([change("bus", id_tags=["FRESH"], in_hours=2, required_wh=9_000)])
    (need,) = sessions.needs([state], NOON + HOUR)
    assert (need.vehicle_id, need.known, need.departure) == ("bus", True, NOON + 2 * HOUR)


async def test_a_told_state_of_charge_counts_from_what_was_charged_when_it_was_heard() -> None:
    roster = live_roster()
    sessions = Sessions(roster.fleet(), MemoryKeyValues())
    tag = "04A1B2C3"
    sessions.needs([charger(tag=tag, energy_wh=0.0)], NOON)
    await roster.tell([change(soc_pct=50, measured_at=NOON + HOUR)])
    (at_once,) = sessions.needs([charger(tag=tag, energy_wh=5_000.0)], NOON + HOUR)
    (later,) = sessions.needs([charger(tag=tag, energy_wh=8_000.0)], NOON + 2 * HOUR)
    assert (at_once.required_wh, later.required_wh) == (15_000.0, 12_000.0)


async def test_who_is_away_is_expected_and_who_has_just_left_is_not_expected_back_at_once() -> None:
    memory = MemoryKeyValues()
    roster = live_roster()
    sessions = Sessions(roster.fleet(), memory)
    await roster.tell([change(arrival="13:30", bay="b", departure="18:00")])  # 12:30 UTC
    here = charger("b", tag="04A1B2C3")
    sessions.needs([here, charger("a", plugged=False)], NOON)
    (tomorrow,) = sessions.expected(NOON)  # it stands here until 17:00 UTC
    assert tomorrow.arrives == NOON + 24.5 * HOUR
    left = NOON + 0.75 * HOUR
    sessions.needs([charger("b", plugged=False)], left)
    assert [stay.arrives for stay in sessions.expected(left)] == [NOON + 24.5 * HOUR]
    await sessions.save()
    again = Sessions(roster.fleet(), memory)
    await again.load()
    again.needs([charger("b", plugged=False)], left)
    assert again.expected(left) == sessions.expected(left)
    (stay,) = sessions.expected(left)
    assert (stay.evse_id, stay.departs, stay.max_power_w) == ("b", NOON + 29 * HOUR, 22_080.0)


async def test_hundreds_are_reckoned_anew_only_when_something_changes() -> None:
    roster = live_roster()
    sessions = Sessions(roster.fleet(), MemoryKeyValues())
    many = [change(f"v{n}", arrival="18:00", departure="06:00") for n in range(50)]
    await roster.tell(many)
    sessions.needs([charger("a", plugged=False)], NOON)
    first = sessions.expected(NOON)
    assert len(first) == 100
    assert sessions.expected(NOON + timedelta(seconds=30)) == first
    await roster.tell([change("v7", arrival="20:00")])
    moved = [one for one in sessions.expected(NOON) if one not in first]
    assert {one.vehicle_id for one in moved} == {"v7"}
    late = NOON + 5.5 * HOUR  # 18:30 on their clocks
    assert sessions.expected(late)[0].arrives == late
