"""Checking signatures. Every step names what it refuses; nothing is read before all have passed.

Elements are found by their place, never by their `Id`: the references must then name just these,
so an element that was signed once and moved elsewhere is worth nothing (signature wrapping).
"""

from __future__ import annotations

import hmac
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from contracts.errors import ProtocolError
from contracts.identity import openadr_fingerprint
from contracts.openadr import values
from contracts.openadr.signature.canonical import base64_text, canonical, check_algorithm, digest
from contracts.openadr.signature.fault import SignatureError, SignatureFault
from contracts.openadr.signature.keys import ECDSA_SHA256, RSA_SHA256, PublicCertificate
from contracts.openadr.signature.replay import ReplayCache
from contracts.openadr.tolerance import Tolerance, tolerate
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element
from contracts.openadr.xml.envelope import signed_object

_MAX_CERTIFICATES = 8
_MAX_NONCE_CHARS = 200
_ALL_IDS = etree.XPath("//@*[local-name()='Id' or local-name()='id' or local-name()='ID']")
_CERTIFICATES = "/".join(
    xml.qualified(name) for name in ("ds:KeyInfo", "ds:X509Data", "ds:X509Certificate")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a good signature covers, and whose it is."""

    signed_object: Element
    fingerprint: str
    at: datetime


class Verifier:
    """Checks signatures by certificates whose fingerprint is in `trusted`.

    A VEN trusts its VTN's. A VTN trusts those of all its VENs (a live collection), and must then
    check that `Signed.fingerprint` is the one of the venID in the message. A message may be
    `max_age` old and `max_ahead` early.

    Raises:
        ValueError: the cache forgets sooner than messages grow too old.
    """

    def __init__(
        self,
        trusted: Container[str],
        cache: ReplayCache,
        *,
        max_age: timedelta = timedelta(minutes=5),
        max_ahead: timedelta = timedelta(minutes=1),
    ) -> None:
        if cache.keep <= max_age + max_ahead:
            raise ValueError(f"a replay cache of {cache.keep} is too short for {max_age}")
        self._trusted = trusted
        self._cache = cache
        self._max_age = max_age
        self._max_ahead = max_ahead
        self._certificates: dict[str, tuple[bytes, PublicCertificate]] = {}

    def verify(self, root: Element, now: datetime) -> Signed:
        """The signed part of a document.

        Raises:
            SignatureError: says in `fault` what is wrong.
        """
        try:
            return self._verify(root, now)
        except SignatureError:
            raise
        except ProtocolError as error:
            raise SignatureError(SignatureFault.MALFORMED, str(error)) from error

    def _verify(self, root: Element, now: datetime) -> Signed:
        message = signed_object(root)
        signature = _signature(root)
        _check_ids(root)
        certificate = self._certificate(signature, now)
        references = _signed_references(signature, certificate)
        protect = _replay_protect(signature)
        _check_references(references, message, signature, protect)
        at = self._check_time(protect, certificate.fingerprint, now)
        return Signed(signed_object=message, fingerprint=certificate.fingerprint, at=at)

    def _certificate(self, signature: Element, now: datetime) -> PublicCertificate:
        """The first one in the signature that is trusted."""
        shown: list[str] = []
        for element in signature.findall(_CERTIFICATES)[:_MAX_CERTIFICATES]:
            der = base64_text(element)
            shown.append(openadr_fingerprint(der))
            if shown[-1] in self._trusted:
                certificate = self._parsed(shown[-1], der)
                if not certificate.valid_at(now):
                    raise SignatureError(
                        SignatureFault.EXPIRED, f"certificate {shown[-1]} is not valid now"
                    )
                return certificate
        raise SignatureError(
            SignatureFault.UNTRUSTED, f"by {', '.join(shown) or 'nobody'}, whom we do not trust"
        )

    def _parsed(self, fingerprint: str, der: bytes) -> PublicCertificate:
        """The certificate, parsed once; kept are trusted ones alone, one a fingerprint."""
        known = self._certificates.get(fingerprint)
        if known is None or known[0] != der:
            known = self._certificates[fingerprint] = der, PublicCertificate(der)
        return known[1]

    def _check_time(self, protect: Element, signer: str, now: datetime) -> datetime:
        at = xml.value(protect, "dsp:timestamp", values.parse_instant)
        nonce = xml.text(protect, "dsp:nonce").strip()
        if not 0 < len(nonce) <= _MAX_NONCE_CHARS:
            raise SignatureError(SignatureFault.NO_REPLAY_PROTECT, "the nonce is empty or too long")
        if now - at > self._max_age:
            raise SignatureError(SignatureFault.STALE, f"signed at {at}, it is {now}")
        if at - now > self._max_ahead:
            raise SignatureError(SignatureFault.FUTURE, f"signed at {at}, it is {now}")
        self._cache.accept_once(signer, at, nonce, now)
        return at


def _signature(root: Element) -> Element:
    found = xml.children(root, "ds:Signature")
    if not found:
        raise SignatureError(SignatureFault.UNSIGNED, "there is none")
    if len(found) != 1 or len(root) != 2:  # noqa: PLR2004 - the signature and the message
        raise SignatureError(SignatureFault.MALFORMED, "more in oadrPayload than it may hold")
    return found[0]


def _check_ids(root: Element) -> None:
    ids = _ALL_IDS(root)
    if not isinstance(ids, list) or len({str(value) for value in ids}) != len(ids):
        raise SignatureError(SignatureFault.MALFORMED, "two elements have the same Id")


def _signed_references(signature: Element, certificate: PublicCertificate) -> list[Element]:
    """The references of a SignedInfo that this certificate's key has signed."""
    info = xml.child(signature, "ds:SignedInfo")
    method = xml.child(info, "ds:SignatureMethod")
    algorithm = check_algorithm(method, RSA_SHA256, ECDSA_SHA256)
    data = canonical(info, xml.child(info, "ds:CanonicalizationMethod"))
    certificate.verify(algorithm, data, base64_text(xml.child(signature, "ds:SignatureValue")))
    return xml.children(info, "ds:Reference")


def _replay_protect(signature: Element) -> Element:
    found = [
        protect
        for holder in xml.children(signature, "ds:Object")
        for protect in holder.iter(xml.qualified("dsp:ReplayProtect"))
    ]
    if len(found) != 1:
        raise SignatureError(
            SignatureFault.NO_REPLAY_PROTECT, f"{len(found)} ReplayProtect instead of one"
        )
    return found[0]


def _check_references(
    references: list[Element], message: Element, signature: Element, protect: Element
) -> None:
    """There is one for the message, one for the ReplayProtect or what it lies in, and no other."""
    covered: dict[str, Element] = {f"#{_message_id(message)}": message}
    for element in (protect, *protect.iterancestors()):
        if element is signature:
            break
        if (identifier := element.get("Id")) is not None:
            covered[f"#{identifier}"] = element
    named = [covered.pop(reference.get("URI", ""), None) for reference in references]
    found = [element for element in named if element is not None]
    if len(named) != 2 or len(found) != 2 or message not in found:  # noqa: PLR2004 - those two
        uris = ", ".join(repr(reference.get("URI", "")[:40]) for reference in references[:4])
        raise SignatureError(SignatureFault.REFERENCE, f"it covers {uris or 'nothing'}")
    for reference, element in zip(references, found, strict=True):
        _check_digest(reference, element)


def _check_digest(reference: Element, element: Element) -> None:
    expected = base64_text(xml.child(reference, "ds:DigestValue"))
    if not hmac.compare_digest(expected, digest(reference, element)):
        raise SignatureError(
            SignatureFault.TAMPERED, f"{xml.local_name(element)} is not as it was signed"
        )


def _message_id(message: Element) -> str:
    qualified, plain = message.get(xml.qualified("oadr:Id")), message.get("Id")
    if qualified is None and plain is not None:
        tolerate(Tolerance.UNQUALIFIED_ID, plain)
        return plain
    if qualified is None or plain is not None:
        raise SignatureError(SignatureFault.MALFORMED, "oadrSignedObject has not just one Id")
    return qualified
