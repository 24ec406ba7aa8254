"""Profiles refused, misreported, or not enough to go on charging."""

from __future__ import annotations

from typing import Any

import pytest

from support.scribe import Scribe, profile
from support.waiting import until


async def test_no_profiles(scribe: Scribe, odd: Any) -> None:
    async with odd("no-profiles"):
        frame = await scribe.ask("SetChargingProfile", profile(scribe.version, 10))
        assert (frame[0], frame[2]) == (4, "NotImplemented")


@pytest.mark.parametrize(
    ("trait", "unit", "limits"),
    [("good", "A", [8.0]), ("answers-in-watts", "W", [5520.0]), ("composite-empty", "A", [])],
)
async def test_composite_schedules(
    scribe: Scribe, odd: Any, trait: str, unit: str, limits: list[float]
) -> None:
    async with odd(trait):
        await scribe.ask("SetChargingProfile", profile(scribe.version, 8))
        place = "connectorId" if scribe.version == "1.6" else "evseId"
        frame = await scribe.ask("GetCompositeSchedule", {place: 1, "duration": 60})
        schedule = frame[2].get("chargingSchedule") or frame[2]["schedule"]
        assert schedule["chargingRateUnit"] == unit
        assert [period["limit"] for period in schedule["chargingSchedulePeriod"]] == limits


@pytest.mark.parametrize("scribe", ["1.6"], indirect=True)
async def test_watts_only_by_another_spelling(scribe: Scribe, odd: Any) -> None:
    async with odd({"watts-only": {"spelt": "W"}}, plugged=False):
        key = "ChargingScheduleAllowedChargingRateUnit"
        frame = await scribe.ask("GetConfiguration", {"key": [key]})
        assert frame[2]["configurationKey"][0]["value"] == "W"


async def test_stuck_suspended_until_a_remote_start(scribe: Scribe, odd: Any) -> None:
    async with odd({"stuck-suspended": "remote-start"}) as charger:
        await scribe.ask("SetChargingProfile", profile(scribe.version, 0))
        await until(lambda: charger.power_w == 0.0)
        await scribe.ask("SetChargingProfile", profile(scribe.version, 16))
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) > seen + 2)
        assert charger.power_w == 0.0
        if scribe.version == "1.6":
            frame = await scribe.ask("RemoteStartTransaction", {"idTag": "TAG1", "connectorId": 1})
        else:
            token = {"idToken": "TAG1", "type": "ISO14443"}
            asked = {"idToken": token, "remoteStartId": 1, "evseId": 1}
            frame = await scribe.ask("RequestStartTransaction", asked)
        assert frame[2]["status"] == "Accepted"
        await until(lambda: charger.power_w == pytest.approx(16 * 690, abs=5))
