"""Which profiles of devices come with the agent: from the profiles themselves."""
# ruff: noqa: INP001 (a script's part, not of a package)

from __future__ import annotations

from collections.abc import Iterator

from site_agent.devices.points.vocabulary import CONTROLS, POINTS
from site_agent.devices.profiles.library import catalog
from site_agent.devices.profiles.schema import Lapse, Profile

_ABOUT = """\
Devices that `kind: profile` with `profile: <id>` reads and steers over Modbus, written from the
documents that are named; none has been tried on a real device. A path to a YAML file of your own
works as well.
"""
_NATURES = {
    "meter": "Meters",
    "battery": "Batteries",
    "pv": "PV inverters",
    "charger": "Chargers",
    "sensor": "Sensors",
}


def page(made: str) -> str:
    """The page; `made` says that nobody writes it by hand."""
    lines = ["# Device profiles", "", made, "", *_ABOUT.splitlines()]
    for nature, title in _NATURES.items():
        profiles = [one for one in catalog().values() if one.nature == nature]
        lines += ["", f"## {title}"] if profiles else []
        for one in profiles:
            lines += _lines(one)
    return "\n".join(lines) + "\n"


def vocabulary() -> Iterator[str]:
    """Every point and control, with its unit and meaning."""
    yield from ("## Vocabulary", "", "| point | unit | meaning |", "|---|---|---|")
    for name, point in POINTS.items():
        yield f"| `{name}` | {point.unit} | {point.meaning} |"
    yield from ("", "| control | unit | meaning |", "|---|---|---|")
    for name, point in CONTROLS.items():
        yield f"| `{name}` | {point.unit} | {point.meaning} |"


def _lines(profile: Profile) -> Iterator[str]:
    yield from ("", f"### `{profile.id}`", "", f"{profile.name}.", "")
    yield f"- shows: {', '.join(_shown(name) for name in profile.points)}"
    yield f"- steered by: {_steered(profile)}"
    yield f"- usual unit: {profile.transport.unit_id}"
    for note in profile.notes:
        yield f"- note: {note}"
    for source in profile.source:
        yield f"- from: {source}"


def _shown(name: str) -> str:
    unit = POINTS[name].unit
    return f"`{name}` ({unit})" if unit else f"`{name}`"


def _steered(profile: Profile) -> str:
    if not profile.controls:
        return "nothing, it is only read"
    names = ", ".join(f"`{name}`" for name in profile.controls)
    if isinstance(profile.lapse, Lapse):
        return f"{names}; without us, after {profile.lapse.seconds:g} s: {profile.lapse.to}"
    return f"{names}; it keeps what was last written: say `lapse: none` in its settings"
