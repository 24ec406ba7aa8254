"""A report for one reader as a file: PDF, CSV, Excel or Parquet, made in a thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.reports.audience import Variant
from gateway.reports.export import intervals, tables
from gateway.reports.pdf import rendered
from gateway.reports.tables import as_csv, as_parquet, as_xlsx
from gateway.reports.view import SIMULATED


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """One kind of file."""

    media_type: str
    make: Callable[[Variant, ZoneInfo | None], bytes]
    shown: bool = False
    """Browsers show it rather than keep it."""


MEDIA_TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


def _csv(shown: Variant, zone: ZoneInfo | None) -> bytes:
    return as_csv(intervals(shown.report, zone))


def _xlsx(shown: Variant, zone: ZoneInfo | None) -> bytes:
    return as_xlsx(tables(shown, zone), shown.report.created_at)


def _parquet(shown: Variant, zone: ZoneInfo | None) -> bytes:
    return as_parquet(intervals(shown.report, zone))


KINDS: Mapping[str, FileKind] = {
    "pdf": FileKind(media_type=MEDIA_TYPES["pdf"], make=rendered, shown=True),
    "csv": FileKind(media_type=MEDIA_TYPES["csv"], make=_csv),
    "xlsx": FileKind(media_type=MEDIA_TYPES["xlsx"], make=_xlsx),
    "parquet": FileKind(media_type=MEDIA_TYPES["parquet"], make=_parquet),
}
"""By the ending of the file's name."""


async def report_file(shown: Variant, ending: str, zone: ZoneInfo | None = None) -> bytes:
    """The file; the event loop does not wait for it.

    Raises:
        KeyError: there is no such kind.
        PermanentError: it cannot be made; says why.
    """
    return await asyncio.to_thread(KINDS[ending].make, shown, zone)


def file_name(shown: Variant, ending: str) -> str:
    """`participation_<event>_v2_PRELIMINARY_SIMULATED.pdf`, safe in a header and on a disk."""
    report, head = shown.report, shown.report.header
    site = f"_{safe(report.sites[0].site_id)}" if shown.audience == "owner" else ""
    whom = "_utility" if shown.audience == "utility" else site
    status = "FINAL" if report.final else "PRELIMINARY"
    label = f"_{SIMULATED}" if head.simulated else ""
    return f"participation_{safe(head.event_id)}{whom}_v{report.version}_{status}{label}.{ending}"


def safe(name: str) -> str:
    """A name from outside as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.")[:60] or "event"
