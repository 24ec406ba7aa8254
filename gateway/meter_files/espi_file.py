"""Meter data as a Green Button feed: NAESB REQ.21 (ESPI) resources in Atom.

Read are IntervalReadings of the register's direction (flowDirection 1 forward, 19 reverse, 4 net)
in Wh (uom 72) with their powerOfTenMultiplier. What a reading's quality code means is said in the
standard's QualityOfReading. Times are seconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.errors import PermanentError, ProtocolError
from contracts.hostile_xml import Element, parse
from contracts.reading import Quality
from gateway.domain.metering.interval import Register
from gateway.domain.metering.issuing import Told
from gateway.meter_files.reading import MAX_BYTES, ReadFile, Reading, Unread, bounded

_ATOM, _ESPI = "{http://www.w3.org/2005/Atom}", "{http://naesb.org/espi}"
_WH = 72
_DIRECTIONS: Mapping[Register, frozenset[int]] = {
    Register.IMPORT: frozenset({0, 1}),
    Register.EXPORT: frozenset({19}),
    Register.NET: frozenset({4}),
}
_QUALITY: Mapping[int, tuple[Quality, str]] = {
    7: (Quality.GOOD, "edited by hand, its source says"),
    8: (Quality.ESTIMATED, "estimated by a reference day"),
    9: (Quality.ESTIMATED, "estimated by interpolation"),
    10: (Quality.ESTIMATED, "questionable, its source says"),
    11: (Quality.ESTIMATED, "derived, its source says"),
    12: (Quality.INVALID, "projected, not measured"),
    13: (Quality.ESTIMATED, "of mixed quality, its source says"),
    14: (Quality.GOOD, "raw, not yet validated"),
    15: (Quality.ESTIMATED, "normalised for the weather"),
}
"""What is not listed is good: 0 valid, 17 validated, 18 verified, 19 of revenue quality."""
_MOST_POWERS = 12
_LATEST_S = 4_102_444_800
"""The year 2100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    direction: int
    factor: float


def read_espi(data: bytes, reading: Reading) -> ReadFile:
    """A feed's intervals of the meter's direction.

    Raises:
        PermanentError: it is no such feed, has none of that direction, or they are no energy.
    """
    try:
        root = parse(data, MAX_BYTES)
    except ProtocolError as error:
        raise PermanentError(f"no Green Button feed: {error}") from error
    wanted = _DIRECTIONS[reading.meter.rules.register]
    told: list[Told] = []
    unread: list[Unread] = []
    for number, (one, kind) in enumerate(_readings(root), 1):
        bounded(number)
        if kind.direction not in wanted:
            continue
        try:
            told.append(_told(one, kind, reading))
        except (ValueError, OverflowError) as error:
            unread.append(Unread(row=number, reason=str(error)))
    if not told and not unread:
        what = reading.meter.rules.register.value
        raise PermanentError(f"the feed has no IntervalReading of a register of {what}")
    return ReadFile(told=tuple(told), unread=tuple(unread))


def _readings(root: Element) -> Iterator[tuple[Element, _Type]]:
    """Every IntervalReading with its type."""
    entries = list(root.iter(_ATOM + "entry"))
    types = {_self(e): _type(t) for e in entries for t in e.iter(_ESPI + "ReadingType")}
    if not types:
        raise PermanentError("the feed has no ReadingType, so its unit is not known")
    meters = {
        _self(entry): kind
        for entry in entries
        if entry.find(f"{_ATOM}content/{_ESPI}MeterReading") is not None
        for kind in (_related(entry, types),)
        if kind is not None
    }
    only = next(iter(types.values())) if len(types) == 1 else None
    for entry in entries:
        kind = only or _above(_self(entry), meters)
        for one in entry.iter(_ESPI + "IntervalReading"):
            if kind is None:
                raise PermanentError(f"nothing says of which type {_self(entry)!r} is")
            yield one, kind


def _self(entry: Element) -> str:
    return next((x.get("href") or "" for x in _links(entry, "self")), "")


def _links(entry: Element, rel: str) -> Iterator[Element]:
    return (one for one in entry.iter(_ATOM + "link") if one.get("rel") == rel)


def _related(entry: Element, types: Mapping[str, _Type]) -> _Type | None:
    found = (types.get(one.get("href") or "") for one in _links(entry, "related"))
    return next((one for one in found if one is not None), None)


def _above(path: str, meters: Mapping[str, _Type]) -> _Type | None:
    return next((kind for up, kind in meters.items() if up and path.startswith(up + "/")), None)


def _type(kind: Element) -> _Type:
    try:
        uom, multiplier = _int(kind, "uom"), _int(kind, "powerOfTenMultiplier") or 0
        direction = _int(kind, "flowDirection") or 0
    except ValueError as error:
        raise PermanentError(f"ReadingType: {error}") from error
    if uom != _WH:
        raise PermanentError(f"the feed is in the unit of uom {uom}: only {_WH}, Wh, is read")
    if abs(multiplier) > _MOST_POWERS:
        raise PermanentError(f"powerOfTenMultiplier {multiplier} is none")
    return _Type(direction=direction, factor=10.0**multiplier)


def _told(one: Element, kind: _Type, reading: Reading) -> Told:
    start, length = _int(one, "timePeriod/start"), _int(one, "timePeriod/duration")
    value = _int(one, "value")
    if start is None or length is None or not 0 < start < _LATEST_S:
        raise ValueError("an IntervalReading without a timePeriod")
    quality, reason = _QUALITY.get(_int(one, "ReadingQuality/quality") or 0, (Quality.GOOD, ""))
    return reading.told(
        datetime.fromtimestamp(start, UTC),
        None if value is None else value * kind.factor,
        length=timedelta(seconds=length),
        quality=quality,
        reason=reason,
    )


def _int(parent: Element, path: str) -> int | None:
    text = parent.findtext("/".join(_ESPI + part for part in path.split("/")))
    if text is None or not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{path} {text[:40]!r} is no whole number") from None
