"""IEEE 2030.5 codec: typed controls beside plain XML, a list of 500 as an aggregator polls it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from contracts.sep2 import codec
from contracts.sep2.dialect import CSIPAUS_V1_2, Dialect
from contracts.sep2.resources import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERControlList,
    EventStatus,
    Scaled,
)
from gridyard.bench.core import Row, at_most, median_s

_CONTROLS = 500
_START = datetime(2026, 6, 1, 12, tzinfo=UTC)
_DIALECT = Dialect(csipaus=CSIPAUS_V1_2)
_NS = "urn:ieee:std:2030.5:ns"
_BAR = 3.0


def rows() -> Sequence[Row]:
    """Reading and writing beside the least work that could do it."""
    controls = DERControlList(items=tuple(_control(n) for n in range(_CONTROLS)))
    xml = codec.encode(controls, _DIALECT)
    raw = _raw_read(xml)
    read, read_spread = median_s(lambda: codec.decode(xml, DERControlList))
    floor_read, _ = median_s(lambda: _raw_read(xml))
    write, write_spread = median_s(lambda: codec.encode(controls, _DIALECT))
    floor_write, _ = median_s(lambda: _raw_write(raw))
    scale = 1e6 / _CONTROLS
    what, unit = f"list of {_CONTROLS} DERControls", "µs/control"
    return [
        at_most(
            f"read a {what}",
            unit,
            read * scale,
            floor_read * scale,
            "lxml parse into tuples of the same fields",
            _BAR,
            read_spread,
        ),
        at_most(
            f"write a {what}",
            unit,
            write * scale,
            floor_write * scale,
            "lxml build of the same elements",
            _BAR,
            write_spread,
        ),
    ]


def _control(number: int) -> DERControl:
    return DERControl(
        href=f"/derp/1/derc/{number}",
        reply_to="/rsps/1/rsp",
        response_required=3,
        mrid=f"{number:024X}00009F1C",
        description="envelope",
        version=1,
        creation_time=_START,
        event_status=EventStatus(current_status=0, date_time=_START),
        interval=DateTimeInterval(
            duration=timedelta(minutes=5), start=_START + number * timedelta(minutes=5)
        ),
        der_control_base=DERControlBase(
            modes={"opModImpLimW": Scaled.of(150_000.0), "opModExpLimW": Scaled.of(0.0)}
        ),
    )


_Raw = tuple[Any, ...]
_TEXTS = ("mRID", "description")
_NUMBERS = ("version", "creationTime")
_STATUS = ("currentStatus", "dateTime")
_INTERVAL = ("duration", "start")
_TAG = {
    name: f"{{{_NS}}}{name}"
    for name in (*_TEXTS, *_NUMBERS, *_STATUS, *_INTERVAL, "potentiallySuperseded")
}
_STATUS_TAG, _INTERVAL_TAG, _BASE_TAG = (
    f"{{{_NS}}}{name}" for name in ("EventStatus", "interval", "DERControlBase")
)


def _raw_read(xml: bytes) -> list[_Raw]:
    """The least work that bears a missing element: by name; nothing is checked."""
    return [_raw_control(control) for control in etree.fromstring(xml)]


def _raw_control(control: Any) -> _Raw:  # noqa: ANN401 - an lxml element
    parts = {part.tag: part for part in control}
    status = {part.tag: part.text for part in parts[_STATUS_TAG]}
    interval = {part.tag: part.text for part in parts[_INTERVAL_TAG]}
    return (
        control.get("href"),
        control.get("replyTo"),
        control.get("responseRequired"),
        *[parts[_TAG[name]].text for name in _TEXTS],
        *[int(parts[_TAG[name]].text) for name in _NUMBERS],
        (*[int(status[_TAG[name]]) for name in _STATUS], status[_TAG["potentiallySuperseded"]]),
        [int(interval[_TAG[name]]) for name in _INTERVAL],
        [(mode.tag, *[int(part.text) for part in mode]) for mode in parts[_BASE_TAG]],
    )


def _raw_write(rows: Sequence[_Raw]) -> bytes:
    nsmap: dict[Any, str] = {None: _NS, "csipaus": CSIPAUS_V1_2}
    root = etree.Element(f"{{{_NS}}}DERControlList", nsmap=nsmap)
    for row in rows:
        _append_raw(root, row)
    return etree.tostring(root)


def _append_raw(root: Any, row: _Raw) -> None:  # noqa: ANN401 - an lxml element
    href, reply_to, required, mrid, description, version, created, status, interval, modes = row
    control = etree.SubElement(root, f"{{{_NS}}}DERControl")
    for name, text in (("href", href), ("replyTo", reply_to), ("responseRequired", required)):
        control.set(name, text)
    _append(control, "mRID", mrid)
    _append(control, "description", description)
    _append(control, "version", version)
    _append(control, "creationTime", created)
    _append_all(control, "EventStatus", (*_STATUS, "potentiallySuperseded"), status)
    _append_all(control, "interval", _INTERVAL, interval)
    base = etree.SubElement(control, f"{{{_NS}}}DERControlBase")
    for tag, multiplier, value in modes:
        mode = etree.SubElement(base, tag)
        _append(mode, "multiplier", multiplier)
        _append(mode, "value", value)


def _append_all(parent: Any, name: str, names: Sequence[str], values: _Raw) -> None:  # noqa: ANN401
    child = etree.SubElement(parent, f"{{{_NS}}}{name}")
    for part, value in zip(names, values, strict=True):
        _append(child, part, value)


def _append(parent: Any, name: str, value: object) -> None:  # noqa: ANN401
    etree.SubElement(parent, f"{{{_NS}}}{name}").text = str(value)
