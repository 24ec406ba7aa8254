"""How a limit finds the form a charger takes: every refusal below was seen on some charger."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.errors import PermanentError, TransientError
from site_agent.devices.ocpp.settings import Timing
from site_agent.devices.ocpp.wire.outbox import SupersededError
from support.ocpp_charger import Json, RawCharger, limit, profile, schedule
from support.ocpp_depot import Depot, connected, depot, spec, station
from support.waiting import until

Refuses = Any
"""Takes a profile; True refuses it."""


def refusing(refuses: Refuses) -> dict[str, Any]:
    def answer(payload: Json) -> Json:
        return {"status": "Rejected" if refuses(profile(payload)) else "Accepted"}

    return {"SetChargingProfile": answer}


async def charging(site: Depot, charger: RawCharger) -> None:
    await charger.boot()
    await charger.hears("TriggerMessage")
    await charger.begin(site.clock)


LADDER = [
    # refuses, unit, stack level, purpose, first limit of the profile it takes for 10 A
    (lambda p: False, "A", 5, "TxProfile", 10.0),
    (lambda p: p["stackLevel"] == 5, "A", 4, "TxProfile", 10.0),
    (lambda p: p["stackLevel"] > 0, "A", 0, "TxProfile", 10.0),
    (lambda p: schedule(p)["chargingRateUnit"] == "A", "W", 5, "TxProfile", 6900.0),
    (lambda p: schedule(p)["chargingRateUnit"] == "A" or p["stackLevel"] > 0,
     "W", 0, "TxProfile", 6900.0),
    (lambda p: p["chargingProfilePurpose"] == "TxProfile", "A", 0, "TxDefaultProfile", 10.0),
]  # fmt: skip


@pytest.mark.parametrize(("refuses", "unit", "stack_level", "purpose", "value"), LADDER)
async def test_the_ladder_ends_at_the_form_a_charger_takes(
    version: str, refuses: Refuses, unit: str, stack_level: int, purpose: str, value: float
) -> None:
    answers = refusing(refuses)
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charging(site, charger)
        await site.ask(10)
        sent = charger.profiles(purpose)[-1]
        assert (schedule(sent)["chargingRateUnit"], sent["stackLevel"]) == (unit, stack_level)
        assert limit(sent) == value
        assert site.state().confirmed_limit_a == 10
        before = len(charger.heard)
        await site.ask(8)  # what was learnt is used at once
        told = [action for action, _ in charger.heard[before:]]
        assert told.count("SetChargingProfile") == 1


async def test_a_charger_steered_by_its_default_returns_to_its_share_by_itself() -> None:
    answers = refusing(lambda p: p["chargingProfilePurpose"] == "TxProfile")
    async with depot() as site, connected(site, answers=answers) as charger:
        await charging(site, charger)
        await site.ask(20)
        sent = schedule(charger.profiles("TxDefaultProfile")[-1])
        assert [p["limit"] for p in sent["chargingSchedulePeriod"]] == [20, 6]
        assert "duration" not in sent  # below it there would be no limit at all


async def test_zero_where_it_is_refused_becomes_the_minimum_and_says_so(version: str) -> None:
    answers = refusing(lambda p: limit(p) == 0)
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charging(site, charger)
        await site.ask(10)
        assert site.state().pausable
        await site.ask(0)
        assert site.state().confirmed_limit_a == 6
        assert not site.state().pausable
        before = len(charger.profiles())
        await site.ask(10)
        await site.ask(0)
        assert [limit(p) for p in charger.profiles()[before:]] == [10, 6]  # learnt


async def test_zero_where_it_is_taken(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charging(site, charger)
        await site.ask(0)
        assert site.state().confirmed_limit_a == 0


async def test_refused_in_every_form_is_permanent_and_not_hammered(version: str) -> None:
    answers = refusing(lambda p: limit(p) in (10, 6900))
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charging(site, charger)
        with pytest.raises(PermanentError):
            await site.ask(10)
        assert site.state().confirmed_limit_a == 6
        before = len(charger.heard)
        with pytest.raises(PermanentError):
            await site.ask(10)
        assert len(charger.heard) == before
        await site.ask(9)


async def test_a_charger_without_smart_charging_is_said_to_be_so(version: str) -> None:
    answers = {"SetChargingProfile": ["NotImplemented", "no such thing"]}
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charging(site, charger)
        with pytest.raises(PermanentError):
            await site.ask(10)
        assert site.state().confirmed_limit_a == 32  # counted at its rating


async def test_watts_follow_the_phases_and_voltage_of_the_evse() -> None:
    answers = refusing(lambda p: schedule(p)["chargingRateUnit"] == "A")
    one_phase = station(evses={1: spec(1, phases=(2,), voltage_v=231.0)})
    async with depot(one_phase) as site, connected(site, answers=answers) as charger:
        await charging(site, charger)
        await site.ask(16.05)
        assert limit(charger.profiles()[-1]) == 3696.0  # 16 A x 231 V, rounded down


async def test_an_unsent_limit_gives_way_to_a_newer_one(version: str) -> None:
    timing = Timing(call_timeout_s=0.5)
    async with depot(timing=timing) as site, connected(site, version=version) as charger:
        await charging(site, charger)
        await site.ask(20)
        charger.answers["SetChargingProfile"] = None
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(settled(site.ask(16)))
            await charger.hears_profile("TxProfile", after=len(charger.heard))
            second = tasks.create_task(settled(site.ask(12)))
            third = tasks.create_task(settled(site.ask(8)))
            await asyncio.sleep(0)
            del charger.answers["SetChargingProfile"]
        assert isinstance(await first, TransientError)  # never answered
        assert isinstance(await second, SupersededError)
        assert await third is None
        assert [limit(p) for p in charger.profiles()] == [20, 16, 8]
        assert site.state().confirmed_limit_a == 8


async def settled(work: Any) -> Exception | None:
    try:
        await work
    except (TransientError, PermanentError) as error:
        return error
    return None


async def test_what_is_held_already_costs_no_message(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charging(site, charger)
        await site.ask(10)
        before = len(charger.profiles())
        for _ in range(20):
            await site.ask(10)
        assert len(charger.profiles()) == before


async def test_a_silent_control_loop_lets_the_limit_lapse() -> None:
    timing = Timing(lease_s=12.0, patience_s=4.0)
    async with depot(timing=timing) as site, connected(site) as charger:
        await charging(site, charger)
        await site.ask(20)
        await until(lambda: _past(site, 14))
        # some chargers never let go of a profile: until told otherwise, the old limit counts
        assert site.state().confirmed_limit_a == 20
        assert len(charger.profiles()) == 1
        await site.ask(0)
        await until(lambda: _past(site, 13))
        assert site.state().confirmed_limit_a == 6  # a pause that has lapsed is no pause


def _past(site: Depot, seconds: float) -> bool:
    since = site.state().limit_in_force_since
    return since is None or (site.clock.now() - since).total_seconds() > seconds


async def test_the_fail_safe_share_falls_back_to_the_connector() -> None:
    answers = {
        "SetChargingProfile": lambda p: {
            "status": "Rejected" if p["connectorId"] == 0 else "Accepted"
        }
    }
    async with depot() as site, connected(site, answers=answers) as charger:
        await charging(site, charger)
        assert site.state().confirmed_limit_a == 6
        accepted = [p for a, p in charger.heard if a == "SetChargingProfile"][-1]
        assert accepted["connectorId"] == 1


async def test_offline_is_transient() -> None:
    async with depot() as site:
        with pytest.raises(TransientError):
            await site.ask(10)
        state = site.state()
        assert (state.online, state.confirmed_limit_a) == (False, None)
