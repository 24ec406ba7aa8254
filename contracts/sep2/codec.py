"""Resources to bytes and back."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from contracts.errors import ProtocolError
from contracts.hostile_xml import Element
from contracts.sep2.dialect import CSIPAUS_NAMESPACES, PLAIN, Dialect
from contracts.sep2.resources import Error, Resource
from contracts.sep2.xml.document import MAX_BYTES, NAMESPACE, local_name, parse
from contracts.sep2.xml.plan import DOCUMENTS, xml_name
from contracts.sep2.xml.reader import reader
from contracts.sep2.xml.writer import Output, writer

MEDIA_TYPE = "application/sep+xml"
"""Of every body, both ways (IEEE 2030.5-2018, 5.5)."""

_XSI = "http://www.w3.org/2001/XMLSchema-instance"

Document = Resource | Error
"""What a body can hold."""
DocumentT = TypeVar("DocumentT", bound=Document)


def encode(resource: Document, dialect: Dialect = PLAIN) -> bytes:
    """The resource as a whole document in UTF-8, in the order of the schema.

    Raises:
        ValueError: a value the schema cannot carry or demands, or an element that the dialect
            does not have; the message names the way to it.
    """
    cls = type(resource)
    name = xml_name(cls)
    if cls.__name__ not in DOCUMENTS:
        raise ValueError(f"{cls.__name__} is no document")
    out = Output(dialect)
    if ":" in name:
        out.claim_csipaus(cls.__name__)
    try:
        writer(cls, name)(resource, out)
    except ValueError as error:
        raise ValueError(f"{cls.__name__}: {error}") from None
    out[0] = out[0].replace(f"<{name}", f"<{name}{_declarations(out, dialect)}", 1)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(out).encode()


def _declarations(out: Output, dialect: Dialect) -> str:
    declared = f' xmlns="{NAMESPACE}"'
    if "csipaus" in out.prefixes:
        declared += f' xmlns:csipaus="{dialect.csipaus}"'
    if "xsi" in out.prefixes:
        declared += f' xmlns:xsi="{_XSI}"'
    return declared


@overload
def decode(data: bytes, expected: None = None, max_bytes: int = MAX_BYTES) -> Document: ...


@overload
def decode(data: bytes, expected: type[DocumentT], max_bytes: int = MAX_BYTES) -> DocumentT: ...


def decode(data: bytes, expected: type[Any] | None = None, max_bytes: int = MAX_BYTES) -> Document:
    """The resource in `data`, an `expected` (or a subclass of it) when that is given.

    Elements we do not know are kept where a class has `extension`, otherwise ignored. An item of
    a list that cannot be read does not raise: it stands in `ResourceList.rejected`.

    Raises:
        ProtocolError: too large, not XML, not a resource of IEEE 2030.5-2018 we speak, not the
            expected one, or a field missing or wrong; the message names the way to it.
    """
    root = parse(data, max_bytes)
    cls = _class_of(root)
    if expected is not None and not issubclass(cls, expected):
        raise ProtocolError(f"a {cls.__name__}, not a {expected.__name__}")
    try:
        document: Document = reader(cls)(root)
    except ValueError as error:
        raise ProtocolError(f"{cls.__name__}: {error}") from None
    return document


def _class_of(root: Element) -> type[Any]:
    name = local_name(root)
    namespaces = (NAMESPACE, *CSIPAUS_NAMESPACES) if name == "ConnectionPoint" else (NAMESPACE,)
    if name not in DOCUMENTS or root.tag not in [f"{{{space}}}{name}" for space in namespaces]:
        raise ProtocolError(f"unknown resource {str(root.tag)[:80]!r}")
    return DOCUMENTS[name]
