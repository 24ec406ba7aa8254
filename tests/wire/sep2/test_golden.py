"""Our bytes, fixed: a golden file per kind of resource, valid by the official schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.sep2.codec import Document, decode, encode
from contracts.sep2.dialect import CSIPAUS_V1_2, PLAIN, Dialect
from support.sep2_samples import CAPABILITY, TIME
from support.sep2_samples_more import SAMPLES
from support.sep2_schema import faults

GOLDEN = Path(__file__).parent / "golden"
AUSTRALIAN = Dialect(csipaus=CSIPAUS_V1_2)


def golden(sample: Document) -> bytes:
    return (GOLDEN / f"{type(sample).__name__}.xml").read_bytes()


def one_line(data: bytes) -> bytes:
    """The document without the line breaks that make a golden file readable."""
    declaration, *lines = data.splitlines()
    return declaration + b"\n" + b"".join(line.strip() for line in lines)


@pytest.fixture(params=SAMPLES, ids=lambda sample: type(sample).__name__)
def sample(request: pytest.FixtureRequest) -> Document:
    document: Document = request.param
    return document


def test_writes_its_golden_file(sample: Document) -> None:
    assert encode(sample, AUSTRALIAN) == one_line(golden(sample))


def test_reads_its_golden_file(sample: Document) -> None:
    assert decode(golden(sample), type(sample)) == sample


def test_its_golden_file_is_valid_by_the_official_schema(sample: Document) -> None:
    assert faults(golden(sample), AUSTRALIAN) == []


def test_every_golden_file_has_a_sample() -> None:
    assert {path.stem for path in GOLDEN.glob("*.xml")} == {type(s).__name__ for s in SAMPLES}


def test_a_plain_document_is_valid_without_the_australian_extension() -> None:
    assert faults(encode(TIME, PLAIN), PLAIN) == []
    assert b"csipaus" not in encode(TIME, AUSTRALIAN)


def test_the_schema_refuses_what_is_not_valid() -> None:
    assert faults(encode(CAPABILITY, AUSTRALIAN), PLAIN)
    assert faults(encode(TIME).replace(b"quality", b"quantity"), PLAIN)
