"""From the card at the charger to what the vehicle needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.fleet.identity import Credential, Kind, Presented, Roster
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.flows.fleet.sessions import STAYS_KEY, Fleet, Sessions
from site_agent.store.memory import MemoryKeyValues
from support.site import NOON, charger, charger_spec

HOUR = timedelta(hours=1)


def vehicle(name: str, hours: float) -> FleetVehicle:
    return FleetVehicle(
        vehicle_id=name,
        departure=LeavesAfter(stay=hours * HOUR),
        target=Target(energy_wh=10_000.0),
    )


ROSTER = Roster(
    credentials={
        (Kind.TAG, "card-1"): Credential(vehicle="van-1"),
        (Kind.TAG, "card-3"): Credential(vehicle="van-3"),
        (Kind.TAG, "driver-1"): Credential(driver="d1"),
        (Kind.VIN, "VIN3"): Credential(vehicle="van-3"),
    },
    drives={"d1": "van-1"},
    bays={"bay-3": "van-3"},
)
FLEET = Fleet(
    vehicles={"van-1": vehicle("van-1", 4), "van-3": vehicle("van-3", 6)},
    roster=ROSTER,
    stranger=vehicle("stranger", 8),
)


@pytest.fixture
def memory() -> MemoryKeyValues:
    return MemoryKeyValues()


@pytest.fixture
def sessions(memory: MemoryKeyValues) -> Sessions:
    return Sessions(FLEET, memory)


def one(sessions: Sessions, state: ChargerState, hours: float = 0.0) -> VehicleNeed | None:
    found = sessions.needs([state], NOON + hours * HOUR)
    return found[0] if found else None


def test_a_known_card_is_its_vehicle(sessions: Sessions) -> None:
    need = one(sessions, charger(tag="CARD-1"))
    assert need is not None
    assert (need.vehicle_id, need.known, need.departure) == ("van-1", True, NOON + 4 * HOUR)


@pytest.mark.parametrize("tag", [None, "nobody"])
def test_everyone_else_gets_the_default_policy(sessions: Sessions, tag: str | None) -> None:
    need = one(sessions, charger(tag=tag))
    assert need is not None
    assert (need.vehicle_id, need.known, need.departure) == ("stranger", False, NOON + 8 * HOUR)


def test_the_stay_counts_from_the_plug_in_not_from_the_card(sessions: Sessions) -> None:
    one(sessions, charger())
    need = one(sessions, charger(tag="card-1"), 1)
    assert need is not None
    assert need.departure == NOON + 4 * HOUR


def test_a_vehicle_whose_transaction_has_ended_is_still_itself(sessions: Sessions) -> None:
    one(sessions, charger(tag="card-1"))
    need = one(sessions, charger(tag=None), 1)
    assert need is not None
    assert (need.vehicle_id, need.departure) == ("van-1", NOON + 4 * HOUR)


def test_another_card_is_another_stay(sessions: Sessions) -> None:
    one(sessions, charger(tag="card-1"))
    need = one(sessions, charger(tag="card-2"), 1)
    assert need is not None
    assert (need.vehicle_id, need.departure) == ("stranger", NOON + 9 * HOUR)


def test_an_empty_place_needs_nothing_and_the_next_stay_is_new(sessions: Sessions) -> None:
    one(sessions, charger(tag="card-1"))
    assert one(sessions, charger(plugged=False), 1) is None
    need = one(sessions, charger(tag="card-1"), 2)
    assert need is not None
    assert need.departure == NOON + 6 * HOUR


def test_a_charger_that_goes_offline_does_not_end_the_stay(sessions: Sessions) -> None:
    one(sessions, charger(tag="card-1"))
    one(sessions, charger(plugged=False, online=False), 1)
    need = one(sessions, charger(tag="card-1"), 2)
    assert need is not None
    assert need.departure == NOON + 4 * HOUR


async def test_a_restart_does_not_postpone_departures(
    sessions: Sessions, memory: MemoryKeyValues
) -> None:
    one(sessions, charger(tag="card-1"))
    await sessions.save()
    again = Sessions(FLEET, memory)
    await again.load()
    need = one(again, charger(tag="card-1"), 1)
    assert need is not None
    assert need.departure == NOON + 4 * HOUR


def told(presented: Presented, evse_id: str = "a") -> ChargerState:
    identity = ROSTER.identify(presented, evse_id)
    return replace(charger(evse_id, tag=presented.token), identity=identity)


def test_a_vin_told_later_outranks_the_card(sessions: Sessions) -> None:
    one(sessions, told(Presented(token="card-1")))
    need = one(sessions, told(Presented(token="card-1", vin="VIN3")), 1)
    assert need is not None
    assert (need.vehicle_id, need.departure) == ("van-3", NOON + 6 * HOUR)


def test_what_was_told_once_holds_for_the_stay(sessions: Sessions) -> None:
    one(sessions, told(Presented(vin="VIN3")))
    need = one(sessions, told(Presented(token="card-1")), 1)
    assert need is not None
    assert need.vehicle_id == "van-3"


def test_a_drivers_card_after_the_vehicles_own_continues_the_stay(sessions: Sessions) -> None:
    one(sessions, told(Presented(token="card-1")))
    need = one(sessions, told(Presented(token="driver-1")), 1)
    assert need is not None
    assert (need.vehicle_id, need.departure) == ("van-1", NOON + 4 * HOUR)


def test_a_bay_says_who_stands_there_until_a_card_says_otherwise(sessions: Sessions) -> None:
    need = one(sessions, charger("bay-3"))
    assert need is not None
    assert (need.vehicle_id, need.known) == ("van-3", True)
    need = one(sessions, charger("bay-3", tag="card-1"), 1)
    assert need is not None
    assert (need.vehicle_id, need.departure) == ("van-1", NOON + 4 * HOUR)


async def test_a_restart_keeps_what_was_told(sessions: Sessions, memory: MemoryKeyValues) -> None:
    one(sessions, told(Presented(token="card-1", vin="VIN3")))
    await sessions.save()
    again = Sessions(FLEET, memory)
    await again.load()
    need = one(again, charger(tag="card-1"), 1)
    assert need is not None
    assert (need.vehicle_id, need.departure) == ("van-3", NOON + 6 * HOUR)


async def test_an_unchanged_stay_is_not_written_again(
    sessions: Sessions, memory: MemoryKeyValues
) -> None:
    one(sessions, charger(tag="card-1"))
    await sessions.save()
    await memory.put(STAYS_KEY, "{}")
    one(sessions, charger(tag="card-1"), 1)
    await sessions.save()
    assert await memory.get(STAYS_KEY) == "{}"


def test_a_plug_that_is_wanted_for_another_brings_its_vehicles_due_forward(
    sessions: Sessions,
) -> None:
    swap = NOON + timedelta(hours=1)
    sessions.plug_wanted = lambda need: swap if need.evse_id == "a" else None
    here = [replace(charger(), spec=charger_spec(name)) for name in ("a", "b")]
    first, second = sessions.needs(here, NOON)
    assert (first.due, second.due) == (swap, second.departure)
    assert first.departure > swap, "what people and reports are told is unchanged"
