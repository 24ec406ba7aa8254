"""Our VEN against an independent VTN, openleadr's, in a process of its own, over mutual TLS.

Where openleadr departs from the profile, our VEN is as it is with any other VTN: it answers an
oadrRequestEvent with an oadrResponse when it has no events, answers an oadrResponse with nothing,
and reads ids such as `007` as numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import certificate_der, client_context, openadr_fingerprint
from contracts.openadr import codec
from contracts.openadr.payloads import CreatedEvent, OptType
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory, FlatReports, RecordingIntake
from support.openleadr_process import OpenleadrVtn, openleadr_vtn
from support.waiting import until

pytestmark = pytest.mark.xdist_group("realtime")
CLOCK = SystemClock()
NAME = "gridyard"
either = pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])


def settings(pki: Pki, vtn: OpenleadrVtn, *, signed: bool, **more: Any) -> OpenAdrSettings:
    pinned = openadr_fingerprint(certificate_der(pki.vtn.cert))
    return OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": vtn.url,
            "ven_name": NAME,
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            "max_backoff_s": 1.0,
            **({"sign": True, "vtn_fingerprint": pinned} if signed else {}),
            **more,
        }
    )


@asynccontextmanager
async def ven(found: OpenAdrSettings, intake: RecordingIntake) -> AsyncIterator[OpenAdrVen]:
    tls = client_context(found.ca, found.cert, found.key)
    client = OpenAdrVen(found, tls, intake, FlatReports(), DictMemory(), CLOCK)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        yield client
        task.cancel()


@asynccontextmanager
async def both(
    pki: Pki, *, signed: bool, points: int = 1
) -> AsyncIterator[tuple[OpenleadrVtn, RecordingIntake]]:
    """The VTN, and what our VEN, which runs, hands on."""
    intake = RecordingIntake()
    async with (
        openleadr_vtn(pki, NAME, signed=signed, points=points) as vtn,
        ven(settings(pki, vtn, signed=signed), intake),
    ):
        yield vtn, intake


@either
@pytest.mark.row("openadr:R1", "openadr:R2", "openadr:R9", "openadr:R10", "openadr:E3")
@pytest.mark.row("openadr:E6", "openadr:S1", "openadr:S3")
async def test_answers_an_event_and_its_cancellation(pki: Pki, signed: bool) -> None:
    """openleadr checks each message's TLS certificate and, when it signs, its signature."""
    async with both(pki, signed=signed) as (vtn, intake):
        assert (await vtn.next("registered"))["signs"] is signed
        vtn.announce("peak-1")
        assert (await vtn.next("opt"))["opt"] == "optIn"
        (event,) = intake.received
        assert (event.key, event.modification) == ("util/peak-1", 0)
        assert event.window.duration == timedelta(minutes=2)
        vtn.do("cancel", event_id="peak-1")
        assert (await vtn.next("opt"))["event_id"] == "peak-1"
        assert [(e.modification, e.cancelled) for e in intake.received] == [(0, False), (1, True)]
        assert vtn.heard[:2] == ["oadrQueryRegistration", "oadrCreatePartyRegistration"]
        assert {"oadrRegisterReport", "oadrRequestEvent"} < set(vtn.heard)


@either
@pytest.mark.row("openadr:R9", "openadr:P3", "openadr:S3")
async def test_telemetry_arrives_interval_by_interval(pki: Pki, signed: bool) -> None:
    """openleadr asks for periodic TELEMETRY_USAGE in its answer to the METADATA report.

    Of one point: it has no eye for an interval with values of several, and answers 500.
    """
    async with both(pki, signed=signed) as (vtn, _):
        offered = await vtn.next("offered", report="METADATA_TELEMETRY_USAGE")
        assert "portfolio/power_w" in offered["points"][0]
        values: list[tuple[datetime, float]] = []
        while len(values) < 2:
            report = await vtn.next("report")
            values += [(datetime.fromisoformat(at), value) for at, value in report["values"]]
        assert {value for _, value in values} == {42.0}
        starts = [at for at, _ in values]
        assert {later - at for at, later in pairwise(starts)} == {timedelta(seconds=2)}


