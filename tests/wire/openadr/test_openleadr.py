"""An independent implementation reads what we write, and we read what it writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openleadr import messaging, objects

from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import (
    CancelOpt,
    CreatedEvent,
    CreatedPartyRegistration,
    CreateOpt,
    CreatePartyRegistration,
    CreateReport,
    DistributeEvent,
    OptType,
    Payload,
    Poll,
    QueryRegistration,
    RegisterReport,
    Response,
    UpdateReport,
)

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
create_message: Any = messaging.create_message
parse_message: Any = messaging.parse_message
validate_xml_schema: Any = messaging.validate_xml_schema
ItsDescription: Any = objects.ReportDescription  # its hints are stricter than its code
ItsActivePeriod: Any = objects.ActivePeriod
RESPONSE = {"response_code": 200, "response_description": "OK", "request_id": "q1"}


def read(kind: str, **content: Any) -> Payload:
    """What we read of a message that openleadr makes."""
    return decode(create_message(kind, **content).encode())


# --- it reads ours -----------------------------------------------------------------------------


def test_it_accepts_and_names_every_message(sample: Payload) -> None:
    data = encode(sample)
    validate_xml_schema(data)
    assert parse_message(data)[0] == f"oadr{type(sample).__name__}"


def test_it_reads_our_registration(samples: dict[str, Payload]) -> None:
    _, content = parse_message(encode(samples["CreatePartyRegistration"]))
    assert content["ven_name"] == "Gridyard & sons"
    assert (content["registration_id"], content["ven_id"]) == ("reg-1", "ven-1")
    assert content["http_pull_model"] is True
    _, content = parse_message(encode(samples["CreatedPartyRegistration"]))
    assert content["requested_oadr_poll_freq"] == timedelta(seconds=10)
    assert content["response"]["response_code"] == 200


def test_it_reads_our_events(samples: dict[str, Payload]) -> None:
    batch = samples["DistributeEvent"]
    assert isinstance(batch, DistributeEvent)
    (event,) = batch.events
    plain = replace(event, baseline=None)  # it trips over baselines
    _, content = parse_message(encode(replace(batch, events=(plain,))))
    (event,) = content["events"]
    assert event["active_period"]["dtstart"] == T0 + 60 * MINUTE
    assert event["active_period"]["tolerance"] == {"tolerate": {"startafter": 2 * MINUTE}}
    assert event["event_descriptor"]["vtn_comment"] == 'A & B <x> "quoted" é'
    assert event["event_descriptor"]["test_event"] is False
    dispatch = event["event_signals"][0]
    assert [i["signal_payload"] for i in dispatch["intervals"]] == [-120.0, -80.5]
    assert dispatch["measurement"]["scale"] == "k"
    assert event["targets_by_type"]["resource_id"] == ["depot-1", "depot-2"]


def test_it_reads_our_reports(samples: dict[str, Payload]) -> None:
    _, content = parse_message(encode(samples["UpdateReport"]))
    (report,) = content["reports"]
    assert report["intervals"][1]["report_payload"] == {"r_id": "energy", "value": -1.0}
    _, content = parse_message(encode(samples["CreateReport"]))
    specifier = content["report_requests"][0]["report_specifier"]
    assert (specifier["granularity"], specifier["report_back_duration"]) == (MINUTE, 5 * MINUTE)


# --- we read its -------------------------------------------------------------------------------


def test_we_read_its_registration() -> None:
    assert read("oadrQueryRegistration", request_id="q1") == QueryRegistration(request_id="q1")
    created = read(
        "oadrCreatedPartyRegistration",
        response=RESPONSE,
        vtn_id="VTN-1",
        profiles=[
            {"profile_name": "2.0b", "transports": [{"transport_name": "simpleHttp"}]},
        ],
        requested_oadr_poll_freq=timedelta(seconds=90),
    )
    assert isinstance(created, CreatedPartyRegistration)
    assert created.response.ok
    assert created.poll_frequency == timedelta(seconds=90)
    assert not created.ven_id
    assert created.profiles[0].transports == ("simpleHttp",)


def test_we_read_its_ven_registration() -> None:
    create = read(
        "oadrCreatePartyRegistration",
        request_id="q1",
        ven_name="depot",
        profile_name="2.0b",
        transport_name="simpleHttp",
        transport_address="",
        report_only=False,
        xml_signature=False,
        http_pull_model=True,
    )
    assert isinstance(create, CreatePartyRegistration)
    assert (create.ven_name, create.http_pull_model) == ("depot", True)
    assert not create.registration_id


def test_we_read_its_poll_and_response() -> None:
    assert read("oadrPoll", ven_id="007") == Poll(ven_id="007")
    response = read("oadrResponse", response=RESPONSE, ven_id="v")
    assert isinstance(response, Response)
    assert (response.response.request_id, response.ven_id) == ("q1", "v")


def test_we_read_its_events() -> None:
    event = objects.Event(
        event_descriptor=objects.EventDescriptor(
            event_id="1.2.3",
            modification_number=4,
            market_context="http://market",
            event_status="near",
            created_date_time=T0,
            priority=2,
            test_event=True,
        ),
        event_signals=[
            objects.EventSignal(
                intervals=[objects.Interval(dtstart=T0, duration=MINUTE, signal_payload=-3.5)],
                signal_name="LOAD_DISPATCH",
                signal_type="setpoint",
                signal_id="s",
                measurement=objects.Measurement(
                    name="powerReal",
                    description="RealPower",
                    unit="W",
                    scale="k",
                    power_attributes=objects.PowerAttributes(),
                ),
            )
        ],
        active_period=ItsActivePeriod(
            dtstart=T0, duration=MINUTE, ramp_up_period=5 * MINUTE, tolerance={"tolerate": {}}
        ),
        targets=[objects.Target(ven_id="007"), objects.Target(group_id="west")],
    )
    batch = read(
        "oadrDistributeEvent", request_id="d", vtn_id="vtn", response=RESPONSE, events=[event]
    )
    assert isinstance(batch, DistributeEvent)
    (got,) = batch.events
    assert (got.event_id, got.descriptor.modification_number) == ("1.2.3", 4)
    assert got.descriptor.is_test
    assert got.target.ven_ids == ("007",)
    assert got.active_period.duration == MINUTE
    (signal,) = got.signals
    assert [(i.uid, i.value) for i in signal.intervals] == [("0", -3.5)]
    assert signal.item is not None
    assert (signal.item.units, signal.item.si_scale_code) == ("W", "k")


def test_we_read_its_answers_to_events() -> None:
    created = read(
        "oadrCreatedEvent",
        response=RESPONSE,
        ven_id="v",
        event_responses=[
            {
                **RESPONSE,
                "event_id": "2026.10",
                "modification_number": 1,
                "opt_type": "optOut",
            }
        ],
    )
    assert isinstance(created, CreatedEvent)
    assert created.event_responses[0].opt_type is OptType.OUT
    assert created.event_responses[0].event_id == "2026.10"


def test_we_read_its_report_metadata_and_data() -> None:
    metadata = objects.Report(
        report_specifier_id="spec",
        report_name="METADATA_TELEMETRY_USAGE",
        created_date_time=T0,
        report_descriptions=[
            ItsDescription(
                r_id="r1",
                market_context="http://market",
                reading_type="Direct Read",
                report_subject=None,
                report_data_source=objects.Target(resource_id="depot"),
                report_type="usage",
                sampling_rate=objects.SamplingRate(min_period=MINUTE, max_period=MINUTE),
            )
        ],
    )
    registered = read("oadrRegisterReport", request_id="q", ven_id="v", reports=[metadata])
    assert isinstance(registered, RegisterReport)
    (description,) = registered.reports[0].descriptions
    assert description.r_id == "r1"
    assert description.sampling_rate is not None
    assert description.sampling_rate.min_period == MINUTE
    data = objects.Report(
        report_specifier_id="spec",
        report_name="TELEMETRY_USAGE",
        report_request_id="rr",
        created_date_time=T0,
        intervals=[
            objects.ReportInterval(
                dtstart=T0, report_payload=objects.ReportPayload(r_id="r1", value=12.5)
            )
        ],
    )
    update = read("oadrUpdateReport", request_id="q", ven_id="v", reports=[data])
    assert isinstance(update, UpdateReport)
    (interval,) = update.reports[0].intervals
    assert (interval.start, interval.payloads[0].value) == (T0, 12.5)


@pytest.mark.parametrize("granularity", [MINUTE, timedelta(0)])
def test_we_read_its_report_requests(granularity: timedelta) -> None:
    created = read(
        "oadrCreateReport",
        request_id="q",
        ven_id="v",
        report_requests=[
            {
                "report_request_id": "rr",
                "report_specifier": {
                    "report_specifier_id": "spec",
                    "granularity": granularity,
                    "report_back_duration": MINUTE,
                    "report_interval": {"dtstart": T0, "duration": timedelta(0)},
                    "specifier_payloads": [{"r_id": "r1", "reading_type": "Direct Read"}],
                },
            }
        ],
    )
    assert isinstance(created, CreateReport)
    specifier = created.requests[0].specifier
    assert specifier.granularity == granularity
    assert specifier.window is not None
    assert specifier.window.duration == timedelta(0)


def test_we_read_its_opts() -> None:
    create = read(
        "oadrCreateOpt",
        request_id="q",
        opt_id="007",
        opt_type="optOut",
        opt_reason="x-schedule",
        ven_id="v",
        vavailability=objects.Vavailability(
            components=[
                objects.VavailabilityComponent(dtstart=T0, duration=n * MINUTE) for n in (5, 10)
            ]
        ),
        created_date_time=T0,
        targets=[objects.Target(resource_id="depot")],
    )
    assert isinstance(create, CreateOpt)
    assert (create.opt_id, create.opt_type, create.reason) == ("007", OptType.OUT, "x-schedule")
    assert [a.duration for a in create.availability] == [5 * MINUTE, 10 * MINUTE]
    assert create.target.resource_ids == ("depot",)
    cancel = read("oadrCancelOpt", request_id="q", opt_id="1.2.3", ven_id="v")
    assert cancel == CancelOpt(request_id="q", opt_id="1.2.3", ven_id="v")
