"""Profiles as a charger keeps them: strangers', stale ones, few writes, numberPhases."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import PermanentError
from support.ocpp_charger import Json, RawCharger, limit, profile, schedule
from support.ocpp_depot import Depot, connected, depot
from support.waiting import until


@pytest.fixture
def version(spoken: str) -> str:
    return f"ocpp{spoken}"


async def charging(site: Depot, charger: RawCharger) -> None:
    await charger.boot()
    await until(lambda: site.state().confirmed_limit_a == 6)
    await charger.begin(site.clock)


def says(limit_a: float) -> Json:
    """A composite schedule in the words of either version."""
    held = {
        "chargingRateUnit": "A",
        "duration": 60,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_a}],
    }
    newer = {**held, "evseId": 1, "scheduleStart": "2026-01-05T12:00:00Z"}
    return {"status": "Accepted", "chargingSchedule": held, "schedule": newer}


@pytest.mark.row("pitfall:P4")
async def test_a_stranger_above_our_share_is_outranked_and_reported(version: str) -> None:
    levels: list[int] = []

    def keep(payload: Json) -> Json:
        levels.append(profile(payload)["stackLevel"])
        return {"status": "Accepted"}

    def composite(payload: Json) -> Json:
        answer = says(6.0 if 5 in levels else 20.0)  # theirs stands at level 3
        answer.pop("schedule" if version == "ocpp1.6" else "chargingSchedule")
        return answer

    answers: dict[str, Any] = {"SetChargingProfile": keep, "GetCompositeSchedule": composite}
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charger.boot()
        await until(lambda: site.state().outranked)
        await until(lambda: levels == [0, 5])
        assert site.state().confirmed_limit_a == 6


@pytest.mark.row("pitfall:P4")
async def test_a_limit_of_an_earlier_life_is_taken_away_at_adoption(version: str) -> None:
    async with depot() as site, connected(site, version=version) as charger:
        await charger.boot()
        cleared = await charger.hears("ClearChargingProfile")
        assert cleared.get("id", cleared.get("chargingProfileId")) == 2  # ours, by its fixed id
        await until(lambda: site.state().confirmed_limit_a == 6)


@pytest.mark.row("pitfall:P9")
@pytest.mark.row("pitfall:P5")
async def test_a_station_maximum_is_written_four_times_a_day_at_most(version: str) -> None:
    heard: list[Json] = []

    def only_maximum(payload: Json) -> Json:
        maximal = profile(payload)["chargingProfilePurpose"].endswith("MaxProfile")
        heard.extend([payload] if maximal else [])
        return {"status": "Accepted" if maximal else "Rejected"}

    answers = {"SetChargingProfile": only_maximum}
    async with depot() as site:
        for _ in range(6):
            async with connected(site, version=version, answers=answers) as charger:
                await charger.boot()
                await until(lambda: site.state().confirmed_limit_a == 6)
                await charger.hears("TriggerMessage")
            await until(lambda: not site.state().online)
        assert 0 < len(heard) <= 4
        async with connected(site, version=version, answers=answers) as charger:
            await charging(site, charger)
            with pytest.raises(PermanentError):
                await site.ask(10)  # it stays at its share: nothing lies below a maximum
            assert site.state().confirmed_limit_a == 6


@pytest.mark.row("pitfall:P5")
async def test_no_station_maximum_is_no_reason_to_give_up(version: str) -> None:
    def without_maximum(payload: Json) -> Any:
        if profile(payload)["chargingProfilePurpose"].endswith("MaxProfile"):
            return ["NotSupported", ""]
        return {"status": "Accepted"}

    answers = {"SetChargingProfile": without_maximum}
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charging(site, charger)
        await site.ask(10)
        assert site.state().confirmed_limit_a == 10


@pytest.mark.row("pitfall:P2")
async def test_number_of_phases_is_told_only_to_those_that_need_it(version: str) -> None:
    def needing(payload: Json) -> Json:
        told = "numberPhases" in schedule(profile(payload))["chargingSchedulePeriod"][0]
        return {"status": "Accepted" if told else "Rejected"}

    async with depot() as site, connected(site, version=version) as charger:
        await charging(site, charger)
        await site.ask(10)
        sent = charger.profiles()[-1]
        assert "numberPhases" not in schedule(sent)["chargingSchedulePeriod"][0]
    answers = {"SetChargingProfile": needing}
    async with depot() as site, connected(site, version=version, answers=answers) as charger:
        await charging(site, charger)
        await site.ask(10)
        before = len(charger.heard)
        await site.ask(12)
        [again] = [p for a, p in charger.heard[before:] if a == "SetChargingProfile"]
        periods = schedule(profile(again))["chargingSchedulePeriod"]
        assert periods[0]["numberPhases"] == 3  # and asked but once, now that it is known
        assert limit(profile(again)) == 12


@pytest.mark.row("pitfall:P4")
async def test_settings_that_cannot_be_read_are_those_read_before(version: str) -> None:
    settings = "GetConfiguration" if version == "ocpp1.6" else "GetVariables"
    async with depot() as site:
        async with connected(site, version=version) as charger:
            await charging(site, charger)
            await site.ask(10)
            assert charger.profiles()[-1]["stackLevel"] == 5
        await until(lambda: not site.state().online)
        answers = {settings: ["InternalError", "busy"]}
        async with connected(site, version=version, answers=answers) as charger:
            await until(lambda: site.state().online)
            await site.ask(11)
            assert charger.profiles()[-1]["stackLevel"] == 5
