"""Third parties' habits, one by one: read by a named tolerance, told, and refused when not allowed.

The bytes are our own; the habits were seen in recorded messages of other VTNs and VENs.
"""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from contracts.errors import ProtocolError
from contracts.openadr.codec import encode, receive
from contracts.openadr.payloads import DistributeEvent, Payload
from contracts.openadr.tolerance import EVERY_TOLERANCE, Tolerance

CREATED = b"createdDateTime>2026-01-05T12:00:00"
HABITS = [
    pytest.param(">SIMPLE<", ">simple<", Tolerance.LOWER_CASE_SIMPLE, id="simple"),
    pytest.param("testEvent>false<", "testEvent><", Tolerance.EMPTY_TEST_EVENT, id="test"),
    pytest.param(
        "12:00:00Z</ei:created", "12:00:00</ei:created", Tolerance.ZONELESS_INSTANT, id="zone"
    ),
    pytest.param(
        "12:00:00Z</ei:created", "14:00:00+02:00</ei:created", Tolerance.OFFSET_INSTANT, id="offset"
    ),
    pytest.param(
        "12:00:00Z</ei:created",
        "12:00:00.0000001Z</ei:created",
        Tolerance.LONG_FRACTION,
        id="digits",
    ),
    pytest.param(
        'ei:schemaVersion="2.0b"',
        'schemaVersion="2.0b"',
        Tolerance.FOREIGN_SCHEMA_VERSION,
        id="version",
    ),
    pytest.param(
        'ei:schemaVersion="2.0b"',
        'ei:schemaVersion="2.0a"',
        Tolerance.FOREIGN_SCHEMA_VERSION,
        id="2.0a",
    ),
    pytest.param("<pyld:requestID>007</pyld:requestID>", "", Tolerance.NO_REQUEST_ID, id="request"),
]


@pytest.fixture
def batch(samples: dict[str, Payload]) -> str:
    return encode(samples["DistributeEvent"]).decode()


@pytest.mark.parametrize(("sent", "seen", "tolerance"), HABITS)
def test_a_habit_is_read_told_and_logged_once(
    batch: str, samples: dict[str, Payload], sent: str, seen: str, tolerance: Tolerance
) -> None:
    assert sent in batch
    with capture_logs() as logs:
        got = receive(batch.replace(sent, seen).encode())
    assert got.tolerances == {tolerance}
    assert [entry["tolerance"] for entry in logs] == [tolerance.value]
    assert isinstance(got.payload, DistributeEvent)
    assert not got.payload.rejected
    expected = samples["DistributeEvent"]
    assert isinstance(expected, DistributeEvent)
    if tolerance not in (Tolerance.EMPTY_TEST_EVENT, Tolerance.NO_REQUEST_ID):
        assert got.payload == expected
    assert got.payload.events[0].descriptor.is_test is False


@pytest.mark.parametrize(("sent", "seen", "tolerance"), HABITS)
def test_a_habit_that_is_not_allowed_is_refused(
    batch: str, sent: str, seen: str, tolerance: Tolerance
) -> None:
    data = batch.replace(sent, seen).encode()
    allowed = EVERY_TOLERANCE - {tolerance}
    if tolerance in (Tolerance.FOREIGN_SCHEMA_VERSION, Tolerance.NO_REQUEST_ID):
        with pytest.raises(ProtocolError, match=tolerance.value):
            receive(data, allowed=allowed)
        return
    payload = receive(data, allowed=allowed).payload
    assert isinstance(payload, DistributeEvent)
    (rejected,) = payload.rejected
    assert tolerance.value in rejected.reason


def test_a_message_by_the_book_needs_no_tolerance(sample: Payload) -> None:
    assert receive(encode(sample), allowed=frozenset()).payload == sample


@pytest.mark.parametrize(
    ("text", "tolerance"), [("P1W", "loose_duration"), ("P1M", "nominal_calendar")]
)
def test_odd_durations_are_told(batch: str, text: str, tolerance: str) -> None:
    assert receive(batch.replace(">PT30M<", f">{text}<").encode()).tolerances == {tolerance}


def test_one_message_does_not_see_anothers_tolerances(batch: str) -> None:
    receive(batch.replace(">SIMPLE<", ">simple<").encode())
    assert receive(batch.encode()).tolerances == frozenset()


def test_an_event_without_a_target_is_for_everyone(batch: str) -> None:
    start, end = batch.rindex("<ei:eiTarget>"), batch.rindex("</ei:eiEvent>")
    got = receive((batch[:start] + batch[end:]).encode())
    assert got.tolerances == {Tolerance.NO_TARGET}
    assert isinstance(got.payload, DistributeEvent)
    assert got.payload.events[0].target.everyone


@pytest.mark.parametrize(
    ("name", "sent", "seen", "reason"),
    [
        ("RegisterReport", ">Wh<", ">kWh<", "'kWh' is no unit of power:energyReal"),
        ("RegisterReport", ">METADATA_TELEMETRY_USAGE<", ">MEDATA_DATA<", "no ReportName"),
        ("RegisterReport", ">usage<", "><", "no ReportType"),
        ("CreatedPartyRegistration", ">PT10S<", ">PTS<", "not a duration"),
        ("CreateReport", "ei:specifierPayload", "x:y", "no ei:specifierPayload"),
        ("CreateOpt", ">x-schedule<", ">because<", "no OptReason"),
        ("CreateOpt", ">optOut<", ">optAround<", "OptType"),
        ("CreateOpt", ">PT1H30M<", ">-PT1H30M<", "negative"),
        ("CreateOpt", "power:endDeviceAsset>", "power:meterAsset>", "only endDeviceAsset"),
        ("UpdateReport", ">95<", ">101<", "not a percentage"),
        ("UpdateReport", ">Quality Good - Non Specific<", ">fine<", "no DataQuality"),
    ],
)
def test_what_has_no_safe_meaning_is_refused(
    samples: dict[str, Payload], name: str, sent: str, seen: str, reason: str
) -> None:
    text = encode(samples[name]).decode()
    assert sent in text
    data = text.replace(sent, seen).replace(
        "<oadr:oadrPayload ", '<oadr:oadrPayload xmlns:x="urn:x" '
    )
    with pytest.raises(ProtocolError, match=reason):
        receive(data.encode())
