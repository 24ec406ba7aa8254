"""How the codec reads what other implementations send."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from contracts.errors import ProtocolError
from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import (
    CreatedEvent,
    DistributeEvent,
    OadrEvent,
    Payload,
    Poll,
    RejectedEvent,
    ResponseRequired,
)
from contracts.openadr.xml import vocabulary


@pytest.fixture
def batch(samples: dict[str, Payload]) -> bytes:
    return encode(samples["DistributeEvent"])


def events_of(data: bytes) -> DistributeEvent:
    payload = decode(data)
    assert isinstance(payload, DistributeEvent)
    return payload


def event_of(data: bytes) -> OadrEvent:
    (event,) = events_of(data).events
    return event


def two(batch: bytes, **replaced: bytes) -> bytes:
    """A batch of two events, the second one with a part replaced and the id `bad`."""
    start = batch.index(b"<oadr:oadrEvent>")
    end = batch.index(b"</oadr:oadrEvent>") + len(b"</oadr:oadrEvent>")
    bad = batch[start:end].replace(b"2026.10", b"bad")
    old, new = replaced["old"], replaced["new"]
    assert old in bad
    return batch[:end] + bad.replace(old, new) + batch[end:]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"-120.0", b"lots", "could not convert"),
        (b"-120.0", b"NaN", "not a finite number"),
        (b">far<", b">soon<", "'soon' is not a valid EventStatus"),
        (b">PT15M<", b">a while<", "not a duration"),
        (b">PT15M<", b">-PT15M<", "negative"),
        (b">PT15M<", b">P9999999D<", "year 9999"),
        (b">k<", b">K<", "siScaleCode"),
        (b"ei:createdDateTime", b"ei:x", "x is no element of 2.0b"),
        (b"<ei:eventStatus>far</ei:eventStatus>", b"", "ei:eventStatus is missing"),
        (b">always<", b">maybe<", "not a valid ResponseRequired"),
    ],
)
def test_a_bad_event_does_not_spoil_the_batch(
    batch: bytes, old: bytes, new: bytes, reason: str
) -> None:
    payload = events_of(two(batch, old=old, new=new))
    assert [event.event_id for event in payload.events] == ["2026.10"]
    (rejected,) = payload.rejected
    assert (rejected.event_id, rejected.modification_number) == ("bad", 2)
    assert reason in rejected.reason


def test_an_interval_with_two_values_is_a_fault_of_its_event(batch: bytes) -> None:
    end = b"</ei:signalPayload>"
    one = batch[batch.index(b"<ei:signalPayload>") : batch.index(end) + len(end)]
    (rejected,) = events_of(batch.replace(one, one * 2)).rejected
    assert rejected.reason == "interval: 2 values instead of one"


def test_a_bad_event_that_wants_no_answer_says_so(batch: bytes) -> None:
    bad = batch.replace(b">always<", b">never<").replace(b"-120.0", b"x")
    assert events_of(bad).rejected == (
        RejectedEvent(
            event_id="2026.10",
            modification_number=2,
            response_required=ResponseRequired.NEVER,
            reason=events_of(bad).rejected[0].reason,
        ),
    )


def test_an_event_without_identity_spoils_the_message(batch: bytes) -> None:
    with pytest.raises(ProtocolError, match="modificationNumber"):
        decode(batch.replace(b"modificationNumber>2<", b"modificationNumber>-2<"))


@pytest.mark.parametrize("identifier", ["007", "1.2.3", "true", "2026.10", " padded ", "1e5"])
def test_identifiers_stay_as_they_are(samples: dict[str, Payload], identifier: str) -> None:
    data = encode(samples["CreatedEvent"]).replace(b">007<", f">{identifier}<".encode())
    payload = decode(data)
    assert isinstance(payload, CreatedEvent)
    assert payload.event_responses[1].event_id == identifier


@pytest.mark.parametrize(
    ("sent", "test"),
    [("false", False), ("False", False), ("", False), ("true", True), ("x", True), ("0", True)],
)
def test_any_word_but_false_is_a_test(batch: bytes, sent: str, test: bool) -> None:
    data = batch.replace(b"testEvent>false<", f"testEvent>{sent}<".encode())
    assert event_of(data).descriptor.is_test is test


def test_unknown_elements_and_attributes_are_ignored() -> None:
    plain = encode(Poll(ven_id="ven-1"))
    extra = plain.replace(
        b"<ei:venID>", b'<future xmlns="urn:x" a="1"><deep/></future><ei:venID oadr:new="1">'
    )
    assert extra != plain
    assert decode(extra) == decode(plain)


def test_an_unqualified_schema_version_is_tolerated() -> None:
    plain = encode(Poll(ven_id="ven-1"))
    assert decode(plain.replace(b"ei:schemaVersion", b"schemaVersion")) == decode(plain)


def test_a_target_we_do_not_speak_is_not_everyone(batch: bytes) -> None:
    start, end = batch.rindex(b"<ei:eiTarget>"), batch.rindex(b"</ei:eiTarget>")
    planet = b'<planet xmlns="urn:x">earth</planet>'
    target = event_of(batch[:start] + b"<ei:eiTarget>" + planet + batch[end:]).target
    assert target.other_kinds == ("planet",)
    assert not target.everyone


def test_a_duration_of_zero_is_open_ended(batch: bytes) -> None:
    assert event_of(batch.replace(b">PT15M<", b">PT0S<")).active_period.window.end is None


def test_a_unit_of_unknown_kind_is_a_fault_of_its_event(batch: bytes) -> None:
    (rejected,) = events_of(batch.replace(b"powerReal", b"powerUnreal")).rejected
    assert "powerUnreal is no element of 2.0b" in rejected.reason
    foreign = batch.replace(b"<power:powerReal>", b'<x:u xmlns:x="urn:x">')
    item = event_of(foreign.replace(b"</power:powerReal>", b"</x:u>")).signals[0].item
    assert item is None


def test_a_known_name_in_the_wrong_namespace_is_not_overlooked(
    batch: bytes, samples: dict[str, Payload]
) -> None:
    start, end = batch.rindex(b"<ei:eiTarget>"), batch.rindex(b"</ei:eiEvent>")
    lost = batch[start:end].replace(b"ei:eiTarget>", b"oadr:eiTarget>")
    (rejected,) = events_of(batch[:start] + lost + batch[end:]).rejected
    assert "eiTarget is no element of 2.0b, in eiEvent" in rejected.reason
    answer = encode(samples["CreatedEvent"]).replace(b"ei:eventResponse>", b"oadr:eventResponse>")
    with pytest.raises(ProtocolError, match=r"eventResponse is no element of 2.0b"):
        decode(answer)


def test_the_vocabulary_is_the_schemas() -> None:
    spec = find_spec("openleadr")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    listed = set()
    for file in (Path(spec.submodule_search_locations[0]) / "schema").glob("*.xsd"):
        root = etree.parse(str(file)).getroot()
        for element in root.iter("{http://www.w3.org/2001/XMLSchema}element"):
            if element.get("name") and element.get("abstract") != "true":
                listed.add(f"{{{root.get('targetNamespace')}}}{element.get('name')}")
    assert {tag for tag in listed if tag.startswith(vocabulary._OURS)} == vocabulary._TAGS


def test_spaces_around_numbers_and_words_do_not_matter(batch: bytes) -> None:
    loose = batch.replace(b">-120.0<", b">\n -120.0 <").replace(b">far<", b"> far\n<")
    assert events_of(loose) == events_of(batch)
