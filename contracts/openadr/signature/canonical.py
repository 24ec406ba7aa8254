"""Canonical XML and digests: the two algorithms that are met, both without comments."""

from __future__ import annotations

import base64
import hashlib

from contracts.openadr.signature.fault import SignatureError, SignatureFault
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml import parsing
from contracts.openadr.xml.elements import Element

INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_PREFIXES = f"{{{EXCLUSIVE}}}InclusiveNamespaces"


def canonical(element: Element, method: Element | None = None) -> bytes:
    """The element as a CanonicalizationMethod or Transform says, inclusive without one.

    Raises:
        SignatureError: another algorithm.
        ProtocolError: there is no canonical form.
    """
    algorithm = INCLUSIVE if method is None else method.get("Algorithm", "")
    if algorithm == INCLUSIVE:
        return parsing.canonical(element)
    if algorithm != EXCLUSIVE or method is None:
        raise SignatureError(SignatureFault.ALGORITHM, f"canonicalization {algorithm[:80]!r}")
    listed = method.find(_PREFIXES)
    prefixes = [] if listed is None else listed.get("PrefixList", "").split()
    return parsing.canonical(
        element, exclusive=True, prefixes=[p for p in prefixes if p != "#default"]
    )


def digest(reference: Element, element: Element) -> bytes:
    """SHA-256 of the element, by the transforms of a Reference.

    Raises:
        SignatureError: other algorithms than those above, or more than one transform.
    """
    transforms = list(reference.iterfind(f"{_TRANSFORMS}/{_TRANSFORM}"))
    if len(transforms) > 1:
        raise SignatureError(SignatureFault.ALGORITHM, f"{len(transforms)} transforms")
    check_algorithm(xml.child(reference, "ds:DigestMethod"), SHA256)
    data = canonical(element, transforms[0] if transforms else None)
    return hashlib.sha256(data).digest()


def check_algorithm(method: Element, *known: str) -> str:
    """The algorithm of a method element.

    Raises:
        SignatureError: not one of the known ones.
    """
    algorithm: str = method.get("Algorithm", "")
    if algorithm not in known:
        raise SignatureError(SignatureFault.ALGORITHM, f"algorithm {algorithm[:80]!r}")
    return algorithm


def base64_text(element: Element) -> bytes:
    """The bytes an element holds in base64, broken into lines or not.

    Raises:
        SignatureError: it is not base64.
    """
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except ValueError as error:
        raise SignatureError(
            SignatureFault.MALFORMED, f"{xml.local_name(element)} is not base64"
        ) from error


_TRANSFORMS = xml.qualified("ds:Transforms")
_TRANSFORM = xml.qualified("ds:Transform")
