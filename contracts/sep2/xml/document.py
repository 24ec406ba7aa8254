"""Bytes of a peer to an element tree of the 2018 edition."""

from __future__ import annotations

from lxml import etree

from contracts import hostile_xml
from contracts.errors import ProtocolError
from contracts.hostile_xml import Element

NAMESPACE = "urn:ieee:std:2030.5:ns"
MAX_BYTES = 2 << 20
"""About 3000 controls with several modes each."""

_OLD_NAMESPACES = ("http://ieee.org/2030.5", "http://zigbee.org/sep")


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> Element:
    """See `hostile_xml.parse`; the root must have a namespace, and not that of an older edition."""
    root = hostile_xml.parse(data, max_bytes)
    _check_namespace(root)
    return root


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
