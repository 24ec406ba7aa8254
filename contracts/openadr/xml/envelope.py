"""The envelope `oadrPayload` / `oadrSignedObject`, and the only place that parses bytes.

XML signatures (profile rule 514) will live here: `seal` is where a message is signed, `unseal`
where a signature is checked before anything is believed.
"""

from __future__ import annotations

import re

from lxml import etree

from contracts.errors import ProtocolError
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, node

MAX_MESSAGE_BYTES = 1 << 20
MAX_DEPTH = 40
"""The deepest message of the schema needs about 12 levels."""

_SIGNED_OBJECT_ID = "oadrSignedObject"
_ENCODING = re.compile(r"""\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")


def seal(message: Element) -> bytes:
    """The message in its envelope, as UTF-8 bytes."""
    message.set(xml.qualified("ei:schemaVersion"), xml.SCHEMA_VERSION)
    signed_object = node("oadr:oadrSignedObject", message)
    signed_object.set(xml.qualified("oadr:Id"), _SIGNED_OBJECT_ID)
    payload = node("oadr:oadrPayload", signed_object)
    etree.cleanup_namespaces(payload)
    return etree.tostring(payload, encoding="UTF-8", xml_declaration=True)


def unseal(data: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> Element:
    """The message element inside the envelope.

    Raises:
        ProtocolError: as `parse`, or the envelope is not the one of 2.0b.
    """
    root = parse(data, max_bytes)
    if root.tag != xml.qualified("oadr:oadrPayload"):
        raise ProtocolError(f"the root is {root.tag!r}, not oadrPayload")
    signed_object = xml.child(root, "oadr:oadrSignedObject")
    if len(signed_object) != 1:
        raise ProtocolError(f"oadrSignedObject: {len(signed_object)} messages instead of one")
    return signed_object[0]


def parse(data: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> Element:
    """The root of a document that may come from an enemy.

    No DTD and so no entities, no network, UTF-8 only, bounded size and depth.

    Raises:
        ProtocolError: the document breaks one of these bounds, or is not XML.
    """
    if len(data) > max_bytes:
        raise ProtocolError(f"message of {len(data)} bytes: the limit is {max_bytes}")
    _check_text(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ProtocolError(f"not XML: {error.msg}") from error
    if _TOO_DEEP(root):
        raise ProtocolError(f"nested deeper than {MAX_DEPTH} levels")
    return root


def _check_text(data: bytes) -> None:
    """Refuse other encodings first: a DOCTYPE could hide in them."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    declared = _ENCODING.match(text)
    if declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ProtocolError(f"encoding {declared[1][:40]!r}: only UTF-8 is spoken")
    if "<!DOCTYPE" in text:
        raise ProtocolError("a DOCTYPE is not allowed")
