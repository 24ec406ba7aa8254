"""Push model: what a VTN posts to our listener, over real mutual TLS both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import certificate_der, client_context, openadr_fingerprint
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CanceledReport,
    CancelPartyRegistration,
    CancelReport,
    CreatedEvent,
    CreatedReport,
    CreatePartyRegistration,
    CreateReport,
    EventResponse,
    OptType,
    Poll,
    RegisteredReport,
    RegisterReport,
    ReportRequest,
    ReportSpecifier,
    RequestEvent,
    RequestReregistration,
    Response,
    SpecifierPayload,
    UpdateReport,
)
from gateway.domain.event import GridEvent, OptDecision
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory, FlatReports, RecordingIntake, oadr_event
from support.openadr_vtn import (
    Fault,
    Pusher,
    WaywardVtn,
    distribution,
    pusher,
    signing,
    wayward_vtn,
)
from support.ports import free_port
from support.waiting import until

CLOCK = SystemClock()
VEN = "ven-7"


def fingerprint(cert: Path) -> str:
    return openadr_fingerprint(certificate_der(cert))


def settings(
    pki: Pki, vtn: WaywardVtn, *, push: bool, resync_s: float = 900.0, **more: Any
) -> OpenAdrSettings:
    port = free_port()
    url = f"https://127.0.0.1:{port}/OpenADR2/Simple/2.0b"
    door = {"host": "127.0.0.1", "port": port, "url": url, "resync_s": resync_s}
    listener = {"listener": door} if push else {}
    pinned = {"vtn_fingerprint": fingerprint(pki.vtn.cert)} if push or vtn.signer else {}
    return OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": vtn.url,
            "ven_name": "gridyard",
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            "sign": vtn.signer is not None,
            "poll_s": 0.2,
            "max_backoff_s": 0.1,
            **listener,
            **pinned,
            **more,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ven:
    """A running VEN and what it has been told."""

    client: OpenAdrVen
    intake: RecordingIntake
    memory: DictMemory
    url: str


@asynccontextmanager
async def ven(
    of: OpenAdrSettings,
    *,
    memory: DictMemory | None = None,
    intake: RecordingIntake | None = None,
) -> AsyncIterator[Ven]:
    memory, intake = memory or DictMemory(), intake or RecordingIntake()
    tls = client_context(of.ca, of.cert, of.key)
    client = OpenAdrVen(of, tls, intake, FlatReports(), memory, CLOCK)
    url = "" if of.listener is None else str(of.listener.url)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        yield Ven(client=client, intake=intake, memory=memory, url=url)
        task.cancel()


@asynccontextmanager
async def pushing(
    pki: Pki, *, signed: bool = False, intake: RecordingIntake | None = None, **more: Any
) -> AsyncIterator[tuple[WaywardVtn, Pusher, Ven]]:
    """A VTN that pushes to a VEN that is registered."""
    asked = signing(pki, trusts=fingerprint(pki.ven.cert)) if signed else {}
    async with wayward_vtn(pki, **asked) as vtn:
        of = settings(pki, vtn, push=True, **more)
        async with ven(of, intake=intake) as ours, pusher(pki, vtn, ours.url) as way:
            await until(lambda: ours.client.health.connected and bool(vtn.of(RequestEvent)))
            yield vtn, way, ours


async def test_we_register_for_pushes_and_never_poll(pki: Pki) -> None:
    async with pushing(pki, signed=True) as (vtn, way, ours):
        (registered,) = vtn.of(CreatePartyRegistration)
        await way.push("EiRegisterParty", RequestReregistration(ven_id=VEN))
        await until(lambda: len(vtn.of(CreatePartyRegistration)) == 2)
    assert registered.http_pull_model is False
    assert registered.transport_address == ours.url
    assert (registered.transport, registered.xml_signature) == ("simpleHttp", True)
    assert vtn.of(Poll) == []
    assert fingerprint(pki.ven.cert) in ours.client.health.detail


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
async def test_an_event_is_acknowledged_at_once_and_answered_by_a_message_of_ours(
    pki: Pki, signed: bool
) -> None:
    async with pushing(pki, signed=signed) as (vtn, way, ours):
        message = distribution(vtn.name, oadr_event("007"), request_id="d-1")
        answer = await way.push("EiEvent", message)
        assert isinstance(answer, Response)
        assert (answer.response.code, answer.response.request_id) == (200, "d-1")
        await until(lambda: bool(vtn.of(CreatedEvent)))
        again = distribution(vtn.name, oadr_event("007"), request_id="d-2")
        await way.push("EiEvent", again)
        await until(lambda: len(vtn.of(CreatedEvent)) == 2)
    first, second = vtn.of(CreatedEvent)
    responses: list[EventResponse] = [*first.event_responses, *second.event_responses]
    assert [(r.event_id, r.request_id, r.opt_type) for r in responses] == [
        ("007", "d-1", OptType.IN),
        ("007", "d-2", OptType.IN),
    ]
    assert [event.key for event in ours.intake.received] == ["util/007"]


async def test_reports_are_asked_for_answered_and_cancelled_at_once(pki: Pki) -> None:
    async with pushing(pki) as (vtn, way, _):
        await until(lambda: bool(vtn.of(RegisterReport)))
        offered = next(
            report
            for report in vtn.of(RegisterReport)[0].reports
            if report.name == "METADATA_TELEMETRY_USAGE"
        )
        point = offered.descriptions[0]
        specifier = ReportSpecifier(
            report_specifier_id=offered.report_specifier_id,
            granularity=timedelta(seconds=2),
            report_back_duration=timedelta(seconds=2),
            payloads=(SpecifierPayload(r_id=point.r_id, reading_type=point.reading_type),),
        )
        request = ReportRequest(report_request_id="rr-1", specifier=specifier)
        wanted = CreateReport(request_id="c-1", requests=(request,), ven_id=VEN)
        created = await way.push("EiReport", wanted)
        assert isinstance(created, CreatedReport)
        assert (created.response.request_id, created.pending) == ("c-1", ("rr-1",))
        await until(lambda: bool(vtn.of(UpdateReport)))
        cancelled = await way.push(
            "EiReport",
            CancelReport(request_id="c-2", report_request_ids=("rr-1",), ven_id=VEN),
        )
        assert isinstance(cancelled, CanceledReport)
        assert (cancelled.response.code, cancelled.pending) == (200, ())
    assert vtn.of(CreatedReport) == vtn.of(CanceledReport) == []  # the answer was enough


async def test_the_vtns_own_reports_are_taken_note_of(pki: Pki) -> None:
    async with pushing(pki) as (_, way, _ours):
        answer = await way.push("EiReport", RegisterReport(request_id="m-1", ven_id=VEN))
    assert isinstance(answer, RegisteredReport)
    assert (answer.response.code, answer.response.request_id) == (200, "m-1")


async def test_a_new_registration_is_asked_for(pki: Pki) -> None:
    async with pushing(pki) as (vtn, way, _):
        answer = await way.push("EiRegisterParty", RequestReregistration(ven_id=VEN))
        assert isinstance(answer, Response)
        assert answer.response.ok
        await until(lambda: len(vtn.of(CreatePartyRegistration)) == 2)
    assert vtn.of(CreatePartyRegistration)[1].registration_id == "reg-VTN-1"


async def test_a_registration_is_cancelled_by_its_own_id_alone(pki: Pki) -> None:
    async with pushing(pki) as (vtn, way, _):
        wrong = CancelPartyRegistration(request_id="x-1", registration_id="another", ven_id=VEN)
        answer = await way.push("EiRegisterParty", wrong)
        assert isinstance(answer, CanceledPartyRegistration)
        assert answer.response.code == 452
        right = CancelPartyRegistration(request_id="x-2", registration_id="reg-VTN-1", ven_id=VEN)
        answer = await way.push("EiRegisterParty", right)
        assert isinstance(answer, CanceledPartyRegistration)
        assert (answer.response.code, answer.response.request_id) == (200, "x-2")
        await until(lambda: len(vtn.of(CreatePartyRegistration)) == 2)
        await until(lambda: len(vtn.of(RequestEvent)) >= 2)
    assert vtn.of(CreatePartyRegistration)[1].registration_id is None
    assert vtn.of(CanceledPartyRegistration) == []


async def test_a_message_for_another_ven_is_answered_452(pki: Pki) -> None:
    async with pushing(pki) as (vtn, way, _):
        answer = await way.push("EiRegisterParty", RequestReregistration(ven_id="ven-8"))
        assert isinstance(answer, Response)
        assert answer.response.code == 452
        assert len(vtn.of(CreatePartyRegistration)) == 1


@pytest.mark.row("openadr:S4")
async def test_before_we_are_registered_the_vtn_shall_try_again(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn:
        vtn.faults.extend([(CreatePartyRegistration, Fault(name="503", status=503))] * 1000)
        of = settings(pki, vtn, push=True)
        async with ven(of) as ours, pusher(pki, vtn, ours.url) as way:
            await until(lambda: bool(vtn.of(CreatePartyRegistration)))
            message = codec.encode(distribution(vtn.name, oadr_event()))
            refused = await way.post("EiEvent", message)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            vtn.faults.clear()
            await until(lambda: ours.client.health.connected)
            assert (await way.post("EiEvent", message)).status_code == 200


@pytest.mark.row("openadr:S1")
async def test_only_the_vtn_may_push(pki: Pki) -> None:
    async with pushing(pki) as (vtn, _, ours):
        message = codec.encode(distribution(vtn.name, oadr_event()))
        headers = {"Content-Type": "application/xml"}
        other = client_context(pki.utility_ca, pki.ven.cert, pki.ven.key)
        async with httpx.AsyncClient(verify=other, trust_env=False) as stranger:
            answer = await stranger.post(f"{ours.url}/EiEvent", content=message, headers=headers)
            assert (answer.status_code, answer.content) == (403, b"")
        nobody = client_context(pki.utility_ca)
        async with httpx.AsyncClient(verify=nobody, trust_env=False) as stranger:
            with pytest.raises(httpx.TransportError):
                await stranger.post(f"{ours.url}/EiEvent", content=message, headers=headers)
    assert ours.intake.received == []


@pytest.mark.row("openadr:S3")
async def test_a_push_that_must_not_be_believed_does_nothing(pki: Pki) -> None:
    async with pushing(pki, signed=True) as (vtn, way, ours):
        good = vtn.sealed(distribution(vtn.name, oadr_event("e1")))
        unsigned = codec.encode(distribution(vtn.name, oadr_event("e2")))
        for bad in (unsigned, good.replace(b">e1<", b">e3<")):
            assert (await way.post("EiEvent", bad)).status_code == 403
        assert (await way.post("EiEvent", b"<nonsense")).status_code in (400, 403)
        assert ours.intake.received == []
        assert (await way.post("EiEvent", good)).status_code == 200
        assert (await way.post("EiEvent", good)).status_code == 403  # replayed
    assert [event.event_id for event in ours.intake.received] == ["e1"]


class SlowIntake(RecordingIntake):
    """Takes its time, and notices when it is asked twice at once."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = self.most_inside = 0

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await CLOCK.sleep(0.02)
        self.inside -= 1
        return await super().receive(events)


