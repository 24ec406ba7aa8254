"""The checklist for a new charger, run on simulated ones with their quirks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import PermanentError
from depot_sim.faults import FaultKind
from support.leaping_clock import leaping
from support.ocpp_site import OcppSite, ocpp_site

VEHICLE = {
    "id": "van-1", "id_tag": "TAG-VAN-1", "capacity_wh": 60_000, "soc_pct": 30, "max_ac_w": 22_080,
}  # fmt: skip


def charger(version: str, *personality: str, vehicle: bool = True) -> dict[str, Any]:
    described = {"id": "CP1", "version": version, "meter_interval_s": 2}
    described |= {"personality": list(personality)}
    return described | ({"vehicle": VEHICLE} if vehicle else {})


async def verdicts(site: OcppSite, **args: object) -> dict[str, str]:
    found = await site.ask("check-in", charge_point="CP1", **args)
    result = found.pop()["result"]
    told = {one["step"]: one["verdict"] for one in found}
    counted = [list(told.values()).count(one) for one in ("PASS", "FAIL", "NOT TRIED")]
    assert counted == [result["pass"], result["fail"], result["not_tried"]]
    assert all(one["hint"] for one in found if one["verdict"] == "FAIL")
    return told


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@leaping
async def test_a_good_charger_passes(tmp_path: Path, version: str) -> None:
    async with ocpp_site(tmp_path / "data", charger(version)) as site:
        await site.until("CP1", measured_a=32.0)
        told = await verdicts(site, reboot=True)
        assert not {step: verdict for step, verdict in told.items() if verdict != "PASS"}
        checked = (await site.station("CP1"))["checked_in"]
        assert checked["1"]["fail"] == 0


@leaping
async def test_without_a_vehicle_much_is_not_tried(tmp_path: Path) -> None:
    async with ocpp_site(tmp_path / "data", charger("1.6", vehicle=False)) as site:
        await site.until("CP1", resting_a=6.0)
        told = await verdicts(site)
        tried = {step for step, verdict in told.items() if verdict == "PASS"}
        assert {"connected", "identity", "settings", "resting share", "remote trigger"} <= tried
        assert told["limit followed"] == told["lapse"] == told["reboot"] == "NOT TRIED"


@leaping
async def test_quirks_are_found(tmp_path: Path) -> None:
    odd = charger("1.6", "rejects-zero", "composite-empty")
    async with ocpp_site(tmp_path / "data", odd) as site:
        await site.until("CP1", measured_a=32.0)
        told = await verdicts(site)
        assert told["0 A taken"] == "FAIL", told
        assert told["composite schedule"] == "NOT TRIED", told
        assert not (await site.until("CP1", asked_a=32.0))["pausable"]


@leaping
async def test_an_ignoring_charger_is_found(tmp_path: Path) -> None:
    deaf = charger("2.0.1", "accepts-and-ignores")
    async with ocpp_site(tmp_path / "data", deaf) as site:
        await site.until("CP1", measured_a=32.0)
        told = await verdicts(site)
        assert told["limit followed"] == told["0 A taken"] == "FAIL", told


@leaping
async def test_a_charger_that_is_not_there(tmp_path: Path) -> None:
    async with ocpp_site(tmp_path / "data", charger("1.6")) as site:
        await site.until("CP1", measured_a=32.0)
        site.depot.fail("CP1", FaultKind.DROP, None)
        async with asyncio.timeout(60):
            while (await site.station("CP1"))["online"]:  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.05)
        assert await verdicts(site) == {"connected": "FAIL"}


@leaping
async def test_a_check_in_that_is_broken_off_gives_the_limit_back(tmp_path: Path) -> None:
    async with ocpp_site(tmp_path / "data", charger("1.6")) as site:
        await site.until("CP1", measured_a=32.0)
        steps = site.console.ask("ocpp.check-in", charge_point="CP1")
        async with asyncio.timeout(60):
            while (await anext(steps))["step"] != "phases":
                pass
        await site.until("CP1", trial_a=16.0)
        with pytest.raises(PermanentError, match="already"):
            await site.ask("check-in", charge_point="CP1")
        await steps.aclose()
        await site.until("CP1", trial_a=None, confirmed_a=32.0, measured_a=32.0)
        assert (await site.station("CP1"))["checked_in"] is None
