"""The official schema, read from the installed openleadr package (it may not be copied)."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from contracts.errors import PermanentError, ProtocolError
from contracts.openadr.xml.envelope import parse


def validate(data: bytes) -> None:
    """Check a whole document against `oadr_20b.xsd`.

    Raises:
        ProtocolError: not well-formed, or not valid; the message holds the first fault.
        PermanentError: openleadr, which carries the schema, is not installed.
    """
    try:
        _schema().assertValid(parse(data))
    except etree.DocumentInvalid as error:
        raise ProtocolError(f"not valid: {error}") from error


@cache
def _schema() -> etree.XMLSchema:
    spec = find_spec("openleadr")  # finds without importing it
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError("the OpenADR schema comes with openleadr: install it")
    path = Path(spec.submodule_search_locations[0]) / "schema" / "oadr_20b.xsd"
    return etree.XMLSchema(etree.parse(str(path)))
