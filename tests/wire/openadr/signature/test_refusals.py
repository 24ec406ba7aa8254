"""Signatures: what is unsigned, untrusted, changed or signed some other way is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.errors import ProtocolError
from contracts.openadr.codec import encode, receive_signed
from contracts.openadr.payloads import Poll
from contracts.openadr.signature import SignatureFault
from support.openadr_keys import SIGNED_AT, PemPair, ec_pair, rsa_pair
from support.openadr_signed import DS, POLL, changed, fault_of, find, sign, verifier


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


@pytest.mark.parametrize("place", [b"<ds:SignedInfo>", b"<ei:venID>", b"<oadr:oadrPayload "])
def test_what_has_no_canonical_form_is_refused(pair: PemPair, place: bytes) -> None:
    """A relative namespace is well-formed, but Canonical XML does not know it."""
    data = sign(pair)
    assert place in data
    name, end = place[:-1], place[-1:]
    odd = data.replace(place, name + b" xmlns:z='relative'" + end)
    assert fault_of(odd, pair.fingerprint) is SignatureFault.MALFORMED


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
