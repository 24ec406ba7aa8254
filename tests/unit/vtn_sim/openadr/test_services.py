"""EiOpt, and what is new in the other services, without a VEN's life around it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.errors import PermanentError
from contracts.openadr import codec, schema
from contracts.openadr.payloads import (
    CanceledOpt,
    CancelOpt,
    CreatedOpt,
    CreateOpt,
    CreatePartyRegistration,
    DistributeEvent,
    EiResponse,
    OptType,
    Poll,
    QualifiedEventId,
    RegisteredReport,
    RegisterReport,
)
from contracts.openadr.words import SignalName
from vtn_sim.api import api_app
from vtn_sim.config import JudgeSettings
from vtn_sim.openadr.director import Director
from vtn_sim.openadr.event_payload import UnsendableError
from vtn_sim.openadr.events import FinishedEventError
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.run import _ACTION
from vtn_sim.spec import _TYPES, EventSpec


def create(w: Any, **content: Any) -> CreateOpt:
    return CreateOpt(
        **{
            "request_id": "q",
            "opt_id": "o1",
            "opt_type": OptType.OUT,
            "reason": "economic",
            "ven_id": "ven-1",
            "created_at": w.clock.now(),
            **content,
        }
    )


def event(**content: Any) -> EventSpec:
    signals = [{"intervals": [{"duration_s": 60, "value": -1.0}]}]
    return EventSpec.model_validate({"signals": signals, "event_id": "e1", **content})


def do(w: Any, action: str, **content: Any) -> Any:
    return Director(w.vtn).perform(_ACTION.validate_python({"action": action, **content}))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param({}, 200, id="new"),
        pytest.param({"event": QualifiedEventId(event_id="e1", modification_number=0)}, 200),
        pytest.param({"event": QualifiedEventId(event_id="e9", modification_number=0)}, 452),
        pytest.param({"ven_id": "ven-9"}, 452, id="unknown VEN"),
    ],
)
async def test_creating_an_opt(world: Any, content: dict[str, Any], code: int) -> None:
    async with world() as w:
        await w.clock.advance(1)
        w.vtn.events.add(event(), w.clock.now() + timedelta(hours=1), w.clock.now())
        answer = w.vtn.handle("EiOpt", create(w, **content))
        assert isinstance(answer, CreatedOpt)
        assert answer.response.code == code
        assert (answer.response.request_id, answer.opt_id) == ("q", "o1")
        assert len(w.vtn.opts.of()) == (code == 200)


async def test_an_opt_id_names_one_opt_and_can_be_cancelled(world: Any) -> None:
    async with world() as w:
        await w.clock.advance(1)
        for message, code in (
            (create(w), 200),
            (create(w, request_id="again"), 200),
            (create(w, reason="emergency"), 452),
            (CancelOpt(request_id="c", opt_id="o1", ven_id="ven-1"), 200),
            (CancelOpt(request_id="c", opt_id="o9", ven_id="ven-1"), 452),
        ):
            answer = w.vtn.handle("EiOpt", message)
            assert isinstance(answer, CreatedOpt | CanceledOpt)
            assert answer.response.code == code
        (opt,) = w.vtn.opts.of("ven-1")
        assert (len(opt.receipts), opt.holds) == (2, False)


async def test_an_opt_on_an_event_outranks_its_answers(world: Any) -> None:
    async with world() as w:
        await w.clock.advance(1)
        w.vtn.events.add(event(), w.clock.now() + timedelta(hours=1), w.clock.now())
        about = QualifiedEventId(event_id="e1", modification_number=0)
        assert w.vtn.opts.on_event("ven-1", "e1") is None
        w.vtn.handle("EiOpt", create(w, event=about))
        assert w.vtn.opts.on_event("ven-1", "e1") is OptType.OUT
        w.vtn.handle("EiOpt", CancelOpt(request_id="c", opt_id="o1", ven_id="ven-1"))
        assert w.vtn.opts.on_event("ven-1", "e1") is None


MORE_TARGETS = {
    "end_device_assets": ["Electric_Vehicle"],
    "service_areas": [[52.1, 13.2, 52.3, 13.4]],
    "service_locations": [[52.1, 13.2]],
    "transport_interfaces": [{"receipt": "a", "delivery": "b"}],
}
SIGNALS = [(name, kind) for name, kinds in _TYPES.items() for kind in kinds]


@pytest.mark.parametrize(("name", "kind"), [*SIGNALS, ("x-MOON_PHASE", "level")])
async def test_every_signal_can_be_sent(world: Any, name: str, kind: str) -> None:
    assert {name for name, _ in SIGNALS} == set(SignalName)
    async with world() as w:
        spec = event(
            signals=[{"name": name, "type": kind, "intervals": [{"duration_s": 60, "value": 1.0}]}],
            targets={"group_names": ["g"], "pnodes": ["p"], "meter_assets": ["m"], **MORE_TARGETS},
            baseline={"intervals": [{"duration_s": 60, "value": 9.0}], "resource_ids": ["r"]},
            test="rehearsal",
            modification_reason="because",
        )
        w.vtn.events.add(spec, w.clock.now() + timedelta(hours=1), w.clock.now())
        await w.clock.advance(1)
        data = codec.encode(w.vtn.distribute(w.vtn.registry.ven("ven-1"), ""))
        schema.validate(data)
        batch = codec.decode(data)
        assert isinstance(batch, DistributeEvent)
        (sent,) = batch.events
        assert (sent.signals[0].name, sent.descriptor.is_test) == (name, True)
        assert sent.baseline is not None
        assert (sent.target.group_names, sent.target.pnodes) == (("g",), ("p",))
        assert sent.target.service_areas[0].positions == (52.1, 13.2, 52.3, 13.4)
        assert sent.target.transport_interfaces[0].delivery == "b"


async def test_what_xml_cannot_carry_is_refused_at_once(world: Any) -> None:
    async with world() as w:
        price = {"name": "ELECTRICITY_PRICE", "type": "price", "currency": "QQQ"}
        bad = event(signals=[{**price, "intervals": [{"duration_s": 60, "value": 1.0}]}])
        with pytest.raises(UnsendableError, match="QQQ"):
            w.vtn.events.add(bad, w.clock.now(), w.clock.now())
        assert not w.vtn.events.events


async def test_withdrawn_events_are_left_out_and_stay_out(world: Any) -> None:
    async with world() as w:
        do(w, "announce", event_id="e1", start_in_s=60, signals=[_DELTA])
        await w.clock.advance(3)
        assert list(w.ven.known) == ["e1"]
        do(w, "withdraw", event_id="e1")
        await w.clock.advance(3)
        assert w.ven.implied == ["e1"]
        with pytest.raises(FinishedEventError, match="withdrawn"):
            do(w, "cancel", event_id="e1")


_DELTA = {"intervals": [{"duration_s": 60, "value": -1.0}]}


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (None, None),
        ("http://ven.example", None),
        ("https://ven.example", "https://ven.example/OpenADR2/Simple/2.0b"),
        ("https://ven.example:9/x/", "https://ven.example:9/x"),
    ],
)
async def test_where_a_ven_is_pushed_to(world: Any, address: str | None, url: str | None) -> None:
    async with world() as w:
        message = CreatePartyRegistration(
            request_id="r", ven_id="ven-1", http_pull_model=False, transport_address=address
        )
        answer = w.vtn.handle("EiRegisterParty", message)
        assert answer.response.code == (451 if url is None else 200)
        assert w.vtn.registry.ven("ven-1").push_url == url


async def test_reports_are_asked_for_in_the_answer_to_their_registration(world: Any) -> None:
    habits = {"requests_in_registered_report": True}
    wish = {"granularity_s": 2, "report_back_s": 2}
    async with world(report=wish, habits=habits) as w:
        await w.clock.advance(8)
        (asked,) = w.vtn.reports.asked("ven-1")
        assert asked.arrivals
        assert isinstance(w.vtn.handle("EiReport", _empty_offer()), RegisteredReport)


def _empty_offer() -> Any:
    return RegisterReport(request_id="m", ven_id="ven-1")


async def test_a_polls_refusal_after_the_registrations_are_forgotten(world: Any) -> None:
    async with world() as w:
        w.ven.poll_s = 1e6
        await w.clock.advance(1)
        do(w, "forget-registrations")
        answer = w.vtn.handle("OadrPoll", Poll(ven_id="ven-1"))
        assert getattr(answer, "response", EiResponse()).code == 463


@pytest.mark.parametrize(
    ("action", "content"),
    [
        ("cancel-reports", {}),
        ("withdraw", {"event_id": "none"}),
        ("modify", {"event_id": "none"}),
    ],
)
async def test_what_cannot_be_done_is_said(
    world: Any, action: str, content: dict[str, Any]
) -> None:
    async with world() as w:
        await w.clock.advance(1)
        with pytest.raises(PermanentError):
            do(w, action, **content)


async def test_signatures_need_a_key(world: Any) -> None:
    async with world() as w:
        w.vtn.signatures.signer = None
        with pytest.raises(PermanentError, match="no key"):
            do(w, "set-signatures", mode="required")


async def test_the_rest_api(world: Any) -> None:
    async with world() as w:
        app = api_app(w.vtn, Journal(10), JudgeSettings(), w.clock, None, w.runs)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as api:
            for method, path, content, status in (
                ("GET", "/api/openadr", None, 200),
                ("POST", "/api/openadr/actions", {"action": "clear-faults"}, 200),
                ("POST", "/api/openadr/actions", {"action": "dance"}, 422),
                ("POST", "/api/openadr/actions", {"action": "reregister", "ven": "x"}, 404),
                ("POST", "/api/openadr/runs", {"procedure": "Z9"}, 404),
                ("POST", "/api/openadr/runs", {"ven_id": "nobody"}, 404),
                ("POST", "/api/openadr/runs", {"procedure": "E1"}, 202),
                ("GET", "/api/openadr/runs/1", None, 200),
                ("GET", "/api/openadr/runs/1/verdict.txt", None, 200),
                ("GET", "/api/openadr/runs/9", None, 404),
                ("GET", "/api/openadr/vens/nobody/verdict", None, 404),
                ("GET", "/api/openadr/irregularities", None, 200),
                ("GET", "/api/openadr/opts", None, 200),
            ):
                answer = await api.request(method, path, json=content)
                assert answer.status_code == status, (path, answer.text)
            listed = (await api.get("/api/openadr/procedures")).json()
            assert {"id": "E4", "rows": ["E4"]}.items() <= next(
                one for one in listed if one["id"] == "E4"
            ).items()
