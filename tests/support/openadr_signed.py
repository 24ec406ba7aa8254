"""Signed OpenADR messages, changes to them and why they are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from contracts.openadr.codec import encode_signed, receive_signed
from contracts.openadr.payloads import Payload, Poll
from contracts.openadr.signature import (
    ReplayCache,
    SignatureError,
    SignatureFault,
    Signer,
    Verifier,
)
from support.openadr_keys import SIGNED_AT, PemPair

POLL = Poll(ven_id='007 <&> "é"\r\n')
SECOND = timedelta(seconds=1)
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DSP = "{http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties}"
OADR = "{http://openadr.org/oadr-2.0b/2012/07}"


def verifier(*trusted: str, **more: Any) -> Verifier:
    return Verifier(frozenset(trusted), ReplayCache(), **more)


def sign(pair: PemPair, payload: Payload = POLL, at: datetime = SIGNED_AT) -> bytes:
    return encode_signed(payload, Signer(pair.signing_key), at)


def fault_of(data: bytes, trusted: str, now: datetime = SIGNED_AT) -> SignatureFault:
    """Why it is refused."""
    with pytest.raises(SignatureError, match=r"signature refused: .") as caught:
        receive_signed(data, verifier(trusted), now)
    return caught.value.fault


def changed(data: bytes, change: Callable[[etree._Element], None]) -> bytes:
    root = etree.fromstring(data)
    change(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def find(root: etree._Element, name: str) -> etree._Element:
    found = next(root.iter(name))
    assert isinstance(found, etree._Element)
    return found