async def test_pushes_that_come_together_are_handled_one_after_the_other(pki: Pki) -> None:
    intake = SlowIntake()
    async with pushing(pki, intake=intake, resync_s=0.05) as (vtn, way, _):
        events = [oadr_event(f"e{number}") for number in range(6)]
        vtn.events = events
        statuses: list[int] = []

        async def push() -> None:
            message = codec.encode(distribution(vtn.name, *events))
            statuses.append((await way.post("EiEvent", message)).status_code)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(push())
        await until(lambda: len(vtn.of(CreatedEvent)) >= 6)
    assert statuses == [200] * 6
    assert intake.most_inside == 1
    assert sorted(event.event_id for event in intake.received) == [f"e{n}" for n in range(6)]


async def test_a_lost_push_is_made_up_for_by_asking(pki: Pki) -> None:
    async with pushing(pki, resync_s=0.1) as (vtn, _, ours):
        vtn.events = [oadr_event("lost")]
        await until(lambda: bool(ours.intake.received))
        await until(lambda: bool(vtn.of(CreatedEvent)))
    assert vtn.of(Poll) == []


async def test_an_answer_that_a_push_has_overtaken_cancels_nothing(pki: Pki) -> None:
    first, second = oadr_event("e1"), oadr_event("e2")
    async with pushing(pki, resync_s=0.1) as (vtn, way, ours):
        vtn.events = [first]
        await until(lambda: len(ours.intake.received) == 1)
        vtn.held[RequestEvent] = asyncio.Event()
        asked = len(vtn.of(RequestEvent))
        await until(lambda: len(vtn.of(RequestEvent)) > asked)  # its answer knows of e1 alone
        vtn.events = [first, second]
        await way.push("EiEvent", distribution(vtn.name, first, second))
        vtn.held.pop(RequestEvent).set()
        await until(lambda: len(vtn.of(RequestEvent)) > asked + 2)
    assert [event.event_id for event in ours.intake.received] == ["e1", "e2"]
    assert ours.intake.withdrawn == []


async def test_a_ven_that_polled_before_asks_to_be_pushed_to(pki: Pki) -> None:
    memory = DictMemory()
    async with wayward_vtn(pki) as vtn:
        async with ven(settings(pki, vtn, push=False), memory=memory):
            await until(lambda: bool(vtn.of(Poll)))
        polls = len(vtn.of(Poll))
        of = settings(pki, vtn, push=True)
        async with ven(of, memory=memory) as ours:
            await until(lambda: len(vtn.of(CreatePartyRegistration)) == 2)
            await until(lambda: ours.client.health.connected)
        async with ven(of, memory=memory) as ours:  # and is known as such after a restart
            await until(lambda: ours.client.health.connected)
    before, after = vtn.of(CreatePartyRegistration)
    assert (before.http_pull_model, after.http_pull_model) == (True, False)
    assert after.registration_id == "reg-VTN-1"
    assert len(vtn.of(Poll)) == polls
