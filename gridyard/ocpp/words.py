"""What `gridyard ocpp` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Document = Mapping[str, Any]


def stations(found: Sequence[Document]) -> Iterator[str]:
    """Every station in a few lines."""
    if not found:
        yield "no charge points in the settings"
    for one in found:
        yield from station(one)


def station(one: Document) -> Iterator[str]:
    """One station and its EVSEs."""
    zone = ZoneInfo(one["zone"])
    plate = " ".join(filter(None, (one["vendor"], one["model"], one["firmware"])))
    if one["online"]:
        state = f"{one['version']}, since {clock(one['online_since'], zone)}"
        state += f", last frame {one['last_frame_age_s']:.0f} s ago"
        state += "" if one["ready"] else ", being set up"
    else:
        state = "OFFLINE"
    yield f"{one['charge_point']}  {state}  {plate or '(has not introduced itself)'}"
    yield from (f"  {line}" for each in one["evses"] for line in evse(each))
    yield f"  checked in: {checked_in(one['checked_in'], zone)}"
    if one["faults"]:
        yield f"  faults: {', '.join(f'{kind} ×{n}' for kind, n in one['faults'].items())}"


def evse(one: Document) -> Iterator[str]:
    """One EVSE: who is there, and the limit asked for, confirmed and measured."""
    who = "free"
    if one["plugged"]:
        who = "plugged in"
    if one["transaction"]:
        who = f"transaction {one['transaction']} of {one['id_tag'] or 'nobody known'}"
    limits = f"asked {amps(one['asked_a'])}, confirmed {amps(one['confirmed_a'])}"
    limits += f", measured {amps(one['measured_a'])}"
    power = "" if one["power_w"] is None else f", {one['power_w'] / 1000:.2f} kW"
    yield f"EVSE {one['evse']} ({one['id']}): {who}; {limits}{power}"
    judged = ["obeys" if one["obeys"] else "DOES NOT OBEY", f"lapse: {one['lapse']}"]
    judged.append(f"{one['writes_a_day']} profiles written in 24 h")
    judged += [] if one["pausable"] else ["takes no 0 A"]
    judged += [] if one["ceiling_a"] is None else [f"others allow {amps(one['ceiling_a'])}"]
    judged += [] if one["trial_a"] is None else [f"check-in tries {amps(one['trial_a'])}"]
    yield f"  {', '.join(judged)}"


def details(one: Document) -> Iterator[str]:
    """Everything known of a station."""
    yield from station(one)
    zone = ZoneInfo(one["zone"])
    parts = {
        "says of itself": _pairs(one, "conditions") + _pairs(one, "transfers"),
        "smart charging": _pairs(one, "capabilities"),
        "settings": _pairs(one, "settings"),
        "all settings, as last read": _pairs(one, "inventory"),
        "security events": [
            f"{clock(event['at'], zone)}  {event['kind']}  {event['info'] or ''}".rstrip()
            for event in one.get("security_events", ())
        ],
        "faults": [
            f"×{fault['count']}  {fault['kind']}: {fault['meaning'] or 'see the log'}"
            for fault in one["fault_meanings"]
        ],
    }
    for title, lines in parts.items():
        yield from [f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _pairs(one: Document, key: str) -> list[str]:
    """`name = value` of a part that may be missing."""
    return [f"{name.replace('_', ' ')} = {said(value)}" for name, value in one.get(key, {}).items()]


def step(one: Document) -> Iterator[str]:
    """One step of a check-in, or its result."""
    if "result" in one:
        result = one["result"]
        yield f"{result['pass']} passed, {result['fail']} failed, {result['not_tried']} not tried"
        return
    yield f"{one['verdict']:9}  {one['step']}: {one['detail']}"
    if one["hint"]:
        yield f"           -> {one['hint']}"


def settings(found: Document) -> Iterator[str]:
    """Settings of a charger."""
    for one in found["settings"]:
        value = "(no value)" if one["value"] is None else one["value"]
        yield f"{one['name']} = {value}{'  (read only)' if one['readonly'] else ''}"
    yield from (f"{name}: the charger does not know it" for name in found["unknown"])


def schedule(found: Document) -> Iterator[str]:
    """A composite schedule, in the site's own time."""
    zone = ZoneInfo(found["zone"])
    for period in found["periods"]:
        phases = "" if period["phases"] is None else f"  on {period['phases']} phases"
        power = f"{period['limit_w'] / 1000:6.2f} kW"
        yield f"from {clock(period['start'], zone)}  {amps(period['limit_a']):>8}  {power}{phases}"
    yield f"(told in {found['unit']}; times in {zone})"


def checked_in(found: Document | None, zone: ZoneInfo) -> str:
    """When, and with which result."""
    if not found:
        return "never; run `gridyard ocpp check-in`"
    return "; ".join(
        f"EVSE {number} on {clock(one['at'], zone)} "
        f"({one['pass']} passed, {one['fail']} failed, {one['not_tried']} not tried)"
        for number, one in found.items()
    )


def clock(instant: str | None, zone: ZoneInfo) -> str:
    """An instant in the site's time."""
    if instant is None:
        return "?"
    return datetime.fromisoformat(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def amps(value: float | None) -> str:
    """A current, or a dash."""
    return "-" if value is None else f"{value:.1f} A"


def said(value: object) -> str:
    """What a charger tells of itself."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not told" if value is None else str(value)
