import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from gateway import reports
from gateway.domain.measure.report import ParticipationReport
from gateway.reports.audience import variant
from gateway.reports.pdf import _NOT_IN_FONT, render, report_pdf
from support.participation import seen

FONTS = Path(reports.__file__).parent / "fonts"


def text(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


@pytest.fixture(scope="session")
def pdf(report: ParticipationReport) -> bytes:
    return render(seen(report), report.created_at)


def test_the_document_is_tagged_titled_and_in_english(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    catalog: Any = reader.root_object
    assert bool(catalog["/MarkInfo"]["/Marked"])
    assert catalog["/Lang"] == "en"
    assert bool(catalog["/ViewerPreferences"]["/DisplayDocTitle"])
    assert "/StructTreeRoot" in catalog
    assert b"<pdfuaid:part>1</pdfuaid:part>" in catalog["/Metadata"].get_object().get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Participation report: Peak Relief, event evt-2026-1121"


def tags(pdf: bytes) -> list[Any]:
    """Every element of the tree of tags, as readers for the blind walk it."""
    found: list[Any] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(node)
            walk(node.get("/K", []))

    catalog: Any = PdfReader(io.BytesIO(pdf)).root_object
    walk(catalog["/StructTreeRoot"]["/K"])
    return found


def test_charts_are_told_in_words_and_tables_have_heads(
    pdf: bytes, report: ParticipationReport
) -> None:
    every = tags(pdf)
    told = [str(node["/Alt"]) for node in every if node["/S"] == "/Figure"]
    assert len(told) == 1 + len(report.sites)
    assert all("During the event: mean baseline" in alt for alt in told)
    kinds = {str(node["/S"]) for node in every}
    assert {"/H1", "/H2", "/Table", "/TH", "/TD"} <= kinds


def test_every_section_is_there(pdf: bytes) -> None:
    page = text(pdf)
    for section in (
        "Key figures",
        "What was asked, and our answer",
        "By site",
        "Exceptions",
        "Settlement",
        "Method",
    ):
        assert section in page
    assert "SIMULATED" in page
    assert "PRELIMINARY" in page
    assert "100.2 kW" in page
    assert "17:00:00–19:00:00 PST (UTC−08:00)" in page
    assert "no heartbeat for 120 s" in page
    assert "event day: 2026-11-12" in page


def test_text_from_outside_is_only_text(changed: Callable[..., ParticipationReport]) -> None:
    hostile = '#panic("run") *bold* $x$ <label> @ref \\ "quoted" `raw` #{sys.inputs}'
    report = changed(signal=hostile)
    assert '#panic("run") *bold* $x$ <label> @ref' in text(render(seen(report), report.created_at))


def test_a_name_the_fonts_cannot_show_does_not_stop_the_report(
    changed: Callable[..., ParticipationReport],
) -> None:
    report = changed(program_name="東京 depot \U0001f50b", signal="a\x00b\u202e")
    page = text(render(seen(report), report.created_at))
    assert "?? depot ?" in page


def test_every_character_let_through_has_a_glyph(report: ParticipationReport) -> None:
    allowed = [chr(c) for c in range(0x20, 0x2700) if not _NOT_IN_FONT.match(chr(c))]
    view = replace(seen(report), method=" ".join(allowed), program="".join(allowed))
    assert render(view, report.created_at).startswith(b"%PDF")


def test_a_report_with_no_sites_and_no_exceptions_prints(report: ParticipationReport) -> None:
    bare = replace(report, sites=(), exceptions=())
    page = text(render(seen(bare), report.created_at))
    assert "None: everything went to plan." in page


async def test_it_is_reproducible_and_made_off_the_loop(
    report: ParticipationReport, pdf: bytes
) -> None:
    assert await report_pdf(variant(report)) == pdf


def test_the_fonts_are_the_ones_in_the_manifest() -> None:
    for entry in json.loads((FONTS / "manifest.json").read_text())["files"]:
        assert hashlib.sha256((FONTS / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        for licence in entry["licence_files"]:
            assert "SIL OPEN FONT LICENSE" in (FONTS / licence).read_text()
