"""A VTN without sockets, and a VEN that talks to it by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.openadr.payloads import (
    CreatedEvent,
    CreatedPartyRegistration,
    CreatePartyRegistration,
    DistributeEvent,
    EiResponse,
    EventResponse,
    ItemBase,
    OptType,
    Payload,
    Poll,
    RegisterReport,
    Report,
    ReportDescription,
    RequestEvent,
)
from contracts.testing import FakeClock
from vtn_sim.config import VtnSettings
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.spec import EventSpec

FILES = {"cert_file": Path("c"), "key_file": Path("k"), "ca_file": Path("a")}
VENS = [{"ven_id": "ven-1", "name": "depot"}, {"ven_id": "ven-2", "name": "other"}]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_vtn(clock: FakeClock) -> Callable[..., Vtn]:
    def make(**settings: Any) -> Vtn:
        return Vtn(VtnSettings.model_validate({**FILES, "vens": VENS, **settings}), clock)

    return make


@pytest.fixture
def vtn(make_vtn: Callable[..., Vtn]) -> Vtn:
    return make_vtn()


@pytest.fixture
def spec() -> Callable[..., EventSpec]:
    """An event of two minutes: -120 kW, then -80 kW, changed as wished."""

    def make(**changes: Any) -> EventSpec:
        intervals = [{"duration_s": 60, "value": -120.0}, {"duration_s": 60, "value": -80.0}]
        return EventSpec.model_validate({"signals": [{"intervals": intervals}], **changes})

    return make


class Ven:
    """A VEN's end of the conversation."""

    def __init__(self, vtn: Vtn, ven_id: str = "ven-1") -> None:
        self.vtn = vtn
        self.ven_id = ven_id
        self.registration_id = ""

    def register(self, **content: Any) -> CreatedPartyRegistration:
        answer = self.vtn.handle(
            "EiRegisterParty",
            CreatePartyRegistration(**{"request_id": "r", "ven_id": self.ven_id, **content}),
        )
        assert isinstance(answer, CreatedPartyRegistration)
        self.registration_id = answer.registration_id or ""
        return answer

    def poll(self) -> Payload:
        return self.vtn.handle("OadrPoll", Poll(ven_id=self.ven_id))

    def request_events(self) -> DistributeEvent:
        request = RequestEvent(request_id="e", ven_id=self.ven_id)
        answer = self.vtn.handle("EiEvent", request)
        assert isinstance(answer, DistributeEvent)
        return answer

    def answer(
        self, *events: tuple[str, int], opt: OptType = OptType.IN, code: int = 200
    ) -> EiResponse:
        """Opt for `(event_id, modification)` pairs."""
        responses = tuple(
            EventResponse(
                code=code,
                request_id="d",
                event_id=event_id,
                modification_number=modification,
                opt_type=opt,
            )
            for event_id, modification in events
        )
        answer = self.vtn.handle(
            "EiEvent",
            CreatedEvent(ven_id=self.ven_id, response=EiResponse(), event_responses=responses),
        )
        response: EiResponse = getattr(answer, "response")  # noqa: B009 - a Response, or a bug
        return response

    def offer(self, *r_ids: str) -> Payload:
        """Register usage points in kW."""
        report = Report(
            report_request_id="0",
            report_specifier_id="usage",
            created_at=FakeClock().now(),
            name="METADATA_TELEMETRY_USAGE",
            descriptions=tuple(
                ReportDescription(
                    r_id=r_id,
                    report_type="usage",
                    reading_type="Mean",
                    item=ItemBase.power_real("k"),
                )
                for r_id in r_ids
            ),
        )
        message = RegisterReport(request_id="m", ven_id=self.ven_id, reports=(report,))
        return self.vtn.handle("EiReport", message)


@pytest.fixture
def ven(vtn: Vtn) -> Ven:
    """A registered VEN."""
    ven = Ven(vtn)
    assert ven.register().response.ok
    return ven


@pytest.fixture
def other_ven(vtn: Vtn) -> Ven:
    """Another registered VEN of the same VTN."""
    ven = Ven(vtn, "ven-2")
    assert ven.register().response.ok
    return ven


@pytest.fixture
def make_ven() -> Callable[..., Ven]:
    return Ven
