"""The report as a tagged PDF (PDF/UA-1), set by Typst with our own fonts and nothing else.

No system font, package or network is used, so the same report gives the same page anywhere.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import typst

from contracts.errors import PermanentError
from gateway.reports.audience import Variant
from gateway.reports.view import ReportView, report_view

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "participation.typ"
_NOT_IN_FONT = re.compile(
    "[^\\x20-\\x7e\\xa0-\\u017f\\u0386-\\u038a\\u038c\\u038e-\\u03a1\\u03a3-\\u03ce\\u0400-\\u045f"
    "\\u2013\\u2014\\u2018-\\u201a\\u201c-\\u201e\\u2020-\\u2022\\u2026\\u202f\\u20ac\\u2122"
    "\\u2212\\u2260\\u2264\\u2265]"
)
"""Characters the shipped fonts may lack: PDF/UA-1 forbids a missing glyph."""
REPLACEMENT = "?"


async def report_pdf(variant: Variant, zone: ZoneInfo | None = None) -> bytes:
    """The PDF of a report for one reader; the work is done in a thread.

    Raises:
        PermanentError: Typst refused the document.
    """
    return await asyncio.to_thread(rendered, variant, zone)


def rendered(variant: Variant, zone: ZoneInfo | None = None) -> bytes:
    """As `report_pdf`, here and now."""
    view = report_view(variant, zone)
    return render(view, variant.report.created_at)


def render(view: ReportView, created_at: datetime) -> bytes:
    """A view as PDF, here and now (about 0.05 s).

    Raises:
        PermanentError: Typst refused the document.
    """
    return typeset(_TEMPLATE, asdict(view), created_at)


def typeset(template: Path, data: Mapping[str, object], created_at: datetime) -> bytes:
    """A template of this folder with its data, as PDF/UA-1.

    Raises:
        PermanentError: Typst refused the document.
    """
    try:
        pdf = typst.compile(
            template,
            root=_HERE,
            font_paths=_fonts(),
            format="pdf",
            sys_inputs={"data": json.dumps(_printable(data))},
            pdf_standards=["ua-1"],
            timestamp=created_at.replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise PermanentError(f"report cannot be set: {error.message}") from error
    if not isinstance(pdf, bytes):
        raise PermanentError("report cannot be set: no document came back")
    return pdf


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(_HERE / "fonts")],
    )


def _printable(value: object) -> object:
    """The same data with every character that has no glyph replaced, and said so by a `?`."""
    if isinstance(value, str):
        return _NOT_IN_FONT.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value
