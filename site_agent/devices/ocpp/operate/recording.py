"""A saved trace: JSON lines, a header first, times in UTC.

::

    {"gridyard_trace": 1, "charge_point": "CP1", "versions": ["ocpp1.6"], "evses": {...}, ...}
    {"at": "2026-01-05T12:00:00.123456+00:00", "direction": "in", "text": "[2,...]"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.operate.secrets import without_passwords
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.trace import LONGEST, Direction, Frame
from site_agent.domain.device import ChargerSpec
from site_agent.domain.fleet.access import Offline

_FORMAT = "gridyard_trace"
_MOST_LINES = 200_000
_LONGEST_LINE = 8 * LONGEST

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Frames of one station, and what it is."""

    station: StationConfig
    """Without its password."""
    timing: Timing
    offline: Offline | None
    """What the site wants of chargers that cannot ask."""
    agent: str
    """Version of the agent that recorded it."""
    frames: tuple[Frame, ...]


def header(
    station: StationConfig, timing: Timing, offline: Offline | None, agent: str, now: datetime
) -> Json:
    """The first line."""
    return {
        _FORMAT: 1,
        "charge_point": station.charge_point_id,
        "versions": [version.value for version in station.versions],
        "agent": agent,
        "saved_at": now.isoformat(),
        "heartbeat_s": timing.heartbeat_s,
        "meter_interval_s": timing.meter_interval_s,
        "offline": None if offline is None else offline.value,
        "evses": [
            {
                "evse": number,
                "id": spec.evse_id,
                "phases": list(spec.phases),
                "max_current_a": spec.max_current_a,
                "min_current_a": spec.min_current_a,
                "fail_safe_current_a": spec.fail_safe_current_a,
                "voltage_v": spec.voltage_v,
            }
            for number, spec in station.evses.items()
        ],
    }


def entry(frame: Frame) -> Json:
    """A frame as a line; passwords are left out."""
    return {
        "at": frame.at.isoformat(),
        "direction": frame.direction.value,
        "text": without_passwords(frame.text),
    }


def frame_of(line: Json) -> Frame:
    """The frame of a line.

    Raises:
        ProtocolError: it is none.
    """
    try:
        return Frame(
            fields.moment(line, "at"),
            Direction(fields.text(line, "direction", 10)),
            fields.text(line, "text", LONGEST),
        )
    except ValueError as error:
        raise ProtocolError(f"no frame: {error}") from error


def load(lines: Iterable[str]) -> Recording:
    """Read a saved trace.

    Raises:
        ProtocolError: it is none, or too large; the message names the line.
    """
    first: Json | None = None
    frames = []
    for number, text in enumerate(lines, start=1):
        try:
            line = _object(text, number)
            if first is None:
                first = line
            else:
                frames.append(frame_of(line))
        except ProtocolError as error:
            raise ProtocolError(f"line {number}: {error}") from error
    if first is None or first.get(_FORMAT) != 1:
        raise ProtocolError("no trace saved by `gridyard ocpp trace --save`")
    return _recording(first, tuple(frames))


def _recording(first: Json, frames: tuple[Frame, ...]) -> Recording:
    versions = first.get("versions")
    rule = fields.text_or_none(first, "offline", 20)
    try:
        known = tuple(Version(word) for word in versions) if isinstance(versions, list) else ()
        offline = None if rule is None else Offline(rule)
    except ValueError as error:
        raise ProtocolError(f"line 1: {error}") from error
    interval = first.get("meter_interval_s")
    station = StationConfig(
        charge_point_id=fields.text(first, "charge_point", 255),
        evses={fields.whole(each, "evse"): _spec(each) for each in fields.parts(first, "evses")},
        versions=known or (Version.V16,),
        tolerant=True,
    )
    if not station.evses:
        raise ProtocolError("line 1: no evses")
    timing = Timing(
        heartbeat_s=fields.whole(first, "heartbeat_s"),
        meter_interval_s=interval if isinstance(interval, int) else None,
    )
    agent = fields.text_or_none(first, "agent", 50) or "unknown"
    return Recording(station=station, timing=timing, offline=offline, agent=agent, frames=frames)


def _spec(each: Json) -> ChargerSpec:
    phases = each.get("phases")
    return ChargerSpec(
        evse_id=fields.text(each, "id", 100),
        node="pcc",
        phases=tuple(phase for phase in phases if phase in (1, 2, 3))
        if isinstance(phases, list)
        else (1, 2, 3),
        max_current_a=fields.number(each, "max_current_a"),
        min_current_a=fields.number(each, "min_current_a"),
        fail_safe_current_a=fields.number(each, "fail_safe_current_a"),
        voltage_v=fields.number(each, "voltage_v"),
    )


def _object(text: str, number: int) -> Json:
    if number > _MOST_LINES or len(text) > _LONGEST_LINE:
        raise ProtocolError("too large")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if not isinstance(value, dict):
        raise ProtocolError("no JSON object")
    return value
