"""Namespaces, and the few helpers that write and read elements of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from lxml import etree

from contracts.errors import ProtocolError

NAMESPACES = {
    "oadr": "http://openadr.org/oadr-2.0b/2012/07",
    "ei": "http://docs.oasis-open.org/ns/energyinterop/201110",
    "pyld": "http://docs.oasis-open.org/ns/energyinterop/201110/payloads",
    "emix": "http://docs.oasis-open.org/ns/emix/2011/06",
    "power": "http://docs.oasis-open.org/ns/emix/2011/06/power",
    "scale": "http://docs.oasis-open.org/ns/emix/2011/06/siscale",
    "strm": "urn:ietf:params:xml:ns:icalendar-2.0:stream",
    "xcal": "urn:ietf:params:xml:ns:icalendar-2.0",
    "gml": "http://www.opengis.net/gml/3.2",
    "atom": "http://www.w3.org/2005/Atom",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "dsp": "http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties",
}
SCHEMA_VERSION = "2.0b"
MAX_UNSIGNED = 2**32 - 1
"""Greatest xs:unsignedInt."""

Element = etree._Element
Value = TypeVar("Value")

_NOT_PLAIN = re.compile("[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URI = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:(?=.))?(?:[A-Za-z0-9\-._~/?!$&'()*+,;=@]|%[0-9A-Fa-f]{2}"
    r"|(?<=[^:])(?<!^):)*(?:#(?:[A-Za-z0-9\-._~/?!$&'()*+,;=@:]|%[0-9A-Fa-f]{2})*)?"
)


@cache
def qualified(name: str) -> str:
    """`ei:venID` in lxml's form, `{namespace}venID`."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


# --- building ----------------------------------------------------------------------------------


class Markup(str):
    """Well-formed XML, not to be escaped again."""

    __slots__ = ()


def node(name: str, *content: str | None, attributes: str = "") -> Markup:
    """An element with this text or these children; None stands for "absent" and is left out.

    Raises:
        ValueError: the text holds a character XML cannot carry.
    """
    body = "".join([p if isinstance(p, Markup) else escaped(p) for p in content if p is not None])
    return Markup(f"<{name}{attributes}>{body}</{name}>" if body else f"<{name}{attributes}/>")


def message(name: str, *content: str | None) -> Markup:
    """As `node`, for the element that names the message: it carries the schema's version."""
    return node(name, *content, attributes=f' ei:schemaVersion="{SCHEMA_VERSION}"')


def escaped(text: str) -> str:
    """Text as XML carries it; carriage returns survive.

    Raises:
        ValueError: it holds a character that XML 1.0 does not have.
    """
    if _NOT_PLAIN.search(text) is None:
        return text
    if (found := _ILLEGAL.search(text)) is not None:
        raise ValueError(f"text must be XML compatible: {found[0]!r} is not")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def maybe(name: str, text: str | None) -> Markup | None:
    """As `node`, or None when there is no text to send."""
    return None if text is None else node(name, text)


def nodes(name: str, texts: Iterable[str]) -> Iterator[Markup]:
    """One element for each text."""
    return (node(name, text) for text in texts)


def some(name: str, items: Iterable[Markup]) -> list[Markup]:
    """The elements, of which the schema wants at least one.

    Raises:
        ValueError: there is none.
    """
    found = list(items)
    if not found:
        raise ValueError(f"at least one {name} must be given")
    return found


def boolean(value: bool) -> str:
    """xs:boolean."""
    return "true" if value else "false"


def unsigned(value: int) -> str:
    """xs:unsignedInt.

    Raises:
        ValueError: out of its range.
    """
    if not 0 <= value <= MAX_UNSIGNED:
        raise ValueError(f"{value} is not an unsigned 32-bit number")
    return str(value)


def uri(value: str) -> str:
    """xs:anyURI.

    Raises:
        ValueError: it holds characters a URI must not hold unescaped, or is not built like one.
    """
    if _URI.fullmatch(value) is None:
        raise ValueError(f"not a URI: {value[:80]!r}")
    return value


# --- reading -----------------------------------------------------------------------------------


def child(element: Element, name: str) -> Element:
    """The first child of this name.

    Raises:
        ProtocolError: there is none.
    """
    for found in element.iterchildren(qualified(name)):
        return found
    raise ProtocolError(f"{local_name(element)}: {name} is missing")


def maybe_child(element: Element, name: str) -> Element | None:
    """The first child of this name, if any."""
    for found in element.iterchildren(qualified(name)):
        return found
    return None


def children(element: Element, name: str) -> list[Element]:
    """Every child of this name, in order."""
    return list(element.iterchildren(qualified(name)))


def some_children(element: Element, name: str) -> list[Element]:
    """As `children`.

    Raises:
        ProtocolError: there is none.
    """
    found = children(element, name)
    if not found:
        raise ProtocolError(f"{local_name(element)}: no {name}")
    return found


def text(element: Element, name: str) -> str:
    """The text of a child exactly as sent; empty when the child is.

    Raises:
        ProtocolError: there is no such child.
    """
    return child(element, name).text or ""


def maybe_text(element: Element, name: str) -> str | None:
    """As `text`, or None without the child."""
    found = maybe_child(element, name)
    return None if found is None else found.text or ""


def texts(element: Element, name: str) -> tuple[str, ...]:
    """The texts of every child of this name."""
    return tuple([found.text or "" for found in element.iterchildren(qualified(name))])


def value(element: Element, name: str, parse: Callable[[str], Value]) -> Value:
    """The text of a child, parsed.

    Raises:
        ProtocolError: the child is missing, or `parse` refuses its text with a ValueError.
    """
    raw = text(element, name)
    try:
        return parse(raw.strip())
    except ValueError as error:
        raise ProtocolError(f"{local_name(element)}/{name}: {error}") from error


def maybe_value(element: Element, name: str, parse: Callable[[str], Value]) -> Value | None:
    """As `value`, or None without the child, or when the child is empty."""
    return value(element, name, parse) if (maybe_text(element, name) or "").strip() else None


def parse_unsigned(raw: str) -> int:
    """xs:unsignedInt.

    Raises:
        ValueError: not a number, or out of its range.
    """
    if not raw.isascii() or not raw.isdigit() or len(raw) > 10 or int(raw) > MAX_UNSIGNED:  # noqa: PLR2004 - ten digits hold 2**32
        raise ValueError(f"not an unsigned 32-bit number: {raw[:40]!r}")
    return int(raw)
