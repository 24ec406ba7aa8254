"""Signatures: a good signature lends nothing to what stands beside or around its message."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from contracts.errors import ProtocolError
from contracts.openadr.codec import receive_signed
from contracts.openadr.signature import SignatureError, SignatureFault
from support.openadr_keys import SIGNED_AT, PemPair
from support.openadr_signed import DS, DSP, OADR, changed, fault_of, find, sign, verifier


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
