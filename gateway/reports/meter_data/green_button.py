"""Meter data as a Green Button feed: NAESB REQ.21 (ESPI) resources in an Atom feed (RFC 4287).

One UsagePoint with a MeterReading for what was taken and, where anything was, one for what was fed
in; each with its ReadingType and an IntervalBlock a local day. The codes are those of ReadingType
in ESPI: commodity 1 (electricity, secondary metered), kind 12 (energy), uom 72 (Wh),
accumulationBehaviour 4 (delta), flowDirection 1 (forward) and 19 (reverse): function block FB_05 of
Green Button. Times are seconds since 1970 in UTC; `LocalTimeParameters` tells how a reader gets
the wall clock from them. Tests validate whole feeds against the ESPI and Atom schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from gateway.reports.meter_data.dst_rule import local_time
from gateway.reports.meter_data.rows import MeterData, MeterRow
from gateway.reports.view import SIMULATED

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
MEDIA_TYPE = "application/atom+xml"
_CLOCK = "LocalTimeParameters/site"
_FORWARD, _REVERSE = 1, 19
_QUALITY = {"measured": 11, "estimated": 8}
"""ESPI QualityOfReading: 11 derived (from power), 8 estimated."""
_TITLES = {_FORWARD: "Energy taken from the grid", _REVERSE: "Energy fed into the grid"}


def green_button(data: MeterData) -> bytes:
    """The whole feed; intervals that are not known are left out, never zero."""
    for prefix, uri in (("", ATOM), ("espi", ESPI)):
        ET.register_namespace(prefix, uri)
    feed = ET.Element(f"{{{ATOM}}}feed")
    label = f" ({SIMULATED})" if data.simulated else ""
    _head(feed, data, "feed", f"{_text(data.name)}: Green Button usage{label}")
    point = f"UsagePoint/{_uuid(data, 'point')}"
    exported = any(row.net_wh is not None and row.net_wh < 0 for row in data.rows)
    flows = (_FORWARD, _REVERSE) if exported else (_FORWARD,)
    related = [_CLOCK, *(f"{point}/MeterReading/{flow}" for flow in flows)]
    usage = _entry(feed, data, "UsagePoint", point, _text(data.name), related)
    _leaf(ET.SubElement(usage, _e("ServiceCategory")), "kind", 0)
    _clock(feed, data)
    for flow in flows:
        _reading(feed, data, point, flow)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _clock(feed: ET.Element, data: MeterData) -> None:
    """The site's zone by the year in which the data begin."""
    first = data.rows[0].interval.start if data.rows else data.created_at
    local = local_time(data.zone, first.astimezone(data.zone).year)
    found = _entry(feed, data, "LocalTimeParameters", _CLOCK, f"Time zone {data.zone.key}", [])
    _leaf(found, "dstEndRule", local.end_rule)
    _leaf(found, "dstOffset", local.dst_offset_s)
    _leaf(found, "dstStartRule", local.start_rule)
    _leaf(found, "tzOffset", local.tz_offset_s)


def _reading(feed: ET.Element, data: MeterData, point: str, flow: int) -> None:
    """A MeterReading with its type and its blocks."""
    reading, kind = f"{point}/MeterReading/{flow}", f"ReadingType/{flow}"
    days = [(day, list(rows)) for day, rows in groupby(_known(data.rows), lambda r: _day(data, r))]
    blocks = [f"{reading}/IntervalBlock/{day}" for day, _ in days]
    _entry(feed, data, "MeterReading", reading, _TITLES[flow], [kind, *blocks])
    found = _entry(feed, data, "ReadingType", kind, f"Type of {_TITLES[flow].lower()}", [])
    for name, value in (
        ("accumulationBehaviour", 4),
        ("commodity", 1),
        ("dataQualifier", 12),
        ("flowDirection", flow),
        ("intervalLength", int(data.length.total_seconds())),
        ("kind", 12),
        ("powerOfTenMultiplier", 0),
        ("timeAttribute", 0),
        ("uom", 72),
    ):
        _leaf(found, name, value)
    for (day, rows), block in zip(days, blocks, strict=True):
        _block(_entry(feed, data, "IntervalBlock", block, day, []), rows, flow)


def _block(block: ET.Element, rows: Sequence[MeterRow], flow: int) -> None:
    end = max(row.interval.end or row.interval.start for row in rows)
    _period(block, "interval", rows[0].interval.start, end)
    for row in rows:
        reading = ET.SubElement(block, _e("IntervalReading"))
        quality = ET.SubElement(reading, _e("ReadingQuality"))
        _leaf(quality, "quality", _QUALITY[row.quality])
        _period(reading, "timePeriod", row.interval.start, row.interval.end or end)
        net = row.net_wh or 0.0
        _leaf(reading, "value", round(max(0.0, net if flow == _FORWARD else -net)))


def _period(parent: ET.Element, name: str, start: datetime, end: datetime) -> None:
    found = ET.SubElement(parent, _e(name))
    _leaf(found, "duration", int((end - start).total_seconds()))
    _leaf(found, "start", int(start.timestamp()))


def _entry(
    feed: ET.Element, data: MeterData, kind: str, path: str, title: str, related: Sequence[str]
) -> ET.Element:
    """An Atom entry with its links; the resource inside, still empty."""
    entry = ET.SubElement(feed, f"{{{ATOM}}}entry")
    up = path.rpartition("/")[0]
    links = [("self", path), ("up", up), *(("related", one) for one in related)]
    _head(entry, data, path, title, links)
    content = ET.SubElement(entry, f"{{{ATOM}}}content", {"type": "application/xml"})
    return ET.SubElement(content, _e(kind))


def _head(
    element: ET.Element,
    data: MeterData,
    path: str,
    title: str,
    links: Sequence[tuple[str, str]] = (),
) -> None:
    at = data.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ET.SubElement(element, f"{{{ATOM}}}id").text = f"urn:uuid:{_uuid(data, path)}"
    for rel, href in links:
        ET.SubElement(element, f"{{{ATOM}}}link", {"rel": rel, "href": href})
    ET.SubElement(element, f"{{{ATOM}}}title").text = title
    ET.SubElement(element, f"{{{ATOM}}}updated").text = at


def _leaf(parent: ET.Element, name: str, value: int | str) -> None:
    ET.SubElement(parent, _e(name)).text = str(value)


def _known(rows: Sequence[MeterRow]) -> Iterator[MeterRow]:
    return (row for row in rows if row.net_wh is not None)


def _day(data: MeterData, row: MeterRow) -> str:
    return row.interval.start.astimezone(data.zone).date().isoformat()


def _uuid(data: MeterData, path: str) -> str:
    """The same for the same thing, so that a feed read again updates what is known."""
    return str(uuid5(NAMESPACE_URL, f"gridyard:{data.site_id}:{path}"))


def _text(text: str) -> str:
    """Without characters that XML 1.0 does not know."""
    return "".join(one for one in text if one.isprintable())


def _e(name: str) -> str:
    return f"{{{ESPI}}}{name}"
