"""What `gridyard meter` asks of a running gateway.

Raises:
    ConfigError: the file cannot be read, or a time is none.
    PermanentError: the gateway refuses, with its reason.
    TransientError: no gateway answers there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from contracts.errors import ConfigError
from gateway.domain.metering.stamps import instant
from gridyard.at_gateway.asking import asked, posted

Json = dict[str, Any]
Progress = Callable[[int, int], None]
ROWS_AT_ONCE = 10_000
_TYPES = {".json": "application/json", ".csv": "text/csv", ".xml": "application/atom+xml"}
_COUNTS = ("stored", "known", "flagged", "refused")
_LISTED = 20


def delivered(
    url: str, path: Path, site: str, meter: str, query: Mapping[str, str], progress: Progress
) -> Json:
    """Deliver a file; a CSV goes in parts of 10,000 rows."""
    kind = _TYPES.get(path.suffix.lower())
    if kind is None:
        raise ConfigError(f"{path}: its name must end in one of {', '.join(_TYPES)}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    parts = list(_parts(content)) if kind == "text/csv" else [content]
    return asyncio.run(_delivered(url, _path(site, meter), parts, kind, query, progress))


async def _delivered(
    url: str,
    path: str,
    parts: Sequence[bytes],
    kind: str,
    query: Mapping[str, str],
    progress: Progress,
) -> Json:
    whole: Json = {}
    for number, part in enumerate(parts):
        answer = await posted(url, f"{path}/intervals?{urlencode(query)}", part, kind)
        for one in answer["refusals"]:
            if one["row"] is not None:
                one["row"] += number * ROWS_AT_ONCE
        whole = _joined(whole, answer)
        progress(number + 1, len(parts))
    return whole


def _joined(whole: Json, part: Json) -> Json:
    if not whole:
        return part
    counts = {name: whole[name] + part[name] for name in _COUNTS}
    lists = {name: whole[name] + part[name] for name in ("refusals", "noted")}
    return {**whole, **counts, **lists}


def _parts(content: bytes) -> Iterator[bytes]:
    """The file in parts, each with its header; one that has no rows goes as it is."""
    header, *rows = content.splitlines(keepends=True) or [b""]
    for first in range(0, max(1, len(rows)), ROWS_AT_ONCE):
        yield header + b"".join(rows[first : first + ROWS_AT_ONCE])


def meters(url: str, site: str) -> list[Json]:
    """The meters of a site."""
    found: list[Json] = asyncio.run(asked(url, f"sites/{quote(site, safe='')}/meters"))
    return found


def shown(
    url: str, site: str, meter: str, days: tuple[str, str], known_at: str | None
) -> tuple[list[Json], ZoneInfo]:
    """The intervals of whole days of the site, and the site's zone."""
    return asyncio.run(_over_days(url, site, meter, "intervals", days, known_at))


def gaps(url: str, site: str, meter: str, days: tuple[str, str]) -> tuple[list[Json], ZoneInfo]:
    """What is missing of whole days of the site, and the site's zone."""
    return asyncio.run(_over_days(url, site, meter, "missing", days, None))


def versions(url: str, site: str, meter: str, start: str) -> tuple[list[Json], ZoneInfo]:
    """Everything ever said of one interval; `start` with an offset or on the site's wall."""
    return asyncio.run(_versions(url, site, meter, start))


async def _over_days(
    url: str, site: str, meter: str, what: str, days: tuple[str, str], known_at: str | None
) -> tuple[list[Json], ZoneInfo]:
    zone = await _zone(url, site)
    first, last = (_day(one) for one in days)
    begins, ends = (
        instant(f"{one.isoformat()}T00:00", zone) for one in (first, last + timedelta(days=1))
    )
    query = {"start": begins.isoformat(), "end": ends.isoformat()}
    if known_at:
        query["known_at"] = _instant(known_at, zone).isoformat()
    return await asked(url, f"{_path(site, meter)}/{what}?{urlencode(query)}"), zone


async def _versions(url: str, site: str, meter: str, start: str) -> tuple[list[Json], ZoneInfo]:
    zone = await _zone(url, site)
    query = urlencode({"start": _instant(start, zone).isoformat()})
    return await asked(url, f"{_path(site, meter)}/versions?{query}"), zone


async def _zone(url: str, site: str) -> ZoneInfo:
    return ZoneInfo((await asked(url, f"sites/{quote(site, safe='')}"))["time_zone"])


def _path(site: str, meter: str) -> str:
    return f"sites/{quote(site, safe='')}/meters/{quote(meter, safe='')}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no day: write 2026-10-31") from error


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        return instant(text, zone)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def delivered_lines(found: Json) -> Iterator[str]:
    """What became of a delivery."""
    yield (
        f"meter {found['meter']} of {found['site_id']}: {found['stored']} stored, "
        f"{found['known']} known already, {found['flagged']} flagged, {found['refused']} refused"
    )
    for one in found["refusals"][:_LISTED]:
        where = f"row {one['row']}" if one["row"] is not None else one["start"]
        yield f"  refused  {where}: {one['reason']}"
    for one in found["noted"][:_LISTED]:
        yield f"  {one['quality']:<8} {one['start']}: {one['reason'] or 'its source says so'}"
    rest = found["refused"] - _LISTED
    if rest > 0:
        yield f"  and {rest} more refused: see --json"


def interval_lines(found: Sequence[Json], zone: ZoneInfo) -> Iterator[str]:
    """A line an interval, in the site's zone."""
    if not found:
        yield "nothing was delivered"
    for one in found:
        energy = one["energy_wh"]
        said = "no value" if energy is None else f"{energy / 1000:.3f} kWh"
        note = f"  {one['reason']}" if one["reason"] else ""
        yield f"{_local(one['start'], zone)}  {said:>14}  {one['quality']}, v{one['version']}{note}"


def version_lines(found: Sequence[Json], zone: ZoneInfo) -> Iterator[str]:
    """A line a version, with when it was issued and came in."""
    for line, one in zip(interval_lines(found, zone), found, strict=False):
        issued, received = (_local(one[name], zone) for name in ("issued_at", "received_at"))
        yield f"{line}  issued {issued}, received {received}"
    if not found:
        yield "nothing was ever delivered of it"


def gap_lines(found: Sequence[Json], zone: ZoneInfo) -> Iterator[str]:
    """A line a gap."""
    if not found:
        yield "nothing is missing"
    for one in found:
        start, end = (_local(one[name], zone) for name in ("start", "end"))
        yield f"{start} to {end}: {one['intervals']} intervals"


def meter_lines(found: Sequence[Json]) -> Iterator[str]:
    """A line a meter."""
    if not found:
        yield "no meter: give the site `meters` in the gateway's settings"
    for one in found:
        most = "" if one["limit_w"] is None else f", at most {one['limit_w'] / 1000:g} kW"
        yield f"{one['name']}: {one['direction']}, every {one['interval_s'] / 60:g} min{most}"


def _local(text: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).isoformat(timespec="minutes")
