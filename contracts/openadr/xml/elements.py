"""Namespaces, and the few helpers that build and read elements of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
}
SCHEMA_VERSION = "2.0b"
MAX_UNSIGNED = 2**32 - 1
"""Greatest xs:unsignedInt."""

Element = etree._Element
Value = TypeVar("Value")


@cache
def qualified(name: str) -> str:
    """`ei:venID` in lxml's form, `{namespace}venID`."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


# --- building ----------------------------------------------------------------------------------


def node(name: str, *content: Element | str | None) -> Element:
    """An element with this text or these children; None stands for "absent" and is left out.

    Raises:
        ValueError: the text holds a character XML cannot carry.
    """
    element = etree.Element(qualified(name), nsmap=NAMESPACES)
    for part in content:
        if isinstance(part, str):
            element.text = part
        elif part is not None:
            element.append(part)
    return element


def maybe(name: str, text: str | None) -> Element | None:
    """As `node`, or None when there is no text to send."""
    return None if text is None else node(name, text)


def nodes(name: str, texts: tuple[str, ...]) -> Iterator[Element]:
    """One element for each text."""
    return (node(name, text) for text in texts)


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


# --- reading -----------------------------------------------------------------------------------


def child(element: Element, name: str) -> Element:
    """The first child of this name.

    Raises:
        ProtocolError: there is none.
    """
    found = element.find(qualified(name))
    if found is None:
        raise ProtocolError(f"{local_name(element)}: {name} is missing")
    return found


def maybe_child(element: Element, name: str) -> Element | None:
    """The first child of this name, if any."""
    return element.find(qualified(name))


def children(element: Element, name: str) -> list[Element]:
    """Every child of this name, in order."""
    return element.findall(qualified(name))


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
    return tuple(found.text or "" for found in children(element, name))


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
