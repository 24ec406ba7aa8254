"""From the numbers in the registers to readings: states, signs, units, ranges and sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from contracts.reading import Quality
from site_agent.devices.points.units import to_canonical
from site_agent.devices.profiles.schema import Check, Point, Profile, Register, When

Numbers = Callable[[Register], float | None]
"""What a register says now."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a device says of one point; no value is INVALID."""

    value: float | None
    quality: Quality = Quality.GOOD


_NOTHING = Said(None, Quality.INVALID)


def registers_of(profile: Profile, group: str) -> Iterator[Register]:
    """Everything that must be read to know the points of a group."""
    for point in points_of(profile, group).values():
        yield from (point, *point.plus)
        for condition in (point.negative_when, point.valid_when):
            if condition is not None:
                yield profile.states[condition.state]


def points_of(profile: Profile, group: str) -> Mapping[str, Point]:
    """The points of a group, by name."""
    first = profile.first_group
    return {name: one for name, one in profile.points.items() if (one.group or first) == group}


def read_points(profile: Profile, points: Mapping[str, Point], numbers: Numbers) -> dict[str, Said]:
    """What the device says of these points."""
    said = {name: _said(profile, point, numbers) for name, point in points.items()}
    for check in profile.checks:
        if {*check.sum, check.equals} <= said.keys() and not holds(check, said):
            said |= dict.fromkeys((*check.sum, check.equals), _NOTHING)
    return said


def holds(check: Check, said: Mapping[str, Said]) -> bool:
    """Whether a sum holds; what is not known contradicts nothing."""
    total = said[check.equals].value
    parts = [said[name].value for name in check.sum]
    if total is None or None in parts:
        return True
    off = abs(sum(part for part in parts if part is not None) - total)
    return off <= max(check.tolerance, check.share * abs(total))


def _said(profile: Profile, point: Point, numbers: Numbers) -> Said:
    condition = point.valid_when
    if condition is not None:
        state = numbers(profile.states[condition.state])
        if state is None:
            return _NOTHING
        if state not in condition.among:
            value = condition.otherwise
            return _NOTHING if value is None else Said(value, Quality.ESTIMATED)
    number = numbers(point)
    if point.plus:
        number = _sum([number, *(numbers(register) for register in point.plus)])
    if number is None:
        return _NOTHING
    value = number if point.unit is None else to_canonical(number, point.unit)
    directed = _directed(profile, point, value, numbers)
    return _NOTHING if directed is None or _beyond(point, directed) else Said(directed)


def _sum(numbers: Iterable[float | None]) -> float | None:
    total = 0.0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _directed(profile: Profile, point: Point, value: float, numbers: Numbers) -> float | None:
    """The value with its direction; None when the device does not say which it is."""
    if point.magnitude:
        value = abs(value)
    negative = point.invert
    if point.negative_when is not None:
        opposite = _met(profile, point.negative_when, numbers)
        if opposite is None:
            return None if value else 0.0
        negative = negative is not opposite
    return (0.0 - value) if negative else value


def _met(profile: Profile, when: When, numbers: Numbers) -> bool | None:
    state = numbers(profile.states[when.state])
    return None if state is None else state in when.among


def _beyond(point: Point, value: float) -> bool:
    return point.range is not None and not point.range[0] <= value <= point.range[1]
