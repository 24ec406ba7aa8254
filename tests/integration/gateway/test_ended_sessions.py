"""A vehicle charges and leaves: what that cost is in the account of the gateway, end to end.

A whole agent beside simulated OCPP chargers and a whole gateway, on real sockets and a fast clock.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from certs.pki import Pki, make_test_pki
from contracts.time import Clock
from gateway.config import GatewaySettings
from gridyard.accounts.words import account_lines, session_rows
from gridyard.at_gateway.asking import asked
from gridyard.credentials import make_credentials, site_folder
from support.fast_clock import FastClock
from support.ocpp_site import ocpp_site
from support.waiting import PATIENCE_S
from support.whole_gateway import CLOCK, Running, enrolling, gateway

pytestmark = [
    pytest.mark.row("mv:M8"),
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("realtime"),
]

SPEED = 10.0
CHARGED_WH = 500.0
NEED = {"capacity_wh": 60_000, "required_wh": 30_000, "in_hours": 2}
TARIFF = """
name: by day and night
currency: EUR
time_zone: UTC
energy: [{name: all, prices: [{at: "00:00", per_kwh: 0.30, name: any hour}]}]
demand: [{name: any hour, per_kw: 5}]
rolling: true
customer_per_day: 1
"""
"""Any quarter of an hour counts for the demand: the one that the clock marks may not be over."""


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = make_test_pki(tmp_path / "pki", sites=[])
    make_credentials(made.folder, ["depot-1"], CLOCK)
    return made


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> GatewaySettings:
    """A gateway that knows what the depot pays, and what its grid emits."""
    (tmp_path / "tariff.yaml").write_text(TARIFF)
    carbon = {"kind": "constant", "g_per_kwh": 400, "source": "test"}
    priced = {"sites": ["depot-1"], "tariff": tmp_path / "tariff.yaml", "carbon": carbon}
    plain = enrolling(pki, tmp_path / "gateway").model_dump(exclude_unset=True)
    return GatewaySettings.model_validate({**plain, "accounts": {"of": [priced]}})


def charger(version: str, number: int) -> dict[str, Any]:
    vehicle = {"id": f"van-{number}", "id_tag": f"TAG-{number}", "capacity_wh": 60_000}
    vehicle |= {"soc_pct": 30, "max_ac_w": 22_080}
    return {
        "id": f"CP{number}",
        "version": version,
        "meter_interval_s": 2,
        "vehicle": vehicle,
    }


async def drawn_wh(seen: Running, clock: Clock, charger_id: str) -> float:
    """What the gateway has been told of a charger's power so far, as energy."""
    now = clock.now()
    window = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    answer = await seen.web.get(
        f"/api/v1/sites/depot-1/telemetry/evse/{charger_id}/power_w", params=window
    )
    steps = answer.raise_for_status().json()["steps"]
    return float(sum(one["value"] * _hours(one) for one in steps))


def _hours(step: dict[str, Any]) -> float:
    start, end = (datetime.fromisoformat(step[side]) for side in ("start", "end"))
    return (end - start) / timedelta(hours=1)


async def have_charged(seen: Running, clock: Clock) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for number in (1, 2):
            while await drawn_wh(seen, clock, f"CP{number}") < CHARGED_WH:
                await CLOCK.sleep(0.1)


async def told(seen: Running, sessions: int) -> dict[str, Any]:
    """The account as soon as so many sessions are in it, and their last minutes, too."""
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            answer = await seen.web.get("/api/v1/sites/depot-1/accounts")
            if answer.is_success:  # the month is five minutes old
                found = answer.json()
                over = [one for one in found["sessions"] if one["ended_at"] <= found["end"]]
                if len(over) == sessions:
                    return dict(await asked(str(seen.web.base_url), "sites/depot-1/accounts"))
            await CLOCK.sleep(0.2)


async def test_a_vehicle_that_leaves_is_in_the_account(
    settings: GatewaySettings, pki: Pki, tmp_path: Path
) -> None:
    clock = FastClock(SPEED)
    async with gateway(settings, clock) as seen:
        link = {
            "servers": [f"tls://127.0.0.1:{seen.link_port}"],
            "credentials": site_folder(pki.folder, "depot-1"),
        }
        fleet = [{"vehicle_id": f"van-{n}", "id_tags": [f"TAG-{n}"], **NEED} for n in (1, 2)]
        more = {"link": link, "telemetry_s": 2.0, "fleet": fleet}
        chargers = charger("1.6", 1), charger("2.0.1", 2)
        async with ocpp_site(tmp_path / "site", *chargers, clock=clock, settings=more) as site:
            await have_charged(seen, clock)
            put_in = {}
            for number in (1, 2):
                left = site.depot.unplug(f"CP{number}")
                assert left is not None
                put_in[f"CP{number}"] = 60_000 * (left.soc_pct - 30.0) / 100.0
            found = await told(seen, 2)
            page = (await seen.web.get("/sites/depot-1/accounts")).raise_for_status().text
    by_evse = {one["evse_id"]: one for one in found["sessions"]}
    assert set(by_evse) == set(put_in)
    for evse_id, one in by_evse.items():
        assert one["vehicle_id"] == f"van-{evse_id[-1]}"
        assert one["energy_wh"] >= CHARGED_WH
        assert one["coverage"] > 0.9
        assert one["register_quality"] == "good"
        assert one["register_wh"] == pytest.approx(put_in[evse_id], rel=0.1)
        assert one["energy_wh"] == pytest.approx(one["register_wh"], rel=0.15)
        assert one["started_at"] < one["ended_at"] <= found["end"]
        cost = {name: Decimal(amount) for name, amount in one["cost"].items()}
        assert cost["energy"] == pytest.approx(Decimal("0.30") * kwh(one), abs=Decimal("0.001"))
        assert min(cost["demand"], cost["fixed"]) > 0
        assert cost["total"] == pytest.approx(
            cost["energy"] + cost["demand"] + cost["fixed"], abs=Decimal("0.001")
        )
        assert one["carbon_kg"] == pytest.approx(0.4 * one["energy_wh"] / 1000, rel=0.01)
        assert one["session_id"] in page
        assert one["session_id"] in session_rows(found)
    spoken = "\n".join(account_lines(found, ZoneInfo("UTC")))
    assert "van-1" in spoken
    assert "by day and night, version" in spoken
    assert "any hour" in page


def kwh(session: dict[str, Any]) -> Decimal:
    return Decimal(repr(session["energy_wh"])) / 1000
