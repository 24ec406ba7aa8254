"""What an enemy or a broken peer may send ends in a ProtocolError that says why."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from contracts.sep2.codec import decode, encode
from contracts.sep2.dialect import CSIPAUS_V1_2, Dialect
from contracts.sep2.resources import MirrorReadingSet, Notification
from contracts.sep2.xml.document import MAX_BYTES
from support.sep2_samples import CONTROLS, TIME
from support.sep2_samples_more import NOTIFICATION, SAMPLES

NS = b'xmlns="urn:ieee:std:2030.5:ns"'
CLOCK = encode(TIME)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)


def with_doctype(doctype: bytes, quality: bytes) -> bytes:
    return doctype + CLOCK.partition(b"?>")[2].replace(b">4<", b">" + quality + b"<")


def clock(current: bytes) -> bytes:
    return b"<Time " + NS + b"><currentTime>" + current + b"</currentTime></Time>"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "not XML", id="empty"),
        pytest.param(b"\x16\x03\x01\x02\x00", "not XML", id="binary"),
        pytest.param(b"hello", "not XML", id="text"),
        pytest.param(b'{"time": 1}', "not XML", id="json"),
        pytest.param(b"\xff\xd8\xff\xe0", "not UTF-8", id="image"),
        pytest.param(CLOCK[:-20], "not XML", id="truncated"),
        pytest.param(CLOCK + b"<more/>", "not XML", id="two roots"),
        pytest.param(b" " * (50 << 20), "the limit is", id="50 MB"),
        pytest.param(b" " * MAX_BYTES + CLOCK, "the limit is", id="too large"),
        pytest.param(with_doctype(BOMB, b"&a11;"), "DOCTYPE", id="entity bomb"),
        pytest.param(
            with_doctype(b'<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]>', b"&x;"),
            "DOCTYPE",
            id="external entity",
        ),
        pytest.param(
            with_doctype(b'<!DOCTYPE b SYSTEM "http://127.0.0.1:9/x.dtd">', b"4"),
            "DOCTYPE",
            id="external DTD",
        ),
        pytest.param(with_doctype(b"", b"&undefined;"), "not XML", id="undefined entity"),
        pytest.param(
            with_doctype(BOMB, b"&a11;").decode().encode("utf-16"), "UTF-8", id="bomb in UTF-16"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE b+AD4-'
            + CLOCK.partition(b"?>")[2],
            "only UTF-8 is spoken",
            id="doctype in UTF-7",
        ),
        pytest.param(CLOCK.replace(b"gate", b"g\xe9te"), "not UTF-8", id="latin-1 bytes"),
        pytest.param(CLOCK.decode().encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(CLOCK.decode().encode("utf-32"), "not UTF-8", id="UTF-32"),
        pytest.param(b"<a>" * 200 + b"</a>" * 200, "deeper", id="deep"),
        pytest.param(b"<a>" * 100_000, "not XML", id="deep and unclosed"),
        pytest.param(b"<a>" * 5_000 + b"</a>" * 5_000, "not XML", id="deeper than the parser"),
        pytest.param(b"<Time/>", "no namespace", id="no namespace"),
        pytest.param(
            b'<Time xmlns="http://ieee.org/2030.5"/>', "before IEEE 2030.5-2018", id="2013"
        ),
        pytest.param(b'<Time xmlns="http://zigbee.org/sep"/>', "before IEEE", id="draft"),
        pytest.param(b'<Time xmlns="urn:x"/>', "unknown resource", id="other namespace"),
        pytest.param(b"<Teapot " + NS + b"/>", "unknown resource", id="other root"),
        pytest.param(b"<Event " + NS + b"/>", "unknown resource", id="abstract root"),
        pytest.param(b"<" + b"x" * 30_000 + b" " + NS + b"/>", "unknown resource", id="long name"),
        pytest.param(clock(b"NaN"), "currentTime: .*NaN", id="NaN"),
        pytest.param(clock(b"1e9"), "currentTime: ", id="float"),
        pytest.param(clock(b"1_0"), "not a number", id="underscore"),
        pytest.param(
            "<Time xmlns='urn:ieee:std:2030.5:ns'><currentTime>١٢</currentTime></Time>".encode(),
            "not a number",
            id="other digits",
        ),
        pytest.param(clock(b""), "currentTime: ", id="no number"),
        pytest.param(clock(b"9" * 100_000), "not a number", id="huge number"),
        pytest.param(clock(b"9223372036854775807"), "not a plausible", id="far future"),
        pytest.param(clock(b"-9223372036854775808"), "not a plausible", id="far past"),
        pytest.param(clock(b"1<b/>2"), "elements where a value", id="elements in a value"),
        pytest.param(
            clock(b"1</currentTime><currentTime>2"), "currentTime: given twice", id="two values"
        ),
        pytest.param(CLOCK.replace(b'"900"', b'"often"'), "@pollRate: ", id="bad attribute"),
        pytest.param(
            b"<DERList " + NS + b">" + b"<DER/>" * 10_001 + b"</DERList>",
            "10001 children",
            id="too many items",
        ),
        pytest.param(
            b"<EndDevice " + NS + b">" + b"<x/>" * 17 + b"</EndDevice>",
            "17 unknown elements",
            id="too many unknown elements",
        ),
    ],
)
def test_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    start = time.process_time()
    with pytest.raises(ProtocolError, match=reason) as error:
        decode(data)
    assert time.process_time() - start < 10.0
    assert len(str(error.value)) < 400


def test_nothing_outside_the_document_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    include = b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    data = CLOCK.replace(b"</Time>", include + b"</Time>")
    assert decode(data) == TIME


def test_a_limit_of_the_caller_holds() -> None:
    assert decode(CLOCK, max_bytes=len(CLOCK)) == TIME
    with pytest.raises(ProtocolError, match="the limit is"):
        decode(CLOCK, max_bytes=len(CLOCK) - 1)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert decode(b"\xef\xbb\xbf" + CLOCK) == TIME


def test_many_readings_cost_no_more_than_their_number() -> None:
    head = b"<MirrorReadingSet " + NS + b"><mRID>01</mRID><timePeriod><duration>1</duration>"
    data = head + b"<start>0</start></timePeriod>" + b"<Reading/>" * 9_990 + b"</MirrorReadingSet>"
    start = time.process_time()
    assert len(decode(data, MirrorReadingSet).readings) == 9_990
    assert time.process_time() - start < 10.0


def test_notifications_in_notifications_end() -> None:
    opening = (
        b'<Resource xsi:type="Notification"><subscribedResource>/</subscribedResource>'
        b"<subscriptionURI>/</subscriptionURI><status>0</status>"
    )
    data = encode(NOTIFICATION, Dialect(csipaus=CSIPAUS_V1_2))
    start, end = data.index(b"<Resource"), data.index(b"</Resource>")
    for depth, well in ((30, True), (60, False)):
        nested = data[:start] + opening * depth + b"</Resource>" * (depth - 1) + data[end:]
        if well:
            assert isinstance(decode(nested, Notification).resource, Notification)
        else:
            with pytest.raises(ProtocolError, match="deeper"):
                decode(nested)


ANY_SAMPLE = st.sampled_from([encode(s, Dialect(csipaus=CSIPAUS_V1_2)) for s in SAMPLES])
BYTES = st.binary(min_size=0, max_size=6)
MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@MANY
@given(ANY_SAMPLE, st.floats(0, 1), st.floats(0, 1), BYTES)
def test_no_damage_raises_anything_else(data: bytes, at: float, length: float, put: bytes) -> None:
    start = int(at * len(data))
    damaged = data[:start] + put + data[start + int(length**4 * len(data)) :]
    with suppress(ProtocolError):
        decode(damaged)


WORDS = st.sampled_from(
    ["", "-1", "NaN", "0x1F", "true", "1e400", "9" * 30, "\U0001f50c", "/", "ff"]
)


@MANY
@given(ANY_SAMPLE, st.integers(0, 200), WORDS)
def test_no_wrong_value_raises_anything_else(data: bytes, nth: int, word: str) -> None:
    head, *pieces = data.split(b"</")
    index = nth % len(pieces)
    before = [head, *pieces][index].rpartition(b">")[0]
    parts = [head, *pieces]
    parts[index] = before + b">" + word.encode()
    with suppress(ProtocolError):
        decode(b"</".join(parts))


@MANY
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(ProtocolError):
        decode(data)


def test_controls_survive_next_to_damage() -> None:
    data = encode(CONTROLS, Dialect(csipaus=CSIPAUS_V1_2))
    read = decode(data.replace(b"<duration>600<", b"<duration>6e2<", 1))
    assert len(getattr(read, "items", ())) == 1
