"""The token a person carries, and what is asked for it."""

import base64
import json

import pytest

from contracts.errors import PermanentError, ProtocolError
from contracts.site_link.enrolment import (
    MAX_BYTES,
    Request,
    Token,
    decode_request,
    encode_request,
)

TOKEN = Token(url="https://gateway.example:8446", site_id="depot-1", secret="s" * 43, ca="ab" * 32)
KEY = "U" + "A" * 55
REQUEST = Request(secret="s" * 43, csr="-----BEGIN CERTIFICATE REQUEST-----\n", user_key=KEY)


def test_a_token_survives_being_copied() -> None:
    assert Token.parse(f"  {TOKEN}\n") == TOKEN
    assert "s" * 43 not in repr(TOKEN)


def made(**parts: object) -> str:
    told = {"url": TOKEN.url, "site_id": "depot-1", "secret": TOKEN.secret, "ca": TOKEN.ca, **parts}
    return "gridyard-site-" + base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        str(TOKEN)[:-5],
        str(TOKEN)[20:],
        "gridyard-site-é",
        "gridyard-site-" + "W1tb" * 200,
        made(url="http://gateway.example"),
        made(url="https://user@gateway.example/path"),
        made(secret="short"),
        made(site_id="*"),
        "x" * 5000,
    ],
)
def test_what_is_no_whole_token_is_refused(text: str) -> None:
    with pytest.raises(PermanentError):
        Token.parse(text)


def test_a_request_arrives_as_it_was_sent() -> None:
    assert decode_request(encode_request(REQUEST)) == REQUEST


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "JSON"),
        (b"[" * 5000, "JSON"),
        (b" " * (MAX_BYTES + 1), "limit"),
        (b'{"secret":"s"}', "secret"),
        (encode_request(REQUEST).replace(KEY.encode(), b"AAAA"), "user_key"),
        (encode_request(REQUEST).replace(b"-----BEGIN", b"BEGIN"), "csr"),
    ],
)
def test_nonsense_is_refused_without_repeating_it(data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason) as refused:
        decode_request(data)
    assert len(str(refused.value)) < 200
