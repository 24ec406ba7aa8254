"""Anomalies as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


def anomaly_lines(found: Sequence[dict[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    """One after the other, newest first."""
    if not found:
        yield "nothing was found wrong"
    for one in found:
        start, end = (
            f"{datetime.fromisoformat(one[name]).astimezone(zone):%Y-%m-%d %H:%M}"
            for name in ("start", "end")
        )
        yield f"{one['site_id']}  {one['code']}  {one['subject']}  {start} to {end}"
        yield f"  {one['reason']}"
        yield f"  {one['what_to_do']}"
