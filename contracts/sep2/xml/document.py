"""Bytes of a peer to an element tree, and nothing worse."""

from __future__ import annotations

from lxml import etree

from contracts.errors import ProtocolError

NAMESPACE = "urn:ieee:std:2030.5:ns"
MAX_BYTES = 2 << 20
"""About 3000 controls with several modes each."""
MAX_DEPTH = 40
"""The deepest resource of the schema needs about 10 levels."""

_OLD_NAMESPACES = ("http://ieee.org/2030.5", "http://zigbee.org/sep")
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")

Element = etree._Element


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> Element:
    """The root of a document that may come from an enemy.

    No DTD and so no entities, no network, UTF-8 only, bounded size and depth.

    Raises:
        ProtocolError: the document breaks one of these bounds, or is not XML.
    """
    if len(data) > max_bytes:
        raise ProtocolError(f"document of {len(data)} bytes: the limit is {max_bytes}")
    _check_text(data)
    # The encoding is fixed, so that a DOCTYPE cannot hide in one that the document declares.
    parser = etree.XMLParser(
        encoding="utf-8",
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
        raise ProtocolError(f"not XML: {error.msg}") from None
    if _TOO_DEEP(root):
        raise ProtocolError(f"nested deeper than {MAX_DEPTH} levels")
    _check_namespace(root)
    return root


def _check_text(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    if b"<!DOCTYPE" in data:
        raise ProtocolError("a DOCTYPE is not allowed")


def _check_namespace(root: Element) -> None:
    namespace = etree.QName(root).namespace
    if namespace in _OLD_NAMESPACES:
        raise ProtocolError(f"{namespace} is an edition before IEEE 2030.5-2018")
    if namespace is None:
        raise ProtocolError(f"the root {root.tag[:80]!r} has no namespace")


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def raw(element: Element) -> bytes:
    """An element as XML of its own, with the namespaces it uses and no others.

    Raises:
        ValueError: it cannot stand alone.
    """
    try:
        return bytes(etree.tostring(element, method="c14n", exclusive=True, with_tail=False))
    except etree.LxmlError as error:
        raise ValueError(f"unknown element: {error}") from None
