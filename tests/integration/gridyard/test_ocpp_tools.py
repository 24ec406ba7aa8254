"""`gridyard ocpp` against a whole agent and simulated chargers, by the agent's own console."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import GridyardError, PermanentError
from site_agent.console.door import FILE
from support.ocpp_site import OcppSite, ocpp_site

VEHICLE = {
    "id": "van-1", "id_tag": "TAG-VAN-1", "capacity_wh": 60_000, "soc_pct": 30, "max_ac_w": 22_080,
}  # fmt: skip
OLD: dict[str, Any] = {"id": "old", "version": "1.6", "meter_interval_s": 2, "vehicle": VEHICLE}
NEW = OLD | {
    "id": "new",
    "version": "2.0.1",
    "vehicle": VEHICLE | {"id": "van-2", "id_tag": "TAG-VAN-2"},
}


async def refused(site: OcppSite, command: str, **args: object) -> str:
    with pytest.raises(GridyardError) as told:
        await site.ask(command, **args)
    return str(told.value)


async def test_what_is_seen_and_asked(tmp_path: Path) -> None:
    async with ocpp_site(tmp_path / "data", OLD, NEW) as site:
        for name, version in (("old", "ocpp1.6"), ("new", "ocpp2.0.1")):
            evse = await site.until(name, plugged=True, obeys=True, measured_a=32.0)
            assert evse["resting_a"] == 6.0
            assert evse["confirmed_a"] == evse["asked_a"] == 32.0
            assert evse["id_tag"] == "TAG-…"
            station = await site.one("show", charge_point=name)
            assert station["version"] == version
            assert station["capabilities"]["units"] == ["A", "W"]
            assert station["checked_in"] is None

        old = await site.one("get", charge_point="old", keys=["HeartbeatInterval", "Nonsense"])
        assert [one["name"] for one in old["settings"]] == ["HeartbeatInterval"]
        assert old["unknown"] == ["Nonsense"]
        new = await site.one("get", charge_point="new", all=True)
        assert len(new["settings"]) > 20
        changed = await site.one(
            "set", charge_point="new", key="OCPPCommCtrlr.HeartbeatInterval", value="77"
        )
        assert changed["ok"]
        found = await site.one("get", charge_point="new", keys=["OCPPCommCtrlr.HeartbeatInterval"])
        assert found["settings"][0]["value"] == "77"

        schedule = await site.one("composite", charge_point="new", evse=1)
        assert schedule["zone"] == "Europe/Berlin"
        assert schedule["periods"][0]["limit_a"] == 32.0
        assert schedule["periods"][-1]["limit_a"] == 6.0
    assert not (tmp_path / "data" / FILE).exists()


@pytest.mark.parametrize("charger", [OLD, NEW], ids=["1.6", "2.0.1"])
async def test_orders_reach_the_charger(tmp_path: Path, charger: dict[str, Any]) -> None:
    name = charger["id"]
    async with ocpp_site(tmp_path / "data", charger) as site:
        first = (await site.until(name, plugged=True, measured_a=32.0))["transaction"]
        assert (await site.one("trigger", charge_point=name, message="heartbeat"))["ok"]
        assert (await site.one("stop", charge_point=name))["ok"]
        await site.until(name, transaction=None)
        started = await site.one("start", charge_point=name, id_tag="TAG-VAN-9")
        assert started["ok"]
        async with asyncio.timeout(60):
            while (again := (await site.until(name, plugged=True))["transaction"]) is None:  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.05)
        assert again != first
        assert (await site.one("availability", charge_point=name, evse=1, operative=False))["ok"]
        assert (await site.one("availability", charge_point=name, evse=1, operative=True))["ok"]
        reset = {"type": "Soft"} if charger is OLD else {"type": "Immediate"}
        why = await refused(site, "call", charge_point=name, action="Reset", payload=reset)
        assert "--yes" in why
        connections = (await site.station(name))["connections"]
        await site.one("call", charge_point=name, action="Reset", payload=reset, yes=True)
        async with asyncio.timeout(60):
            while (await site.station(name))["connections"] == connections:  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.05)


async def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    async with ocpp_site(tmp_path / "data", OLD) as site:
        await site.until("old", plugged=True)
        told = {"charge_point": "old"}
        assert "there are: old" in await refused(site, "show", charge_point="older")
        assert "charge_point is missing" in await refused(site, "show")
        assert "no EVSE 2" in await refused(site, "stop", **told, evse=2)
        assert "none of" in await refused(site, "trigger", **told, message="Poem")
        assert "no such message" in await refused(site, "call", **told, action="Sing", payload={})
        for harmful in ("ChangeAvailability", "SetDERControl", "UsePriorityCharging"):
            assert "--yes" in await refused(site, "call", **told, action=harmful, payload={})
        assert "unexpected" in await refused(
            site, "call", **told, action="GetConfiguration", payload={"a": 1}
        )
        assert "between 1 and 48" in await refused(site, "composite", **told, hours=1000)
        with pytest.raises(PermanentError):
            await site.ask("trace", **told, last=10**9)


async def test_a_trace_is_followed(tmp_path: Path) -> None:
    async with ocpp_site(tmp_path / "data", OLD) as site:
        await site.until("old", plugged=True, measured_a=32.0)
        kept = await site.ask("trace", charge_point="old", last=5)
        assert len(kept) == 1 + 5
        following = site.console.ask("ocpp.trace", charge_point="old", last=1, follow=True)
        async with asyncio.timeout(60):
            assert "header" in await anext(following)
            seen = 0
            async for item in following:
                seen += "MeterValues" in str(item)
                if seen == 3:
                    break
        await following.aclose()