@pytest.mark.row("openadr:S4")
async def test_a_report_it_stumbles_on_holds_up_no_event(pki: Pki) -> None:
    """openleadr answers 500 to a report with two points, each time it comes."""
    async with both(pki, signed=False, points=2) as (vtn, _):
        for _ in range(2):
            await vtn.next("heard", kind="oadrUpdateReport")
        vtn.announce("peak-1")
        assert (await vtn.next("opt"))["opt"] == "optIn"
        await vtn.next("heard", kind="oadrUpdateReport")
        assert vtn.count("report") == 0


@pytest.mark.row("openadr:E5")
async def test_an_event_left_out_is_withdrawn_and_the_other_kept(pki: Pki) -> None:
    """openleadr sends all events whenever one changes, with no word on those it has dropped."""
    async with both(pki, signed=False) as (vtn, intake):
        await vtn.next("registered")
        vtn.announce("gone")
        vtn.announce("kept")
        assert {(await vtn.next("opt"))["event_id"] for _ in range(2)} == {"gone", "kept"}
        vtn.do("leave_out", event_id="gone")
        await until(lambda: bool(intake.withdrawn))
        assert intake.withdrawn == ["util/gone"]


@pytest.mark.row("openadr:R4", "openadr:R5")
async def test_a_vtn_that_lost_its_books_is_registered_with_again(pki: Pki) -> None:
    """openleadr answers any message of a VEN it does not know with oadrRequestReregistration."""
    async with both(pki, signed=True) as (vtn, _):
        await vtn.next("registered")
        await vtn.next("offered", report="METADATA_TELEMETRY_USAGE")
        vtn.do("forget")
        assert (await vtn.next("registered"))["with_id"] == "reg-7"
        vtn.announce("after")
        assert (await vtn.next("opt"))["opt"] == "optIn"
        once_more = vtn.heard[vtn.heard.index("oadrCreatePartyRegistration") + 1 :]
        asked = once_more.index("oadrResponse")
        assert once_more[asked + 1] == "oadrCreatePartyRegistration"


async def test_a_dispatch_without_a_unit_is_refused(pki: Pki) -> None:
    """openleadr's own add_event sends LOAD_DISPATCH without an itemBase: kW, W, or what?"""
    async with both(pki, signed=False) as (vtn, intake):
        await vtn.next("registered")
        vtn.announce("unclear", unit=None)
        assert (await vtn.next("opt"))["opt"] == "optOut"
        assert not intake.received


@pytest.mark.row("openadr:E3")
async def test_an_event_id_is_text_to_us_whatever_openleadr_makes_of_it(pki: Pki) -> None:
    """openleadr reads our answer for `007` as one for 7, which it does not know, and says 452.

    It records no opt then; to us it is no reason to doubt our registration.
    """
    async with both(pki, signed=False) as (vtn, intake):
        await vtn.next("registered")
        vtn.announce("007")
        created = codec.decode((await vtn.next("heard", kind="oadrCreatedEvent"))["xml"].encode())
        assert isinstance(created, CreatedEvent)
        (answer,) = created.event_responses
        assert (answer.event_id, answer.opt_type) == ("007", OptType.IN)
        assert [e.event_id for e in intake.received] == ["007"]
        vtn.do("leave_out", event_id="007")
        vtn.announce("next")
        await vtn.next("opt", event_id="next", opt="optIn")
        assert (vtn.count("opt"), vtn.count("registered")) == (1, 1)


@pytest.mark.row("openadr:S3")
async def test_nothing_of_a_vtn_with_another_key_than_the_pinned_is_believed(pki: Pki) -> None:
    async with openleadr_vtn(pki, NAME, signed=True) as vtn:
        pinned = ":".join(["AB"] * 10)
        found = settings(pki, vtn, signed=True, vtn_fingerprint=pinned)
        async with ven(found, RecordingIntake()) as client:
            await until(lambda: "whom we do not trust" in client.health.detail)
            assert not client.health.connected
        assert vtn.count("registered") == 0
