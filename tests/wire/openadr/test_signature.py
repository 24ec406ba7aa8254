"""Signatures: ours hold with an independent implementation, its with us, and nothing else does."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openleadr import messaging
from signxml.verifier import XMLVerifier
from structlog.testing import capture_logs

from contracts.errors import ConfigError, ProtocolError
from contracts.identity import openadr_fingerprint
from contracts.openadr.codec import encode, encode_signed, receive_signed
from contracts.openadr.payloads import CreatedEvent, Payload, Poll
from contracts.openadr.schema import validate
from contracts.openadr.signature import (
    ReplayCache,
    SignatureError,
    SignatureFault,
    Signer,
    SigningKey,
    Verifier,
)
from contracts.openadr.values import parse_instant
from support.openadr_keys import SIGNED_AT, PemPair, ec_pair, pem_pair, rsa_pair

GOLDEN = Path(__file__).parent / "golden" / "signed"
create_message: Any = messaging.create_message
validate_xml_schema: Any = messaging.validate_xml_schema
validate_xml_signature: Any = messaging.validate_xml_signature
POLL = Poll(ven_id='007 <&> "é"\r\n')
SECOND = timedelta(seconds=1)
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DSP = "{http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties}"
OADR = "{http://openadr.org/oadr-2.0b/2012/07}"


@pytest.fixture(params=[rsa_pair, ec_pair], ids=["RSA", "EC"])
def pair(request: pytest.FixtureRequest) -> PemPair:
    made: PemPair = request.param()
    return made


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


# --- both ways ---------------------------------------------------------------------------------


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


# --- refusals ----------------------------------------------------------------------------------


def test_an_unsigned_message_is_refused() -> None:
    assert fault_of(encode(POLL), "AA") is SignatureFault.UNSIGNED


def test_another_key_is_not_trusted(pair: PemPair) -> None:
    assert fault_of(sign(pair), rsa_pair(1).fingerprint) is SignatureFault.UNTRUSTED


def test_a_trusted_certificate_over_anothers_signature_is_refused() -> None:
    def swap(root: etree._Element) -> None:
        find(root, DS + "X509Certificate").text = base64.b64encode(
            rsa_pair(1).signing_key.certificate_der
        ).decode()

    data = changed(sign(rsa_pair()), swap)
    assert fault_of(data, rsa_pair(1).fingerprint) is SignatureFault.BROKEN
    wrong_kind = changed(sign(ec_pair()), swap)
    assert fault_of(wrong_kind, rsa_pair(1).fingerprint) is SignatureFault.ALGORITHM


def test_a_changed_message_is_refused(pair: PemPair) -> None:
    data = sign(pair).replace(b"007", b"008")
    assert fault_of(data, pair.fingerprint) is SignatureFault.TAMPERED


def test_a_changed_timestamp_or_digest_is_refused(pair: PemPair) -> None:
    later = sign(pair).replace(b"12:00:00Z</dsp", b"12:00:01Z</dsp")
    assert fault_of(later, pair.fingerprint) is SignatureFault.TAMPERED

    def swap(root: etree._Element) -> None:
        find(root, DS + "DigestValue").text = base64.b64encode(bytes(32)).decode()

    assert fault_of(changed(sign(pair), swap), pair.fingerprint) is SignatureFault.BROKEN


@pytest.mark.parametrize("text", ["", "!!!", "AAAA"])
def test_a_nonsense_signature_value_is_refused(pair: PemPair, text: str) -> None:
    def swap(root: etree._Element) -> None:
        find(root, DS + "SignatureValue").text = text

    fault = fault_of(changed(sign(pair), swap), pair.fingerprint)
    assert fault in (SignatureFault.BROKEN, SignatureFault.MALFORMED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-sha1"),
        (
            b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            b"http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        ),
        (
            b'CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/',
            b'CanonicalizationMethod Algorithm="http://x/',
        ),
    ],
)
def test_other_algorithms_are_refused(old: bytes, new: bytes) -> None:
    data = sign(rsa_pair())
    assert old in data
    assert fault_of(data.replace(old, new), rsa_pair().fingerprint) is SignatureFault.ALGORITHM


class Resigned:
    """A signer of wrong things: changes a message, then signs the changed SignedInfo again."""

    def __init__(self, pair: PemPair) -> None:
        self.key = pair.signing_key

    def __call__(self, data: bytes, change: Callable[[etree._Element], None]) -> bytes:
        root = etree.fromstring(data)
        change(root)
        info = find(root, DS + "SignedInfo")
        value = self.key.sign(etree.tostring(info, method="c14n"))
        find(root, DS + "SignatureValue").text = base64.b64encode(value).decode()
        return etree.tostring(root)


def test_references_must_name_the_message_and_its_replay_protect(pair: PemPair) -> None:
    resign = Resigned(pair)

    def only_the_message(root: etree._Element) -> None:
        info = find(root, DS + "SignedInfo")
        info.remove(info[3])

    def the_message_twice(root: etree._Element) -> None:
        find(root, DS + "SignedInfo")[3].set("URI", "#oadrSignedObject")

    def something_else(root: etree._Element) -> None:
        find(root, DS + "SignedInfo")[2].set("URI", "#elsewhere")

    def the_whole_document(root: etree._Element) -> None:
        find(root, DS + "SignedInfo")[2].set("URI", "")

    for change in (only_the_message, the_message_twice, something_else, the_whole_document):
        data = resign(sign(pair), change)
        assert fault_of(data, pair.fingerprint) is SignatureFault.REFERENCE, change


def test_more_than_one_transform_is_refused(pair: PemPair) -> None:
    def double(root: etree._Element) -> None:
        transforms = find(root, DS + "Transforms")
        transforms.append(etree.fromstring(etree.tostring(transforms[0])))

    data = Resigned(pair)(sign(pair), double)
    assert fault_of(data, pair.fingerprint) is SignatureFault.ALGORITHM


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


@pytest.mark.parametrize("place", [b"<ds:SignedInfo>", b"<ei:venID>", b"<oadr:oadrPayload "])
def test_what_has_no_canonical_form_is_refused(pair: PemPair, place: bytes) -> None:
    """A relative namespace is well-formed, but Canonical XML does not know it."""
    data = sign(pair)
    assert place in data
    name, end = place[:-1], place[-1:]
    odd = data.replace(place, name + b" xmlns:z='relative'" + end)
    assert fault_of(odd, pair.fingerprint) is SignatureFault.MALFORMED


# --- signature wrapping ------------------------------------------------------------------------


def _evil(root: etree._Element) -> etree._Element:
    """A copy of the message that says something else."""
    copy = etree.fromstring(etree.tostring(find(root, OADR + "oadrSignedObject")))
    find(copy, "{http://docs.oasis-open.org/ns/energyinterop/201110}venID").text = "evil"
    return copy


def _original_hidden_in_the_signature(root: etree._Element) -> None:
    evil, original = _evil(root), find(root, OADR + "oadrSignedObject")
    root.remove(original)
    etree.SubElement(find(root, DS + "Signature"), DS + "Object").append(original)
    root.append(evil)


def _original_beside(root: etree._Element) -> None:
    root.insert(1, _evil(root))


def _original_inside(root: etree._Element) -> None:
    evil, original = _evil(root), find(root, OADR + "oadrSignedObject")
    root.remove(original)
    evil.append(original)
    root.append(evil)


def _original_hidden_and_evil_renamed(root: etree._Element) -> None:
    _original_hidden_in_the_signature(root)
    root[1].set(OADR + "Id", "other")


def _evil_with_another_kind_of_id(root: etree._Element) -> None:
    _original_hidden_in_the_signature(root)
    del root[1].attrib[OADR + "Id"]
    root[1].set("Id", "oadrSignedObject")


@pytest.mark.parametrize(
    "wrap",
    [
        _original_hidden_in_the_signature,
        _original_beside,
        _original_inside,
        _original_hidden_and_evil_renamed,
        _evil_with_another_kind_of_id,
    ],
)
def test_a_wrapped_signature_is_worth_nothing(
    pair: PemPair, wrap: Callable[[etree._Element], None]
) -> None:
    data = changed(sign(pair), wrap)
    assert b"evil" in data
    with pytest.raises(ProtocolError) as caught:
        receive_signed(data, verifier(pair.fingerprint), SIGNED_AT)
    if isinstance(caught.value, SignatureError):
        assert caught.value.fault in (SignatureFault.MALFORMED, SignatureFault.REFERENCE)


def test_a_second_signature_or_replay_protect_is_refused(pair: PemPair) -> None:
    def double(root: etree._Element) -> None:
        copy = etree.fromstring(etree.tostring(root[0]))
        for element in copy.iter():
            element.attrib.pop("Id", "")
        root.insert(0, copy)

    assert fault_of(changed(sign(pair), double), pair.fingerprint) is SignatureFault.MALFORMED

    def protect_twice(root: etree._Element) -> None:
        copy = etree.fromstring(etree.tostring(find(root, DSP + "ReplayProtect")))
        etree.SubElement(root[0], DS + "Object").append(copy)

    assert fault_of(changed(sign(pair), protect_twice), pair.fingerprint) is (
        SignatureFault.NO_REPLAY_PROTECT
    )


def test_without_replay_protect_it_is_refused(pair: PemPair) -> None:
    def drop(root: etree._Element) -> None:
        protect = find(root, DSP + "ReplayProtect")
        parent = protect.getparent()
        assert parent is not None
        parent.remove(protect)

    assert fault_of(changed(sign(pair), drop), pair.fingerprint) is (
        SignatureFault.NO_REPLAY_PROTECT
    )


# --- time, certificates, keys ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "fault"),
    [(301 * SECOND, SignatureFault.STALE), (-61 * SECOND, SignatureFault.FUTURE)],
)
def test_too_old_or_from_the_future(pair: PemPair, late: timedelta, fault: SignatureFault) -> None:
    assert fault_of(sign(pair), pair.fingerprint, SIGNED_AT + late) is fault


@pytest.mark.parametrize("late", [300 * SECOND, -60 * SECOND])
def test_at_the_bounds_it_is_accepted(pair: PemPair, late: timedelta) -> None:
    receive_signed(sign(pair), verifier(pair.fingerprint), SIGNED_AT + late)


def test_replayed_once_more_is_refused_but_the_next_message_is_not(pair: PemPair) -> None:
    check, data = verifier(pair.fingerprint), sign(pair)
    receive_signed(data, check, SIGNED_AT)
    with pytest.raises(SignatureError) as caught:
        receive_signed(data, check, SIGNED_AT + 200 * SECOND)
    assert caught.value.fault is SignatureFault.REPLAYED
    receive_signed(sign(pair), check, SIGNED_AT)  # the same second, another nonce


def test_a_refused_message_does_not_use_up_its_nonce(pair: PemPair) -> None:
    check, data = verifier(pair.fingerprint), sign(pair)
    with pytest.raises(SignatureError):
        receive_signed(data.replace(b"007", b"008"), check, SIGNED_AT)
    receive_signed(data, check, SIGNED_AT)


def test_an_expired_certificate_is_refused() -> None:
    old = pem_pair(ec.generate_private_key(ec.SECP256R1()), lasting=timedelta(days=1))
    assert fault_of(sign(old), old.fingerprint) is SignatureFault.EXPIRED


def test_short_keys_are_refused_both_ways() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP192R1())):
        weak = pem_pair(key)
        with pytest.raises(ConfigError, match="2048"):
            SigningKey(weak.certificate, weak.key)
    der = base64.b64decode(b"".join(weak.certificate.splitlines()[1:-1]))

    def show(root: etree._Element) -> None:
        find(root, DS + "X509Certificate").text = base64.b64encode(der).decode()

    data = changed(sign(ec_pair()), show)
    assert fault_of(data, openadr_fingerprint(der)) is SignatureFault.ALGORITHM


def test_a_key_that_does_not_fit_its_certificate_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="not the certificate's"):
        SigningKey(rsa_pair().certificate, ec_pair().key)
    with pytest.raises(ConfigError, match="no key to sign with"):
        SigningKey(rsa_pair().certificate, b"nonsense")


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


@settings(max_examples=60)
@given(st.data())
def test_damage_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    """One byte changed anywhere: refused as a ProtocolError, or it did not matter."""
    pair, poll = ec_pair(), Poll(ven_id="ven-1")
    whole = sign(pair, poll)
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(min_size=1, max_size=2)) + whole[at + 1 :]
    try:
        got = receive_signed(broken, verifier(pair.fingerprint), SIGNED_AT)
    except ProtocolError:
        return
    assert got.payload == poll
