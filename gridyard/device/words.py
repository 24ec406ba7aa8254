"""What was found at a device, worded for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contracts.reading import Quality

if TYPE_CHECKING:
    from site_agent.devices.commissioning.found import Found, Group, Shown
    from site_agent.devices.commissioning.probe import Outcome
    from site_agent.devices.commissioning.verdict import Line

_LONGEST_TEXT = 60


def progress(outcome: Outcome) -> str:
    """One line while units are being asked."""
    from site_agent.devices.commissioning.found import Found
    from site_agent.devices.commissioning.probe import SameAgain, Silent

    if isinstance(outcome, Found):
        return f"unit {outcome.unit}: {outcome.name}"
    if isinstance(outcome, SameAgain):
        return f"unit {outcome.unit}: the same device; it does not look at the unit id"
    if isinstance(outcome, Silent):
        return f"unit {outcome.unit}: silent ({_plain(outcome.why)})"
    return f"unit {outcome.unit}: answers, but {outcome.why}"


def _plain(why: str) -> str:
    """Modbus exceptions of a gateway, clause 7 of the specification, in words."""
    known = {"exception 10": "no way to it", "exception 11": "the gateway gets no answer"}
    return next((words for code, words in known.items() if why.endswith(code)), why)


def found(device: Found, block: str | None, *, every: bool) -> Iterator[str]:
    """Everything of one device; `every`: also what it does not implement."""
    yield headline(device)
    for group in device.groups:
        yield from _group(group, every=every)
    if block is None:
        yield "Nothing here that a site can use by itself: write a profile for it."
        yield "  -> docs/how-to/add-a-device-profile.md"
    else:
        yield "For the site's settings (give it the id you like):"
        yield ""
        yield from (f"    {line}" for line in block.splitlines())
        yield ""


def headline(device: Found) -> str:
    """Who it is, in one line."""
    identity = device.identity
    version = f", version {identity.version}" if identity.version else ""
    serial = f", serial {identity.serial}" if identity.serial else ""
    how = "SunSpec" if device.profile is None else f"profile {device.profile}"
    nature = device.nature.value if device.nature else "nature unknown"
    return f"unit {device.unit}: {device.name}{version}{serial} ({how}, {nature})"


def _group(group: Group, *, every: bool) -> Iterator[str]:
    place = "" if group.address is None else f" at {group.address}"
    yield f"  {group.title}{place}"
    yield from (f"    ! {note}" for note in group.notes)
    shown = [point for point in group.points if every or point.value is not None]
    yield from (f"    {line(point)}" for point in shown)
    hidden = len(group.points) - len(shown)
    if hidden:
        yield f"    ({hidden} more without a value: --all)"


def verdict(line: Line) -> Iterator[str]:
    """One line of a check, and what to do."""
    said = "FAIL" if line.verdict.value == "fail" else line.verdict.value
    yield f"{said:<5} {line.device:<12} {line.step}: {line.detail}"
    if line.hint:
        yield f"{'':<18} -> {line.hint}"


def line(point: Shown) -> str:
    """One value."""
    meaning = f"  ({point.meaning})" if point.meaning else ""
    bad = "" if point.quality is Quality.GOOD else f"  [{point.quality.value}: {point.why}]"
    told = value(point.value)
    shown = f"{told:<14}" if isinstance(point.value, str) else f"{told:>14}"
    return f"{point.name:<22} {shown} {point.unit:<5}{meaning}{bad}".rstrip()


def value(told: object) -> str:
    """A value as it is read best."""
    if told is None:
        return "-"
    if isinstance(told, float):
        return f"{told:.10g}"
    text = str(told)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
