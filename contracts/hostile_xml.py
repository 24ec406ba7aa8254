"""Bytes of a peer to an element tree, and nothing worse: where all foreign XML is parsed."""

from __future__ import annotations

import re

from lxml import etree

from contracts.errors import ProtocolError

MAX_DEPTH = 40
"""The deepest message of OpenADR 2.0b needs about 12 levels, of IEEE 2030.5 about 10."""

Element = etree._Element

_ENCODING = re.compile(r"""\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")


def parse(data: bytes, max_bytes: int) -> Element:
    """The root of a document that may come from an enemy.

    No DTD and so no entities, no network, UTF-8 only, bounded size and depth.

    Raises:
        ProtocolError: the document breaks one of these bounds, or is not XML.
    """
    if len(data) > max_bytes:
        raise ProtocolError(f"document of {len(data)} bytes: the limit is {max_bytes}")
    _check_text(data)
    parser = etree.XMLParser(
        encoding="utf-8",  # whatever is declared
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
