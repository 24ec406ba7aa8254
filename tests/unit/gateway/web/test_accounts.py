"""The account of a month over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link.messages import Batch, NumberedRow
from contracts.site_link.points import PCC_POWER_W, evse_power_w
from contracts.site_link.sessions import EndedSession
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.accounts.month import Month
from gateway.domain.accounts.terms import Terms
from gateway.flows.accounts.desk import Accounts
from gateway.prices.bill_file import BillFile
from gateway.prices.intensity import ConstantIntensity
from gateway.store.database import Database
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots
from gateway.store.telemetry import SqlTelemetry
from gateway.web.app import create_app
from support.gateway_web import ZONE, browser, make_world, sites

HOUR = timedelta(hours=1)
OCTOBER = Month.parse("2026-10").window(ZONE)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
TARIFF = BillFile.model_validate(
    {
        "name": "flat",
        "currency": "USD",
        "time_zone": "America/Los_Angeles",
        "energy": [{"name": "all", "prices": [{"at": "00:00", "per_kwh": "0.25"}]}],
        "demand": [{"name": "any hour", "per_kw": "10"}],
    }
)


class Flat:
    billing_day = 1

    async def terms(self, window: Interval) -> Terms:
        return TARIFF.terms(window)


@pytest.fixture
async def reader() -> AsyncIterator[httpx.AsyncClient]:
    """A gateway at which one van has charged 20 kWh in October."""
    world = make_world(FakeClock(NOW))
    database = Database.in_memory()
    telemetry = SqlTelemetry(database, max_hold=timedelta(minutes=5))
    charging = Interval.lasting(OCTOBER.start + 30 * HOUR, 2 * HOUR)
    for point in (PCC_POWER_W, evse_power_w("e1")):
        steps = StepSeries.of([(charging, 10_000.0)])
        await telemetry.insert_history("harbor", point, steps, "synthetic")
    ended = EndedSession(
        at=NOW,
        session_id="ep-1",
        evse_id="e1",
        vehicle_id="van-1",
        started_at=charging.start,
        ended_at=charging.start + 3 * HOUR,
        energy_wh=20_100.0,
        quality=Quality.GOOD,
    )
    rows = (NumberedRow(seq=1, row=ended),)
    await telemetry.ingest(Batch(site_id="harbor", epoch="ep", rows=rows, sent_at=NOW), NOW)
    accounts = Accounts(
        world.state.portfolio,
        SqlSlots(database, max_hold=timedelta(minutes=5)),
        SqlSessionBook(database),
        telemetry,
        world.clock,
        tariffs={"harbor": Flat()},
        intensities={"harbor": ConstantIntensity(300.0, "2025 mean")},
    )
    async with browser(create_app(replace(world.state, accounts=accounts))) as client:
        yield client


async def test_a_month_in_energy_money_and_carbon(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/api/v1/sites/harbor/accounts?month=2026-10")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["month"], found["currency"], found["amount"]) == ("2026-10", "USD", "105.0000")
    assert found["start"] == "2026-10-01T07:00:00Z"
    [van] = found["sessions"]
    assert van["cost"] == {
        "energy": "5.0000",
        "demand": "100.0000",
        "fixed": "0.0000",
        "total": "105.0000",
    }
    assert (van["energy_wh"], van["register_wh"]) == (pytest.approx(20_000.0), 20_100.0)
    assert van["coverage"] == pytest.approx(2 / 3)
    assert [one["vehicle_id"] for one in found["vehicles"]] == ["van-1"]
    assert found["carbon"]["imported_kg"] == pytest.approx(6.0)
    assert found["demand"][0]["peaks"][0]["mean_w"] == pytest.approx(10_000.0)
    assert any("counts as nothing" in remark for remark in found["remarks"])


async def test_a_site_without_a_tariff_has_energy_alone(reader: httpx.AsyncClient) -> None:
    found = (await reader.get("/api/v1/sites/east/accounts?month=2026-10")).json()
    assert (found["amount"], found["lines"], found["carbon"]) == (None, [], None)
    assert any("no tariff is set" in remark for remark in found["remarks"])


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("nowhere/accounts", 404, "There is no site"),
        ("harbor/accounts?month=10-2026", 422, "write year and month"),
        ("harbor/accounts?month=2027-01", 409, "has not begun"),
        ("harbor/accounts?month=2026-010", 422, ""),
    ],
)
async def test_what_cannot_be_answered(
    reader: httpx.AsyncClient, path: str, status: int, title: str
) -> None:
    answer = await reader.get(f"/api/v1/sites/{path}")
    assert answer.status_code == status
    assert title in answer.json()["title"]


async def test_a_gateway_without_accounts_says_so() -> None:
    world = make_world(FakeClock(NOW))
    async with browser(world.app) as client:
        assert (await client.get("/api/v1/sites/harbor/accounts")).status_code == 404
    assert {site.site_id for site in sites()} >= {"harbor", "east"}


async def test_the_account_is_a_page_for_people(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/sites/harbor/accounts?month=2026-10")
    assert answer.status_code == 200
    text = " ".join(answer.text.split())
    assert "Harbor Street Vans, 2026-10" in text
    for cell in ("van-1", "ep-1", "20.1", "any hour", "flat"):  # 20.1 kWh by the register
        assert f">{cell}</" in text
    assert '<strong class="figure" data-testid="account-total">105.00 USD</strong>' in text
    assert "of the time at the PCC is not known" in text
    assert 'href="/sites/harbor/accounts"' in (await reader.get("/sites/harbor")).text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/sites/harbor/accounts?month=2027-01", 200, "has not begun"),
        ("/sites/harbor/accounts?month=tomorrow", 422, ""),
        ("/sites/harbor/accounts?month=2026-13", 422, ""),
        ("/sites/nowhere/accounts", 404, ""),
    ],
)
async def test_a_page_that_cannot_be_says_why(
    reader: httpx.AsyncClient, path: str, status: int, words: str
) -> None:
    answer = await reader.get(path)
    assert answer.status_code == status
    assert words in answer.text
