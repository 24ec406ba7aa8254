"""Signatures: ours hold with an independent implementation, and its with us."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openleadr import messaging
from signxml.verifier import XMLVerifier
from structlog.testing import capture_logs

from contracts.errors import ProtocolError
from contracts.identity import openadr_fingerprint
from contracts.openadr.codec import encode, encode_signed, receive_signed
from contracts.openadr.payloads import CreatedEvent, Payload, Poll
from contracts.openadr.schema import validate
from contracts.openadr.signature import SignatureError, SignatureFault, Signer
from contracts.openadr.values import parse_instant
from support.openadr_keys import SIGNED_AT, PemPair, ec_pair, rsa_pair
from support.openadr_signed import (
    DS,
    DSP,
    OADR,
    POLL,
    SECOND,
    changed,
    fault_of,
    find,
    sign,
    verifier,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "signed"
create_message: Any = messaging.create_message
validate_xml_schema: Any = messaging.validate_xml_schema
validate_xml_signature: Any = messaging.validate_xml_signature


def test_every_message_survives_signing(sample: Payload, pair: PemPair) -> None:
    data = sign(pair, sample)
    validate(data)
    got = receive_signed(data, verifier(pair.fingerprint), SIGNED_AT)
    assert (got.payload, got.signed_by) == (sample, pair.fingerprint)


@settings(max_examples=30)
@given(
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
        )
    )
)
def test_any_text_survives_signing(text: str) -> None:
    pair = ec_pair()
    data = sign(pair, Poll(ven_id=text))
    got = receive_signed(data, verifier(pair.fingerprint), SIGNED_AT)
    assert got.payload == Poll(ven_id=text)


def test_openleadr_and_signxml_accept_ours(sample: Payload, pair: PemPair) -> None:
    data = encode_signed(sample, Signer(pair.signing_key), datetime.now(UTC))
    tree = validate_xml_schema(data)
    validate_xml_signature(tree, pair.fingerprint)
    covered = XMLVerifier().verify(data, x509_cert=pair.certificate.decode(), expect_references=2)
    assert isinstance(covered, list)
    assert {
        etree.QName(part.signed_xml).localname for part in covered if part.signed_xml is not None
    } == {
        "oadrSignedObject",
        "Object",
    }


def test_openleadr_refuses_ours_when_tampered(pair: PemPair) -> None:
    data = encode_signed(Poll(ven_id="ven-1"), Signer(pair.signing_key), datetime.now(UTC))
    tree = etree.fromstring(data.replace(b"ven-1", b"ven-2"))
    with pytest.raises(Exception, match=r"(?i)digest"):
        validate_xml_signature(tree, pair.fingerprint)


def test_we_accept_openleadrs(pair: PemPair) -> None:
    data = create_message("oadrPoll", cert=pair.certificate, key=pair.key, ven_id="007").encode()
    check = verifier(pair.fingerprint)
    assert receive_signed(data, check, datetime.now(UTC)).payload == Poll(ven_id="007")
    with pytest.raises(SignatureError, match="used before"):
        receive_signed(data, check, datetime.now(UTC))
    assert fault_of(data.replace(b"007", b"008"), pair.fingerprint, datetime.now(UTC)) is (
        SignatureFault.TAMPERED
    )


@pytest.mark.parametrize("name", ["openleadr_rsa", "openleadr_ec"])
def test_a_recorded_signature_of_openleadr_still_holds(name: str) -> None:
    """Made by openleadr 0.5.36 and signxml 4.5.1 with a key that was thrown away."""
    data = (GOLDEN / f"{name}.xml").read_bytes()
    root = etree.fromstring(data)
    der = base64.b64decode("".join((find(root, DS + "X509Certificate").text or "").split()))
    at = parse_instant(find(root, DSP + "timestamp").text or "")
    trusted = openadr_fingerprint(der)
    got = receive_signed(data, verifier(trusted), at + SECOND)
    assert isinstance(got.payload, CreatedEvent)
    assert got.payload.event_responses[0].event_id == "2026.10"
    for old, new in ((b"2026.10", b"2026.11"), (b"optIn", b"optOut"), (b"#prop", b"#prob")):
        with pytest.raises(SignatureError):
            receive_signed(data.replace(old, new), verifier(trusted), at + SECOND)


def test_exclusive_canonical_xml_is_understood(pair: PemPair) -> None:
    """Other implementations use it; the digests are made here as they would make them."""
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    root = etree.fromstring(sign(pair))
    info = find(root, DS + "SignedInfo")
    covered = (find(root, OADR + "oadrSignedObject"), find(root, DS + "Object"))
    find(root, DS + "CanonicalizationMethod").set("Algorithm", exclusive)
    for reference, element in zip(list(info)[2:], covered, strict=True):
        find(reference, DS + "Transform").set("Algorithm", exclusive)
        data = etree.tostring(element, method="c14n", exclusive=True)
        find(reference, DS + "DigestValue").text = _sha256(data)
    value = pair.signing_key.sign(etree.tostring(info, method="c14n", exclusive=True))
    find(root, DS + "SignatureValue").text = base64.b64encode(value).decode()
    got = receive_signed(etree.tostring(root), verifier(pair.fingerprint), SIGNED_AT)
    assert got.payload == POLL


def _sha256(data: bytes) -> str:
    return base64.b64encode(sha256(data).digest()).decode()


def test_a_chain_may_be_shown(pair: PemPair) -> None:
    def chain(root: etree._Element) -> None:
        holder = find(root, DS + "X509Data")
        other = etree.Element(DS + "X509Certificate")
        other.text = base64.b64encode(rsa_pair(1).signing_key.certificate_der).decode()
        holder.insert(0, other)

    receive_signed(changed(sign(pair), chain), verifier(pair.fingerprint), SIGNED_AT)


def test_an_unqualified_id_is_a_tolerance(pair: PemPair) -> None:
    plain = encode(Poll(ven_id="v")).replace(b"oadr:Id", b"Id")
    data = Signer(pair.signing_key).sign(plain, SIGNED_AT)
    with capture_logs():
        got = receive_signed(data, verifier(pair.fingerprint), SIGNED_AT)
        assert got.tolerances == {"unqualified_id"}
        with pytest.raises(ProtocolError, match="tolerance"):
            receive_signed(data, verifier(pair.fingerprint), SIGNED_AT, allowed=frozenset())
