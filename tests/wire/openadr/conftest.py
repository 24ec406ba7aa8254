"""One sample of every message we speak, rich enough to touch every element."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.openadr.payloads import (
    ActivePeriod,
    AtomFeed,
    Availability,
    Baseline,
    CanceledOpt,
    CanceledPartyRegistration,
    CanceledReport,
    CancelOpt,
    CancelPartyRegistration,
    CancelReport,
    CreatedEvent,
    CreatedOpt,
    CreatedPartyRegistration,
    CreatedReport,
    CreateOpt,
    CreatePartyRegistration,
    CreateReport,
    DistributeEvent,
    EiResponse,
    EventDescriptor,
    EventResponse,
    EventStatus,
    Extension,
    Info,
    ItemBase,
    LoadControlState,
    LoadControlValue,
    OadrEvent,
    OptType,
    Payload,
    Poll,
    QualifiedEventId,
    QueryRegistration,
    RegisteredReport,
    RegisterReport,
    Report,
    ReportDescription,
    ReportInterval,
    ReportPayload,
    ReportRequest,
    ReportSpecifier,
    ReportWindow,
    RequestEvent,
    RequestReregistration,
    ResourceStatus,
    Response,
    SamplingRate,
    ServiceArea,
    ServiceInfo,
    Signal,
    SignalInterval,
    SpecifierPayload,
    Target,
    TransportInterface,
    UpdatedReport,
    UpdateReport,
)

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
OK = EiResponse(request_id="007")


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


DISPATCH = Signal(
    name="LOAD_DISPATCH",
    type="delta",
    signal_id="s <&> 1",
    intervals=(
        SignalInterval(uid="0", duration=minutes(5), value=-120.0),
        SignalInterval(uid="1", duration=minutes(10), value=-80.5),
    ),
    item=ItemBase.power_real("k"),
    target=Target(resource_ids=("depot-1",)),
    current_value=0.0,
)
SIMPLE = Signal(
    name="SIMPLE",
    type="level",
    signal_id="s2",
    intervals=(SignalInterval(uid="0", duration=minutes(15), value=1.0),),
)
EVENT = OadrEvent(
    descriptor=EventDescriptor(
        event_id="2026.10",
        modification_number=2,
        modified_at=T0,
        modification_reason="later",
        priority=1,
        market_context="http://utility.example/program/depots",
        created_at=T0,
        status=EventStatus.FAR,
        test_event="false",
        vtn_comment='A & B <x> "quoted" é',
    ),
    active_period=ActivePeriod(
        start=T0 + minutes(60),
        duration=minutes(15),
        start_after=minutes(2),
        notification=minutes(30),
        ramp_up=minutes(5),
        recovery=minutes(10),
    ),
    signals=(DISPATCH, SIMPLE),
    baseline=Baseline(
        baseline_id="b-1",
        name="last week",
        start=T0 + minutes(60),
        duration=minutes(15),
        intervals=(
            SignalInterval(start=T0 + minutes(60), uid="0", duration=minutes(15), value=300.0),
        ),
        resource_ids=("depot-1",),
        item=ItemBase.power_real("k"),
    ),
    target=Target(
        aggregated_pnodes=("north",),
        end_device_assets=("charger-1",),
        meter_assets=("meter-1",),
        pnodes=("n1",),
        service_areas=(ServiceArea(positions=(47.0, 8.5, 47.1, 8.5, 47.0, 8.6)),),
        service_delivery_points=("sdp",),
        service_locations=(ServiceArea(positions=(47.0, 8.5)),),
        transport_interfaces=(TransportInterface(receipt="a", delivery="b"),),
        group_ids=("west",),
        group_names=("West side",),
        resource_ids=("depot-1", "depot-2"),
        ven_ids=("true",),
        party_ids=("p",),
    ),
)
FEED = AtomFeed(
    xml='<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:1</id>'
    "<title>Usage &amp; more</title><updated>2026-01-05T12:00:00Z</updated></feed>"
)
USAGE = ReportRequest(
    report_request_id="rr-1",
    specifier=ReportSpecifier(
        report_specifier_id="usage",
        granularity=minutes(1),
        report_back_duration=minutes(5),
        window=ReportWindow(start=T0),
        payloads=(
            SpecifierPayload(
                r_id="portfolio", reading_type="Mean", item=ItemBase.power_real("none")
            ),
            SpecifierPayload(r_id="status", reading_type="x-notApplicable"),
        ),
    ),
)
METADATA = Report(
    report_request_id="0",
    report_specifier_id="usage",
    name="METADATA_TELEMETRY_USAGE",
    report_id="r-0",
    created_at=T0,
    duration=minutes(120),
    descriptions=(
        ReportDescription(
            r_id="portfolio",
            report_type="usage",
            reading_type="Mean",
            item=ItemBase.power_real("k"),
            subject=Target(ven_ids=("ven-1",)),
            data_source=Target(resource_ids=("depot-1",)),
            market_context="http://utility.example/program/depots",
            sampling_rate=SamplingRate(min_period=minutes(1), max_period=minutes(15)),
        ),
        ReportDescription(
            r_id="energy",
            report_type="usage",
            reading_type="Direct Read",
            item=ItemBase.energy_real("k"),
        ),
        ReportDescription(
            r_id="pulses",
            report_type="reading",
            reading_type="Direct Read",
            item=ItemBase.pulse_count(0.01),
        ),
        ReportDescription(
            r_id="mood",
            report_type="x-mood",
            reading_type="x-notApplicable",
            item=ItemBase(kind="customUnit", units="smiles", description="mood of drivers"),
        ),
        ReportDescription(r_id="gb", report_type="usage", reading_type="Net", green_button=FEED),
    ),
)
DATA = Report(
    report_request_id="rr-1",
    report_specifier_id="usage",
    name="TELEMETRY_USAGE",
    created_at=T0,
    start=T0,
    duration=minutes(2),
    intervals=(
        ReportInterval(
            start=T0,
            duration=minutes(1),
            uid="0",
            payloads=(
                ReportPayload(
                    r_id="portfolio",
                    value=250.25,
                    confidence=95,
                    accuracy=0.5,
                    data_quality="Quality Good - Non Specific",
                ),
                ReportPayload(
                    r_id="status",
                    value=ResourceStatus(
                        online=True,
                        manual_override=False,
                        load_control_state=LoadControlState(
                            capacity=LoadControlValue(
                                minimum=0.0, maximum=1.0, current=0.5, normal=1.0
                            ),
                            level_offset=LoadControlValue(current=0.0),
                            percent_offset=LoadControlValue(current=-10.0),
                            set_point=LoadControlValue(current=42.5),
                        ),
                    ),
                ),
            ),
        ),
        ReportInterval(start=T0 + minutes(1), payloads=(ReportPayload(r_id="energy", value=-1.0),)),
        ReportInterval(uid="2", green_button=(FEED,)),
    ),
)
CANCEL = CancelReport(request_id="q7", report_request_ids=("rr-1", "rr-2"), to_follow=True)

SAMPLES: tuple[Payload, ...] = (
    Response(response=OK, ven_id="ven-1"),
    Poll(ven_id="ven-1"),
    QueryRegistration(request_id="q1"),
    CreatePartyRegistration(
        request_id="q2",
        registration_id="reg-1",
        ven_id="ven-1",
        transport_address="https://ven.example:8443",
        ven_name="Gridyard & sons",
    ),
    CreatedPartyRegistration(
        response=OK,
        registration_id="reg-1",
        ven_id="ven-1",
        vtn_id="VTN-1",
        poll_frequency=timedelta(seconds=10),
        services=(ServiceInfo(service="EiEvent", infos=(Info(key="max", value="10"),)),),
        extensions=(Extension(name="x-more", infos=(Info(key="k", value="v"),)),),
    ),
    CancelPartyRegistration(request_id="q3", registration_id="reg-1", ven_id="ven-1"),
    CanceledPartyRegistration(response=OK, registration_id="reg-1", ven_id="ven-1"),
    RequestReregistration(ven_id="ven-1"),
    DistributeEvent(request_id="d1", vtn_id="VTN-1", response=OK, events=(EVENT,)),
    RequestEvent(request_id="q4", ven_id="ven-1", reply_limit=3),
    CreatedEvent(
        ven_id="ven-1",
        response=OK,
        event_responses=(
            EventResponse(
                request_id="d1", event_id="2026.10", modification_number=2, opt_type=OptType.IN
            ),
            EventResponse(
                code=462,
                description="not my depot",
                request_id="d1",
                event_id="007",
                modification_number=0,
                opt_type=OptType.OUT,
            ),
        ),
    ),
    RegisterReport(request_id="q5", reports=(METADATA,), ven_id="ven-1", report_request_id="0"),
    RegisteredReport(response=OK, requests=(USAGE,), ven_id="ven-1"),
    CreateReport(request_id="q6", requests=(USAGE,), ven_id="ven-1"),
    CreatedReport(response=OK, pending=("rr-1", "rr-2"), ven_id="ven-1"),
    UpdateReport(request_id="q8", reports=(DATA,), ven_id="ven-1"),
    UpdatedReport(response=OK, cancel=CANCEL, ven_id="ven-1"),
    CreateOpt(
        request_id="q9",
        opt_id="opt-1",
        opt_type=OptType.OUT,
        reason="x-schedule",
        ven_id="ven-1",
        created_at=T0,
        market_context="http://utility.example/program/depots",
        availability=(
            Availability(start=T0, duration=minutes(90)),
            Availability(start=T0 + minutes(1440), duration=minutes(60)),
        ),
        event=QualifiedEventId(event_id="2026.10", modification_number=2),
        target=Target(resource_ids=("depot-1", "depot-2")),
        device_classes=("Electric_Vehicle",),
    ),
    CreatedOpt(response=OK, opt_id="opt-1"),
    CancelOpt(request_id="q10", opt_id="opt-1", ven_id="ven-1"),
    CanceledOpt(response=OK, opt_id="opt-1"),
    CANCEL,
    CanceledReport(response=OK, pending=("rr-2",), ven_id="ven-1"),
)


@pytest.fixture(params=SAMPLES, ids=lambda payload: type(payload).__name__)
def sample(request: pytest.FixtureRequest) -> Payload:
    payload: Payload = request.param
    return payload


@pytest.fixture
def samples() -> dict[str, Payload]:
    """Every sample by the name of its class."""
    return {type(payload).__name__: payload for payload in SAMPLES}
