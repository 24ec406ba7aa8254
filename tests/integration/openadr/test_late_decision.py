"""A person's word on an event that was left open reaches the VTN without waiting for a poll."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import client_context
from contracts.openadr.payloads import CreatedEvent, OptType, Poll
from gateway.domain.event import Opt
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory, FlatReports, RecordingIntake, oadr_event
from support.openadr_participation import Sites
from support.openadr_vtn import wayward_vtn
from support.waiting import until

CLOCK = SystemClock()
HOUR_S = 3600.0


@pytest.mark.row("portfolio:A7", "openadr:E2")
async def test_a_later_yes_is_sent_at_once(pki: Pki) -> None:
    sites, intake = Sites(), RecordingIntake()
    intake.opt = sites.opts["util/e1"] = Opt.OUT
    async with wayward_vtn(pki) as vtn:
        event, start = oadr_event(), CLOCK.now() + timedelta(days=1)
        vtn.events.append(replace(event, active_period=replace(event.active_period, start=start)))
        settings = OpenAdrSettings.model_validate(
            {
                "utility_id": "util",
                "url": vtn.url,
                "ven_name": "gridyard",
                "ca": pki.utility_ca,
                "cert": pki.ven.cert,
                "key": pki.ven.key,
                "poll_s": HOUR_S,
            }
        )
        client = OpenAdrVen(
            settings,
            client_context(settings.ca, settings.cert, settings.key),
            intake,
            FlatReports(),
            DictMemory(),
            CLOCK,
            participation=sites,
        )
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(client.run())
            await until(lambda: bool(vtn.of(CreatedEvent)) and bool(vtn.of(Poll)))
            polls = len(vtn.of(Poll))
            sites.opts["util/e1"] = Opt.IN
            await until(lambda: len(vtn.of(CreatedEvent)) > 1)
            running.cancel()
    first, later = (one.event_responses[0] for one in vtn.of(CreatedEvent))
    assert (first.opt_type, later.opt_type) == (OptType.OUT, OptType.IN)
    assert later.modification_number == first.modification_number
    assert later.request_id == first.request_id
    assert len(vtn.of(Poll)) <= polls + 1, "it did not wait for a poll"
