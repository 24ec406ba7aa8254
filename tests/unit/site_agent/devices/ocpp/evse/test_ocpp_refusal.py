"""When a charger is asked to end a transaction whose card was refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.evse.refusal import Refusal
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.devices.ocpp.wire.session import Session


@dataclass
class Deaf:
    """Remembers when it was asked, and ends nothing."""

    clock: FakeClock
    asked_s: list[float] = field(default_factory=list)

    async def call(self, request: Request, **_: object) -> Json:
        assert request == Request(action="RemoteStopTransaction", payload={"transactionId": 7})
        self.asked_s.append(self.clock.monotonic())
        return {"status": "Rejected"}


@pytest.mark.parametrize(("told", "asked_s"), [(True, [30, 90, 150]), (False, [5, 65, 125])])
async def test_one_that_was_told_has_its_time_and_one_that_was_not_has_none(
    told: bool, asked_s: list[float]
) -> None:
    clock = FakeClock()
    runs = Transaction(
        id=7, wire_id="7", ref="7", id_tag="TAG1", started_at=clock.now(), begun=clock.now()
    )
    refusal = Refusal("evse-1", lambda: runs, clock=clock, memory=None, wake=lambda: None)
    await refusal.judged("tag1", accepted=False, told=told)
    session = Deaf(clock)
    watching = asyncio.ensure_future(
        refusal.watch(Link(session=cast(Session, session), dialect=Ocpp16()))
    )
    await clock.advance(600)
    watching.cancel()
    assert session.asked_s == asked_s
