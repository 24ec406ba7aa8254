"""Signing messages."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from lxml import etree

from contracts.openadr import values
from contracts.openadr.signature.canonical import INCLUSIVE, SHA256, canonical, digest
from contracts.openadr.signature.keys import SigningKey
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import NAMESPACES, Markup, node
from contracts.openadr.xml.envelope import SIGNED_OBJECT_ID, signed_object

_PROPERTIES_ID = "oadrSignatureProperties"
_SIGNATURE_ID = "oadrSignature"
_NONCE_BYTES = 16


class Signer:
    """Signs with one key (profile rule 514: detached, inclusive canonical XML, SHA-256)."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        certificate = base64.b64encode(key.certificate_der).decode()
        self._signed_info = _signed_info(key.algorithm)
        self._key_info = node(
            "ds:KeyInfo", node("ds:X509Data", node("ds:X509Certificate", certificate))
        )

    @property
    def fingerprint(self) -> str:
        """What the peer must trust."""
        return self._key.fingerprint

    def sign(self, document: bytes, now: datetime) -> bytes:
        """A document of ours with a signature as of `now` in it."""
        root = etree.fromstring(document)
        signature = etree.fromstring(self._unsigned(now))
        root.insert(0, signature)
        info, value, _, properties = signature
        for reference, covered in zip(
            xml.children(info, "ds:Reference"), (signed_object(root), properties), strict=True
        ):
            xml.child(reference, "ds:DigestValue").text = _text(digest(reference, covered))
        value.text = _text(self._key.sign(canonical(info)))
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def _unsigned(self, now: datetime) -> str:
        declared = (
            f' xmlns:ds="{NAMESPACES["ds"]}" xmlns:dsp="{NAMESPACES["dsp"]}" Id="{_SIGNATURE_ID}"'
        )
        return node(
            "ds:Signature",
            self._signed_info,
            node("ds:SignatureValue"),
            self._key_info,
            _replay_protect(now),
            attributes=declared,
        )


def _signed_info(algorithm: str) -> Markup:
    return node(
        "ds:SignedInfo",
        _method("ds:CanonicalizationMethod", INCLUSIVE),
        _method("ds:SignatureMethod", algorithm),
        _reference(SIGNED_OBJECT_ID),
        _reference(_PROPERTIES_ID),
    )


def _reference(identifier: str) -> Markup:
    return node(
        "ds:Reference",
        node("ds:Transforms", _method("ds:Transform", INCLUSIVE)),
        _method("ds:DigestMethod", SHA256),
        node("ds:DigestValue"),
        attributes=f' URI="#{identifier}"',
    )


def _method(name: str, algorithm: str) -> Markup:
    return node(name, attributes=f' Algorithm="{algorithm}"')


def _replay_protect(now: datetime) -> Markup:
    protect = node(
        "dsp:ReplayProtect",
        node("dsp:timestamp", values.format_instant(now)),
        node("dsp:nonce", secrets.token_hex(_NONCE_BYTES)),
    )
    signed = node("ds:SignatureProperty", protect, attributes=f' Target="#{_SIGNATURE_ID}"')
    return node(
        "ds:Object", node("ds:SignatureProperties", signed), attributes=f' Id="{_PROPERTIES_ID}"'
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
