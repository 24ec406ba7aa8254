"""What an enemy or a broken peer may send ends in a ProtocolError that says why."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
        pytest.param(POLL.replace(b"venID", b"vanID"), "ei:venID is missing", id="no venID"),
    ],
)
def test_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ProtocolError, match=reason):
        decode(data)
    assert time.perf_counter() - start < 2.0


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
