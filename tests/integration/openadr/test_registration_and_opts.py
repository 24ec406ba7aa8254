"""A whole VEN over real mutual TLS against a VTN whose every answer is chosen: order and life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import client_context
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelOpt,
    CancelPartyRegistration,
    CreatedEvent,
    CreateOpt,
    CreatePartyRegistration,
    EiResponse,
    OadrEvent,
    OptType,
    Payload,
    Poll,
    QueryRegistration,
    RegisterReport,
    RequestEvent,
    RequestReregistration,
    Response,
)
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory, FlatReports, RecordingIntake, oadr_event
from support.openadr_participation import Sites
from support.openadr_vtn import WaywardVtn, distribution, wayward_vtn
from support.waiting import until

CLOCK = SystemClock()


@asynccontextmanager
async def ven(
    pki: Pki,
    vtn: WaywardVtn,
    memory: DictMemory | None = None,
    sites: Sites | None = None,
    **more: Any,
) -> AsyncIterator[OpenAdrVen]:
    settings = OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": vtn.url,
            "ven_name": "gridyard",
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            "poll_s": 0.2,
            "max_backoff_s": 1.0,
            **more,
        }
    )
    client = OpenAdrVen(
        settings,
        client_context(settings.ca, settings.cert, settings.key),
        RecordingIntake(),
        FlatReports(),
        memory or DictMemory(),
        CLOCK,
        participation=sites or Sites(),
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        yield client
        task.cancel()


def _tomorrow(event: OadrEvent) -> OadrEvent:
    start = CLOCK.now() + timedelta(days=1)
    return replace(event, active_period=replace(event.active_period, start=start))


def kinds(vtn: WaywardVtn) -> list[type]:
    """What was heard in order, polls that follow each other once."""
    found: list[type] = []
    for heard in vtn.heard:
        kind = type(heard.payload)
        if kind is not Poll or found[-1:] != [Poll]:
            found.append(kind)
    return found


def codes(vtn: WaywardVtn, kind: type) -> list[int]:
    return [payload.response.code for payload in vtn.of(kind)]


@pytest.mark.row("openadr:R1", "openadr:R9", "openadr:R10", "openadr:E2")
async def test_the_order_of_a_start(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn:
        vtn.events.append(oadr_event())
        async with ven(pki, vtn):
            await until(lambda: bool(vtn.of(Poll)))
        assert kinds(vtn)[:6] == [
            QueryRegistration,
            CreatePartyRegistration,
            RegisterReport,
            RequestEvent,
            CreatedEvent,
            Poll,
        ]


@pytest.mark.row("openadr:E2")
async def test_events_of_a_poll_are_answered_before_the_next_poll(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn:
        for number in range(4):
            vtn.for_polls.append(distribution(vtn.name, oadr_event(f"e{number}")))
        async with ven(pki, vtn):
            await until(lambda: len(vtn.of(CreatedEvent)) == 4)
        order = [type(h.payload) for h in vtn.heard if isinstance(h.payload, Poll | CreatedEvent)]
        assert order[:8] == [Poll, CreatedEvent] * 4


@pytest.mark.row("openadr:R2")
async def test_a_restart_keeps_the_registration_and_asks_for_events(pki: Pki) -> None:
    memory = DictMemory()
    async with wayward_vtn(pki) as vtn:
        async with ven(pki, vtn, memory):
            await until(lambda: bool(vtn.of(Poll)))
        vtn.heard.clear()
        async with ven(pki, vtn, memory):
            await until(lambda: bool(vtn.of(Poll)))
        assert kinds(vtn) == [RequestEvent, Poll]


@pytest.mark.row("openadr:R4", "openadr:R5", "openadr:R9")
async def test_asked_to_register_again_it_acknowledges_first(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, ven(pki, vtn):
        await until(lambda: bool(vtn.of(Poll)))
        vtn.heard.clear()
        vtn.for_polls.append(RequestReregistration(ven_id=vtn.ven_id))
        await until(lambda: bool(vtn.of(RegisterReport)))
        order = [kind for kind in kinds(vtn) if kind is not Poll]
        assert order == [Response, CreatePartyRegistration, RegisterReport]
        (again,) = vtn.of(CreatePartyRegistration)
        assert (again.ven_id, again.registration_id) == (vtn.ven_id, "reg-VTN-1")


@pytest.mark.row("openadr:R7")
async def test_cancelled_by_the_vtn_it_answers_and_registers_anew(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, ven(pki, vtn):
        await until(lambda: bool(vtn.of(Poll)))
        for registration_id in ("not-ours", "reg-VTN-1"):
            vtn.for_polls.append(
                CancelPartyRegistration(request_id="c", registration_id=registration_id)
            )
        await until(lambda: len(vtn.of(CreatePartyRegistration)) == 2)
        assert codes(vtn, CanceledPartyRegistration) == [452, 200]
        assert vtn.of(CreatePartyRegistration)[1].registration_id is None


@pytest.mark.row("openadr:R7")
@pytest.mark.parametrize("code", [452, 463])
async def test_a_poll_answered_unknown_makes_it_register_and_ask_for_events(
    pki: Pki, code: int
) -> None:
    async with wayward_vtn(pki) as vtn, ven(pki, vtn):
        await until(lambda: bool(vtn.of(Poll)))
        vtn.for_polls.append(Response(response=EiResponse(code=code)))
        await until(lambda: len(vtn.of(RequestEvent)) == 2)
        assert len(vtn.of(CreatePartyRegistration)) == 2


class Picky(WaywardVtn):
    """Says 452 to what it is told about events, and confirms the end of a registration."""

    def answer(self, message: Payload) -> Payload | None:
        match message:
            case CreatedEvent():
                return Response(response=EiResponse(code=452))
            case CancelPartyRegistration():
                return CanceledPartyRegistration(response=EiResponse())
            case _:
                return WaywardVtn.answer(self, message)


async def test_452_to_anything_but_a_poll_is_about_something_else(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.openadr_vtn.WaywardVtn", Picky)
    async with wayward_vtn(pki) as vtn:
        vtn.events.append(oadr_event())
        async with ven(pki, vtn):
            await until(lambda: len(vtn.of(Poll)) > 2)
        assert len(vtn.of(CreatePartyRegistration)) == 1


@pytest.mark.row("openadr:R6")
async def test_no_longer_wanted_the_registration_is_cancelled_and_nothing_else_said(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.openadr_vtn.WaywardVtn", Picky)
    memory = DictMemory()
    async with wayward_vtn(pki) as vtn:
        async with ven(pki, vtn, memory):
            await until(lambda: bool(vtn.of(Poll)))
        vtn.heard.clear()
        for _ in range(2):
            async with ven(pki, vtn, memory, registered=False) as client:
                await until(lambda: "by our settings" in client.health.detail)
        assert kinds(vtn) == [CancelPartyRegistration]


@pytest.mark.row("openadr:O1", "openadr:O3", "openadr:O5")
async def test_opts_reach_the_vtn_and_outrank_later_answers(pki: Pki) -> None:
    sites = Sites()
    async with wayward_vtn(pki) as vtn:
        vtn.events.append(_tomorrow(oadr_event()))
        async with ven(pki, vtn, sites=sites):
            await until(lambda: bool(vtn.of(CreatedEvent)))
            sites.out["util/e1"] = {"depot-1": "said so"}
            await until(lambda: len(vtn.of(CreateOpt)) == 1)
            sites.out["util/e1"] = {"depot-1": "said so", "depot-2": "said so"}
            await until(lambda: len(vtn.of(CreateOpt)) == 2)
            vtn.for_polls.append(distribution(vtn.name, *vtn.events))
            await until(lambda: len(vtn.of(CreatedEvent)) == 2)
        one, whole = vtn.of(CreateOpt)
        assert (one.target.resource_ids, whole.target.resource_ids) == (("depot-1",), ())
        assert [o.opt_id for o in vtn.of(CancelOpt)] == [one.opt_id]
        (last,) = vtn.of(CreatedEvent)[-1].event_responses
        assert last.opt_type is OptType.OUT
        assert {h.service for h in vtn.heard if isinstance(h.payload, CreateOpt)} == {"EiOpt"}


@pytest.mark.parametrize(("drain", "more"), [(True, True), (False, False)])
async def test_messages_are_drained_or_taken_one_a_poll(
    pki: Pki,
    drain: bool,
    more: bool,
) -> None:
    async with wayward_vtn(pki) as vtn:
        for number in range(3):
            vtn.for_polls.append(distribution(vtn.name, oadr_event(f"e{number}")))
        async with ven(pki, vtn, drain=drain, poll_s=3600.0):
            await until(lambda: bool(vtn.of(CreatedEvent)))
            if more:
                await until(lambda: not vtn.for_polls)
        assert bool(vtn.for_polls) is not more
