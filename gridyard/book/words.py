"""The flexibility book as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts
from gateway.domain.words import span


def book_lines(pages: Sequence[dict[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    """Page by page; hours in which nobody offers anything are left out."""
    if not pages:
        yield "this gateway takes part in no program"
    for page in pages:
        group = f", group {page['group']}" if page["group"] else ""
        old = page["oldest_s"]
        age = "no offers" if old is None else f"oldest reading {span(timedelta(seconds=old))} ago"
        yield f"{page['program_id']}{group} ({age})"
        yield "  hour              sites  down kW  sure kW    up kW  energy kWh"
        for line in page["lines"]:
            if line["sites"]:
                yield _line(line, zone)
        for site in page["out"]:
            yield f"  not counted: {site['site_id']}: {site['why']}"


def _line(line: dict[str, Any], zone: ZoneInfo) -> str:
    start = datetime.fromisoformat(line["start"]).astimezone(zone)
    down, sure, up, energy = (
        kw_from_watts(line[name]) for name in ("down_w", "sure_w", "up_w", "energy_wh")
    )
    return (
        f"  {start:%Y-%m-%d %H:%M}  {line['sites']:5d} {down:8.1f} {sure:8.1f} {up:8.1f} "
        f"{energy:11.1f}"
    )
