"""How a dataclass field stands in XML: `name: Annotated[type, element("xmlName", KIND)]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.sep2.kinds import Kind


@dataclass(frozen=True, slots=True)
class Compound:
    """A nested resource, with bounds that hold on writing only."""

    type: type[Any]
    low: int
    high: int
    """Bounds of its `value`, both inclusive."""


@dataclass(frozen=True, slots=True)
class XmlField:
    """Where a field stands in XML and of what kind it is.

    `required` holds on writing: a server's omission is borne, our own is a `ValueError`. A field
    without a default is demanded on reading too.
    """

    name: str
    kind: Kind | Compound | type[Any]
    required: bool = False
    many: bool = False
    csipaus: bool = False
    """The element belongs to the CSIP-AUS extension namespace of the dialect."""
    attribute: bool = False


def element(
    name: str,
    kind: Kind | Compound | type[Any],
    *,
    required: bool = False,
    many: bool = False,
    csipaus: bool = False,
) -> XmlField:
    """A child element; `many` makes the field a tuple."""
    return XmlField(name, kind, required, many, csipaus)


def attribute(name: str, kind: Kind, *, required: bool = False) -> XmlField:
    """An attribute; its default is not written."""
    return XmlField(name, kind, required, attribute=True)
