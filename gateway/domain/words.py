"""Numbers as people read them, for causes and reasons."""

from __future__ import annotations

from datetime import timedelta

from contracts.power import kw_from_watts


def kw(power_w: float) -> str:
    """`12.5 kW`."""
    return f"{kw_from_watts(power_w):.1f} kW"


def pct(share: float) -> str:
    """`62 %` from 0.62."""
    return f"{share * 100:.0f} %"


def span(duration: timedelta) -> str:
    """`1 h 30 min`, `45 s`: the two largest units that matter."""
    seconds = round(duration.total_seconds())
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, name in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
