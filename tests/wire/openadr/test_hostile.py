"""What an enemy or a broken peer may send ends in a ProtocolError that says why."""

from __future__ import annotations

import copy
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.errors import ProtocolError
from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import Payload, Poll, QueryRegistration

POLL = encode(Poll(ven_id="ven-1"))
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)


def with_doctype(doctype: bytes, ven_id: bytes) -> bytes:
    return doctype + POLL.partition(b"?>")[2].replace(b"ven-1", ven_id)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "not XML", id="empty"),
        pytest.param(b"\x16\x03\x01\x02\x00", "not XML", id="binary"),
        pytest.param(b"hello", "not XML", id="text"),
        pytest.param(b'{"ven_id": "x"}', "not XML", id="json"),
        pytest.param(POLL[:-20], "not XML", id="truncated"),
        pytest.param(POLL + b"<more/>", "not XML", id="two roots"),
        pytest.param(b" " * (1 << 20) + POLL, "limit", id="too large"),
        pytest.param(with_doctype(BOMB, b"&a11;"), "DOCTYPE", id="entity bomb"),
        pytest.param(
            with_doctype(b'<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]>', b"&x;"),
            "DOCTYPE",
            id="external entity",
        ),
        pytest.param(
            with_doctype(b'<!DOCTYPE b SYSTEM "http://127.0.0.1:9/x.dtd">', b"v"),
            "DOCTYPE",
            id="external DTD",
        ),
        pytest.param(with_doctype(b"", b"&undefined;"), "not XML", id="undefined entity"),
        pytest.param(
            with_doctype(BOMB, b"&a11;").decode().encode("utf-16"), "UTF-8", id="bomb in UTF-16"
        ),
        pytest.param(
            POLL.replace(b"UTF-8", b"UTF-7"), "only UTF-8", id="declared as another encoding"
        ),
        pytest.param(POLL.replace(b"ven-1", b"v\xe9n"), "not UTF-8", id="latin-1 bytes"),
        pytest.param(b"<a>" * 200 + b"</a>" * 200, "deeper", id="deep"),
        pytest.param(b"<a>" * 100_000, "not XML", id="deep and unclosed"),
        pytest.param(b"<a>" * 5_000 + b"</a>" * 5_000, "not XML", id="deeper than the parser"),
        pytest.param(b"<a/>", "not oadrPayload", id="other document"),
        pytest.param(
            POLL.replace(b"oadrPoll", b"oadrPull"), "unknown message 'oadrPull'", id="message"
        ),
        pytest.param(
            POLL.replace(b"oadrSignedObject", b"oadrObject"), "is missing", id="no signed object"
        ),
        pytest.param(
            POLL.replace(b"http://openadr.org/oadr-2.0b/2012/07", b"http://openadr.org/oadr-2.0a"),
            "not oadrPayload",
            id="2.0a",
        ),
        pytest.param(
            POLL.replace(b"<ei:venID>ven-1</ei:venID>", b""), "ei:venID is missing", id="no venID"
        ),
        pytest.param(POLL.replace(b"venID", b"vanID"), "no element of 2.0b", id="vanID"),
        pytest.param(
            POLL.replace(b"UTF-8", b"UTF-16"), "only UTF-8", id="declared as UTF-16 but is not"
        ),
        pytest.param(POLL.decode().encode("utf-16-le"), "not", id="UTF-16 without a mark"),
        pytest.param(POLL.decode().encode("utf-32"), "not", id="UTF-32"),
        pytest.param(POLL.replace(b"<", b"+ADw-"), "not XML", id="UTF-7"),
        pytest.param(b"\xef\xbb\xbf" * 2 + POLL, "not XML", id="two marks"),
        pytest.param(b"\xff\xfe" + POLL, "not UTF-8", id="mark of UTF-16 before UTF-8"),
        pytest.param(
            POLL.replace(b"?>", b" encoding='EBCDIC-CP-US'?>", 1), "not XML", id="two encodings"
        ),
        pytest.param(POLL.replace(b"ven-1", b"\x00"), "not XML", id="NUL"),
        pytest.param(POLL.replace(b"ven-1", b"&#0;"), "not XML", id="NUL by number"),
        pytest.param(
            POLL.replace(b"<ei:venID>", b"<ei:venID " + b"a='1' " * 2 + b">"),
            "not XML",
            id="attribute twice",
        ),
    ],
)
def test_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    start = time.process_time()
    with pytest.raises(ProtocolError, match=reason):
        decode(data)
    assert time.process_time() - start < 10.0


