"""What is shown of delivery: over the API and on the event's page."""

from datetime import timedelta

import httpx
import pytest

from contracts.time import Interval
from gateway.domain.delivery.correction import Correction
from gateway.domain.delivery.course import Course
from gateway.domain.delivery.credibility import Credibility
from gateway.domain.delivery.measured import PortfolioMinute
from gateway.domain.delivery.quarantine import Quarantine
from gateway.domain.delivery.standing import Standing
from support.gateway_web import EVENT, EVENT_URL, NOW, World

API = "/api/v1"
DELIVERY = f"{API}/events/pacific-utility/evt-2026-1121/delivery"
MINUTE = timedelta(minutes=1)
COURSE = Course(
    event_key=EVENT,
    correction=Correction(modification=0, at=NOW, share=0.08, cause="92 % of the target delivered"),
    minutes=(
        PortfolioMinute(
            interval=Interval(start=NOW - MINUTE, end=NOW),
            target_w=100_000.0,
            asked_w=108_000.0,
            delivered_w=92_000.0,
            coverage=0.95,
        ),
    ),
)
WORDS = "sked 8 % more: 92 % delivered over the last minute; 92 % of the target delivered"


@pytest.mark.row("portfolio:A6")
async def test_delivered_against_target_by_the_minute(
    client: httpx.AsyncClient, world: World
) -> None:
    assert (await client.get(DELIVERY)).status_code == 404
    await world.delivery.keep(COURSE, [])
    found = (await client.get(DELIVERY)).json()
    assert found["why"] == f"a{WORDS}"
    assert (found["asked_more_pct"], found["recent_pct"]) == pytest.approx((8.0, 92.0))
    (minute,) = found["minutes"]
    assert (minute["target_w"], minute["asked_w"], minute["delivered_w"]) == (100e3, 108e3, 92e3)
    assert minute["measured_pct"] == pytest.approx(95.0)
    page = (await client.get(EVENT_URL)).text
    assert f"A{WORDS}" in page


@pytest.mark.row("portfolio:A6")
async def test_the_standing_of_a_site(client: httpx.AsyncClient, world: World) -> None:
    fresh = (await client.get(f"{API}/sites/harbor/standing")).json()
    assert (fresh["expected_pct"], fresh["minutes_seen"], fresh["left_out_since"]) == (100, 0, None)
    deaf = Standing(
        site_id="harbor",
        credibility=Credibility(expected=0.2, minutes=12),
        quarantine=Quarantine(since=NOW, reason="it gives 20 % of what it is asked"),
    )
    await world.delivery.keep(COURSE, [deaf])
    found = (await client.get(f"{API}/sites/harbor/standing")).json()
    assert found == {
        "site_id": "harbor",
        "expected_pct": 20.0,
        "answers_after_s": 120.0,
        "minutes_seen": 12,
        "left_out_since": "2026-11-21T01:12:30Z",
        "why": "it gives 20 % of what it is asked",
    }
    assert (await client.get(f"{API}/sites/nowhere/standing")).status_code == 404
