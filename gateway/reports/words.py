"""Numbers and times as people read them: kW, kWh, %, local time with its zone; "n/a" for unknown.

The only place (with `curve`) where the system's W, Wh and UTC turn into what is shown; written the
way `locales` has it for whoever reads (`styled`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from contracts.power import kw_from_watts
from contracts.time import Interval
from gateway.reports.locales import NEUTRAL, Style

NA = "n/a"
_MINUS = "\N{MINUS SIGN}"
_WHOLE_FROM = 1000.0
"""Numbers this large are shown without decimals."""


_STYLE: ContextVar[Style] = ContextVar("style", default=NEUTRAL)


@contextmanager
def styled(style: Style) -> Iterator[None]:
    """Everything that is written within is written so; threads begun within keep to it."""
    before = _STYLE.set(style)
    try:
        yield
    finally:
        _STYLE.reset(before)


def number(value: float | None, decimals: int = 1) -> str:
    """A number with a fixed count of decimals, thousands apart, or "n/a"."""
    if value is None:
        return NA
    shown = 0 if abs(value) >= _WHOLE_FROM else decimals
    text = _STYLE.get().number(f"{value:.{shown}f}")
    digits = text.lstrip("-")
    negative = text.startswith("-") and any(c in "123456789" for c in digits)
    return f"{_MINUS}{digits}" if negative else digits


def kilo(value: float | None) -> str:
    """W as kW (or Wh as kWh), one decimal, no unit."""
    return number(None if value is None else kw_from_watts(value))


def power(power_w: float | None) -> str:
    """W as `12.3 kW`."""
    return NA if power_w is None else f"{kilo(power_w)} kW"


def energy(energy_wh: float | None) -> str:
    """Wh as `12.3 kWh`."""
    return NA if energy_wh is None else f"{kilo(energy_wh)} kWh"


def money(amount: Decimal, currency: str) -> str:
    """`1 234.50 USD`: thousands apart, as many decimals as the amount has."""
    text = _STYLE.get().number(f"{amount:f}")
    return f"{text.replace('-', _MINUS)} {currency}"


def percent(value: float | None) -> str:
    """A number already in % as `98 %`."""
    return NA if value is None else f"{number(value, 0)} %"


def share(value: float | None) -> str:
    """A share 0-1 as `98 %`, never rounded up to 100."""
    if value is None:
        return NA
    return percent(100.0 if value >= 1.0 else min(99.0, value * 100.0))


def signed_power(power_w: float | None) -> str:
    """W as kW with the direction in words: `import 12.0 kW`, `export 3.0 kW`, `0.0 kW`."""
    if power_w is None:
        return NA
    size = kilo(abs(power_w))
    if not any(c in "123456789" for c in size):
        return f"{size} kW"
    return f"{'import' if power_w > 0 else 'export'} {size} kW"


def duration(span: timedelta | None) -> str:
    """`1 h 30 min`, `2 min 5 s`; "until further notice" for None; the two largest parts."""
    if span is None:
        return "until further notice"
    seconds = round(span.total_seconds())
    parts = [
        (seconds // 86400, "d"),
        (seconds % 86400 // 3600, "h"),
        (seconds % 3600 // 60, "min"),
        (seconds % 60, "s"),
    ]
    first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
    kept = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(kept) or "0 s"


def age(seconds: float | None) -> str:
    """How old a value is: `3 s`, `4 min`, `2 h`; "never" for None."""
    if seconds is None:
        return "never"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def zone(at: datetime, tz: tzinfo) -> str:
    """The zone in force at an instant: `PDT (UTC-07:00)` with a real minus sign."""
    local = at.astimezone(tz)
    offset = local.strftime("%z")
    name = local.tzname() or ""
    utc = "UTC" + (f"{offset[:3]}:{offset[3:5]}".replace("-", _MINUS) if int(offset) else "")
    return f"{name} ({utc})" if name.isalpha() and name != "UTC" else utc


def clock(at: datetime | None, tz: tzinfo) -> str:
    """Local time of day, `17:02:30`."""
    return NA if at is None else f"{at.astimezone(tz):%H:%M:%S}"


def day(at: datetime, tz: tzinfo) -> str:
    """Local date, `Sat 21 Nov 2026` (English, whatever the process locale)."""
    return _STYLE.get().day(at.astimezone(tz).date())


def moment(at: datetime | None, tz: tzinfo) -> str:
    """Local date, time and zone in full."""
    return NA if at is None else f"{day(at, tz)}, {clock(at, tz)} {zone(at, tz)}"


def span(window: Interval, tz: tzinfo) -> str:
    """Local start and end with zone; the second date only where it differs."""
    start = f"{day(window.start, tz)}, {clock(window.start, tz)}"
    if window.end is None:
        return f"from {start} {zone(window.start, tz)}, until further notice"
    same_zone = zone(window.start, tz) == zone(window.end, tz)
    first = start if same_zone else f"{start} {zone(window.start, tz)}"
    same_day = day(window.start, tz) == day(window.end, tz)
    last_day = "" if same_day else f"{day(window.end, tz)}, "
    return f"{first}\N{EN DASH}{last_day}{clock(window.end, tz)} {zone(window.end, tz)}"