def test_a_byte_order_mark_of_utf_8_is_fine() -> None:
    assert decode(b"\xef\xbb\xbf" + POLL) == Poll(ven_id="ven-1")


@pytest.mark.parametrize("filling", [b" ", b"<a/>", b"\xff"])
def test_fifty_megabytes_are_refused_unread(filling: bytes) -> None:
    huge = filling * (50_000_000 // len(filling))
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="the limit is"):
            decode(huge)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(b"<ei:reportRequestID>1</ei:reportRequestID>", id="a known child"),
        pytest.param(b"<x xmlns='urn:x'/>", id="a foreign child"),
        pytest.param(b"<ei:venID>v</ei:venID>", id="venIDs"),
    ],
)
def test_a_megabyte_of_children_does_not_hang(inner: bytes) -> None:
    start = time.process_time()
    with suppress(ProtocolError):
        decode(POLL.replace(b"<ei:venID>", inner * (1_000_000 // len(inner)) + b"<ei:venID>"))
    assert time.process_time() - start < 10.0


def test_a_number_as_long_as_the_message_is_refused(samples: dict[str, Payload]) -> None:
    data = encode(samples["UpdateReport"]).replace(b">250.25<", b">" + b"9" * 900_000 + b"<")
    with pytest.raises(ProtocolError, match="not a number"):
        decode(data)


def test_a_feed_without_a_canonical_form_is_refused(samples: dict[str, Payload]) -> None:
    data = encode(samples["UpdateReport"]).replace(b"<id>", b"<id xmlns:z='relative'>")
    with pytest.raises(ProtocolError, match="canonical"):
        decode(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_protocol_error(data: bytes) -> None:
    with suppress(ProtocolError):
        decode(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it is constant
@given(st.data())
def test_moved_doubled_and_lost_elements_never_escape_as_anything_else(
    samples: dict[str, Payload], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(samples)))
    root = etree.fromstring(encode(samples[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        every = list(root.iter())[1:]
        if not every:
            break
        one, other = data.draw(st.sampled_from(every)), data.draw(st.sampled_from(every))
        match data.draw(st.sampled_from(("copy", "drop", "text", "empty"))):
            case "copy":
                other.append(copy.deepcopy(one))
            case "drop":
                parent = one.getparent()
                assert parent is not None
                parent.remove(one)
            case "text":
                one.text = data.draw(st.text("-0123456789.:TZPx ", max_size=20))
            case _:
                one.clear()
    with suppress(ProtocolError):
        decode(etree.tostring(root))


def test_two_messages_in_one_envelope_are_refused() -> None:
    one = encode(QueryRegistration(request_id="1"))
    inner = one[one.index(b"<oadr:oadrQuery") : one.index(b"</oadr:oadrSigned")]
    with pytest.raises(ProtocolError, match="2 messages instead of one"):
        decode(one.replace(inner, inner * 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it is constant
@given(st.data())
def test_damage_never_escapes_as_anything_else(
    samples: dict[str, Payload], data: st.DataObject
) -> None:
    whole = encode(data.draw(st.sampled_from([samples[name] for name in sorted(samples)])))
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 40))
    noise = data.draw(st.binary(max_size=8))
    with suppress(ProtocolError):
        decode(whole[:at] + noise + whole[at + cut :])


def test_entities_of_xml_itself_and_comments_are_fine() -> None:
    data = POLL.replace(b"ven-1", b"A&amp;B<!-- c -->&#233;<?pi x?><![CDATA[<]]>")
    assert decode(data) == Poll(ven_id="A&Bé<")
