"""Our bytes, fixed: one golden file per message, and all of them valid by the official schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from contracts.errors import ProtocolError
from contracts.openadr.codec import decode, encode, message_name
from contracts.openadr.payloads import Payload
from contracts.openadr.schema import validate
from contracts.openadr.xml import event, opt, registration, report

GOLDEN = Path(__file__).parent / "golden"


def one_line(data: bytes) -> bytes:
    """The document without the line breaks that make a golden file readable."""
    root = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def test_writes_its_golden_file(sample: Payload) -> None:
    golden = (GOLDEN / f"{message_name(sample)}.xml").read_bytes()
    assert encode(sample) == one_line(golden)


def test_reads_its_golden_file(sample: Payload) -> None:
    assert decode(one_line((GOLDEN / f"{message_name(sample)}.xml").read_bytes())) == sample


def test_is_valid_by_the_official_schema(sample: Payload) -> None:
    validate(encode(sample))


def test_every_message_has_a_sample(samples: dict[str, Payload]) -> None:
    builders = {
        **registration.BUILDERS,
        **event.BUILDERS,
        **report.BUILDERS,
        **opt.BUILDERS,
    }
    readers = {**registration.READERS, **event.READERS, **report.READERS, **opt.READERS}
    assert {kind.__name__ for kind in builders} == samples.keys()
    assert readers.keys() == {f"oadr{name}" for name in samples}


def test_the_schema_refuses_what_is_not_valid(samples: dict[str, Payload]) -> None:
    broken = encode(samples["Poll"]).replace(b"venID", b"vanID")
    with pytest.raises(ProtocolError, match="not valid"):
        validate(broken)
