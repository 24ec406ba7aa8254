"""Profiles that are not ours: found in the charger's own list and schedule, never cleared."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.devices.ocpp.settings import Timing
from site_agent.flows.report.notices import FOREIGN_PROFILE, conditions
from support.fast_clock import FastClock
from support.ocpp_charger import Json, RawCharger, profile
from support.ocpp_depot import Depot, connected, depot
from support.site import snapshot
from support.waiting import until

pytestmark = [pytest.mark.row("pitfall:P4"), pytest.mark.xdist_group("realtime-ocpp")]

TIMING = Timing(greeting_s=0.05, patience_s=1e6)


def site_of(**settings: Any) -> Any:
    return depot(timing=TIMING, clock=FastClock(100.0), **settings)


def held(number: int, purpose: str, level: int) -> Json:
    period = {"startPeriod": 0, "limit": 32}
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    return {
        "id": number, "stackLevel": level, "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute", "chargingSchedule": [schedule],
    }  # fmt: skip


async def reports(charger: RawCharger, *profiles: Json) -> None:
    """Answers the newest request for a list."""
    asked = [sent for action, sent in charger.heard if action == "GetChargingProfiles"][-1]
    report = {"requestId": asked["requestId"], "chargingLimitSource": "CSO", "evseId": 1}
    await charger.call("ReportChargingProfiles", report | {"chargingProfile": list(profiles)})


def told(site: Depot) -> str:
    found = conditions(snapshot(chargers=[site.state()]), {}, ())
    return found[FOREIGN_PROFILE, "evse-1"].text


def cleared(charger: RawCharger) -> list[int]:
    return [p["chargingProfileId"] for a, p in charger.heard if a == "ClearChargingProfile"]


@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_listed_default_above_ours_is_named_and_ours_goes_above_it(version: str) -> None:
    async with site_of() as site, connected(site, version=version) as charger:
        await charger.boot()
        await until(lambda: site.state().confirmed_limit_a == 6)
        await charger.hears("GetChargingProfiles")
        capped = held(90, "ChargingStationMaxProfile", 9)  # caps, whatever its level
        below = held(91, "TxDefaultProfile", 0)
        before = len(charger.heard)
        ours, theirs = held(2, "TxProfile", 9), held(77, "TxDefaultProfile", 3)
        await reports(charger, ours, theirs, capped, below)
        await until(lambda: site.state().outranked)
        assert site.state().outranked_by == "TxDefaultProfile 77 at level 3"
        assert "TxDefaultProfile 77 at level 3" in told(site)
        above = await charger.hears_profile("TxDefaultProfile", after=before)
        assert profile(above)["stackLevel"] == 5
        assert set(cleared(charger)) <= {1, 2}


async def test_a_transaction_profile_above_ours_is_named_while_it_is_there() -> None:
    async with site_of() as site, connected(site, version="ocpp2.0.1") as charger:
        await charger.boot()
        await until(lambda: site.state().confirmed_limit_a == 6)
        await charger.begin(site.clock)
        await site.ask(10.0)
        await charger.hears("GetChargingProfiles")
        await reports(charger, held(78, "TxProfile", 6), held(79, "TxProfile", 4))
        await until(lambda: site.state().outranked)
        assert site.state().outranked_by == "TxProfile 78 at level 6"
        before = len(charger.heard)
        await charger.hears("GetChargingProfiles", after=before)
        await reports(charger, held(2, "TxProfile", 5))
        await until(lambda: not site.state().outranked)
        assert set(cleared(charger)) <= {1, 2}


@pytest.mark.parametrize("answer", [{"status": "NoProfiles"}, ["NotImplemented", ""]])
async def test_one_that_lists_nothing_goes_on(answer: Any) -> None:
    answers = {"GetChargingProfiles": answer}
    async with site_of() as site, connected(site, version="ocpp2.0.1", answers=answers) as charger:
        await charger.boot()
        await charger.hears("GetChargingProfiles")
        await charger.begin(site.clock)
        await site.ask(10.0)
        assert not site.state().outranked
        assert site.state().confirmed_limit_a == 10


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize(("allowed_a", "outranked"), [(10.9, False), (12.0, True), (6.0, False)])
async def test_a_schedule_that_allows_more_than_our_limit(
    version: str, allowed_a: float, outranked: bool
) -> None:
    allows = [6.0]

    def composite(payload: Json) -> Json:
        period = {"startPeriod": 0, "limit": allows[-1]}
        said = {"chargingRateUnit": "A", "duration": 60, "chargingSchedulePeriod": [period]}
        if version == "ocpp1.6":
            return {"status": "Accepted", "chargingSchedule": said}
        said |= {"evseId": 1, "scheduleStart": "2026-01-05T12:00:00Z"}
        return {"status": "Accepted", "schedule": said}

    answers = {"GetCompositeSchedule": composite, "GetChargingProfiles": {"status": "NoProfiles"}}
    async with site_of() as site, connected(site, version=version, answers=answers) as charger:
        await charger.boot()
        await until(lambda: site.state().confirmed_limit_a == 6)
        await charger.begin(site.clock)
        await site.ask(10.0)
        allows.append(allowed_a)
        before = len(charger.heard)
        await charger.hears("GetCompositeSchedule", after=before)
        await charger.hears("GetCompositeSchedule", after=len(charger.heard))
        assert site.state().outranked is outranked
        if outranked:
            assert "its schedule allows 12.0 A" in told(site)
        assert set(charger.profiles("TxDefaultProfile")[-1]) >= {"stackLevel"}
