"""Foreign bytes to a tree, and a tree to canonical bytes."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from contracts import hostile_xml
from contracts.errors import ProtocolError
from contracts.openadr.xml.elements import Element

MAX_MESSAGE_BYTES = 1 << 20


def parse(data: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> Element:
    """See `hostile_xml.parse`."""
    return hostile_xml.parse(data, max_bytes)


def canonical(element: Element, *, exclusive: bool = False, prefixes: Sequence[str] = ()) -> bytes:
    """Canonical XML 1.0 without comments; `prefixes` are those exclusive XML includes all the same.

    Raises:
        ProtocolError: there is no canonical form, as with a relative namespace.
    """
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=exclusive,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except etree.C14NError as error:
        raise ProtocolError("it has no canonical form") from error
