"""A whole gateway: an hour is written down, a day proposed and accepted, and an event counts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import FlexibilityOffer, Measurement, OfferedSlot
from gateway.config import GatewaySettings
from gateway.domain.nomination.history import HOUR, Offered, whole_hour
from gateway.store.database import Database
from gateway.store.nominations import SqlNominations
from gridyard.credentials import make_credentials, site_folder
from gridyard.nominations import asking
from site_agent.uplink.link import NatsUplink
from support.site_link import Instructions, MemoryOutbox, running
from support.waiting import PATIENCE_S
from support.whole_gateway import Running, enrolling, gateway

KW = 1000.0
SITES = ["depot-1", "depot-2"]
PROGRAM = "http://utility.example/programs/day-ahead"
PLANS = "/api/v1/events/u1/all-of-it/plans"
BEFORE_THE_HOUR = timedelta(minutes=4)


class Shifted:
    """Real time, but it is shortly before a whole hour."""

    def __init__(self) -> None:
        self._real = SystemClock()
        now = self._real.now()
        self._ahead = whole_hour(now) + HOUR - BEFORE_THE_HOUR - now

    def now(self) -> datetime:
        return self._real.now() + self._ahead

    def monotonic(self) -> float:
        return self._real.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = make_test_pki(tmp_path / "pki", sites=[])
    make_credentials(made.folder, SITES, SystemClock())
    return made


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> GatewaySettings:
    """Two depots in a program for which one bids by the hour of the next day."""
    document = enrolling(pki, tmp_path / "gateway").model_dump(mode="json")
    document["programs"] = [
        {
            "program_id": PROGRAM,
            "name": "Day ahead",
            "utility_id": "u1",
            "rules": {
                "nominations": [{"period": "day", "resolution": "PT1H", "own_price": True}],
                "enrolment": [{"step_w": 1000}],
            },
            "nominate": {"prices": [{"per_kwh": 0.25}]},
            "enrolments": [
                {"site_id": "depot-1", "nominated_w": 5000},
                {"site_id": "depot-2", "nominated_w": 5000},
            ],
        }
    ]
    return GatewaySettings.model_validate(document)


@asynccontextmanager
async def site(
    site_id: str, down_w: float, pki: Pki, link_port: int, clock: Shifted
) -> AsyncIterator[None]:
    """Measures and offers the same all the time, for two days."""
    outbox = MemoryOutbox()
    uplink = NatsUplink(
        site_id=site_id,
        servers=[f"tls://127.0.0.1:{link_port}"],
        credentials=site_folder(pki.folder, site_id),
        outbox=outbox,
        instructions=Instructions(),
        clock=clock,
        agent_version="test",
    )

    async def speak() -> None:
        await outbox.append([offer(clock.now(), down_w)])
        while True:
            load = Measurement(
                at=clock.now(), point=points.PCC_POWER_W, value=50 * KW, quality=Quality.GOOD
            )
            await outbox.append([load])
            await clock.sleep(0.3)

    async with running(uplink.run()), running(speak()):
        yield


def offer(now: datetime, down_w: float) -> FlexibilityOffer:
    slots = tuple(
        OfferedSlot(
            start=whole_hour(now) + n * HOUR / 4,
            expected_w=50 * KW,
            down_w=down_w,
            down_sure_w=0.8 * down_w,
            lasts_s=7200.0,
            up_w=0.0,
            rebound_w=0.0,
            rebound_wh=0.0,
        )
        for n in range(192)
    )
    return FlexibilityOffer(
        at=now, step_s=900.0, notice_s=5.0, ramp_w_per_min=0.0, data_age_s=1.0, slots=slots
    )


async def written_down(settings: GatewaySettings, hour: datetime) -> list[Offered]:
    """What the gateway's database has of an hour, once both sites are there."""
    database = Database.open(settings.database)
    try:
        async with asyncio.timeout(PATIENCE_S):
            book = SqlNominations(database)
            while len(found := await book.offered([hour])) < len(SITES):  # noqa: ASYNC110 (no event)
                await asyncio.sleep(0.1)
    finally:
        database.close()
    return list(found)


async def planned(here: Running, start: datetime) -> list[dict[str, Any]]:
    """The target of the first plan of an event that asks for all that is promised."""
    body = {
        "program_id": PROGRAM,
        "event_id": "all-of-it",
        "start": start.isoformat(),
        "end": (start + HOUR).isoformat(),
        "kind": "level",
        "value": 3,
    }
    assert (await here.web.post("/api/v1/events", json=body)).status_code == 201
    async with asyncio.timeout(PATIENCE_S):
        while not (plans := (await here.web.get(PLANS)).json()):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.1)
    return list(plans[-1]["target"])


@pytest.mark.row("portfolio:A3")
async def test_what_sites_offer_is_recorded_proposed_accepted_and_asked_for(
    settings: GatewaySettings, pki: Pki
) -> None:
    clock = Shifted()
    async with (
        gateway(settings, clock) as here,
        site("depot-1", 20 * KW, pki, here.link_port, clock),
        site("depot-2", 11 * KW, pki, here.link_port, clock),
    ):
        rows = await written_down(settings, whole_hour(clock.now()) + HOUR)
        assert [(r.site_id, r.down_w, r.sure_w, r.expected_w, r.out) for r in rows] == [
            ("depot-1", 20 * KW, 16 * KW, 50 * KW, ""),
            ("depot-2", 11 * KW, pytest.approx(8.8 * KW), 50 * KW, ""),
        ]
        url = str(here.web.base_url)
        body = {"program_id": PROGRAM, "by": "the control room"}
        made = await asyncio.to_thread(asking.proposed, url, body, "key")
        assert len(made["quantities"]) == 24
        first = made["quantities"][0]
        # 24.8 kW in nine cases of ten, in whole kW; the price is ours.
        assert (first["power_w"], first["price_per_kwh"]) == (24 * KW, 0.25)
        assert first["basis"] == "offers"
        verdict = {"decision": "accept", "by": "the control room"}
        ident = made["nomination_id"]
        accepted = await asyncio.to_thread(asking.decided, url, ident, verdict, None)
        assert accepted["state"] == "accepted"
        (step,) = await planned(here, datetime.fromisoformat(made["start"]))
        assert step["value"] == pytest.approx(24 * KW)  # by the enrolments it would be 10
