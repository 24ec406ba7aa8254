"""The envelope `oadrPayload` / `oadrSignedObject`."""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.openadr.tolerance import Tolerance, tolerate
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import NAMESPACES, SCHEMA_VERSION, Element, Markup
from contracts.openadr.xml.parsing import MAX_MESSAGE_BYTES, parse

__all__ = ["MAX_MESSAGE_BYTES", "SIGNED_OBJECT_ID", "parse", "seal", "signed_object", "unseal"]

SIGNED_OBJECT_ID = "oadrSignedObject"
_ALWAYS = ("oadr", "ei")
_SCHEMA_VERSION = xml.qualified("ei:schemaVersion")


def seal(message: Markup) -> bytes:
    """The message in its envelope, as UTF-8 bytes."""
    used = "".join(
        f' xmlns:{prefix}="{uri}"'
        for prefix, uri in NAMESPACES.items()
        if prefix in _ALWAYS or f"<{prefix}:" in message
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<oadr:oadrPayload{used}>"
        f'<oadr:oadrSignedObject oadr:Id="{SIGNED_OBJECT_ID}">{message}</oadr:oadrSignedObject>'
        "</oadr:oadrPayload>"
    ).encode()


def signed_object(root: Element) -> Element:
    """The part of a document that a signature covers.

    Raises:
        ProtocolError: the envelope is not the one of 2.0b, or there are two of them.
    """
    if root.tag != xml.qualified("oadr:oadrPayload"):
        raise ProtocolError(f"the root is {root.tag!r}, not oadrPayload")
    found = xml.child(root, "oadr:oadrSignedObject")
    if len(xml.children(root, "oadr:oadrSignedObject")) != 1:
        raise ProtocolError("oadrPayload: more than one oadrSignedObject")
    return found


def unseal(signed: Element) -> Element:
    """The message element inside an oadrSignedObject.

    Raises:
        ProtocolError: there is not exactly one.
    """
    if len(signed) != 1:
        raise ProtocolError(f"oadrSignedObject: {len(signed)} messages instead of one")
    message: Element = signed[0]
    version = message.get(_SCHEMA_VERSION)
    if version is None:
        version = message.get("schemaVersion")
        if version is not None:
            tolerate(Tolerance.FOREIGN_SCHEMA_VERSION, version)
    elif version.strip() != SCHEMA_VERSION:
        tolerate(Tolerance.FOREIGN_SCHEMA_VERSION, version)
    return message
