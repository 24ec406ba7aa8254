"""Which topic maps come with the agent, from the maps themselves, and what one may say."""
# ruff: noqa: INP001 (a script's part, not of a package)

from __future__ import annotations

from collections.abc import Iterable, Iterator

from site_agent.devices.mqtt.library import load_map, own_maps
from site_agent.devices.mqtt.topic_map import TopicMap

_ABOUT = """\
Devices on MQTT, read and told by a map: `kind: mqtt` with `map: <id>`, the path of a YAML file of
your own, or the map itself. How: [Connect an MQTT device](../how-to/connect-an-mqtt-device.md).
Foreign maps were made from the public documents they name; none has been tried on a real device.
"""
_FORMAT = """\
Points and controls are those of the
[vocabulary](profile-format.md#vocabulary), with their unit and sign. Unknown keys, numbers in
quotes, keys that come twice, anchors, aliases and tags are mistakes.
"""


def page(made: str, parts: Iterable[str]) -> str:
    """The page; `made` says that nobody writes it by hand, `parts` describe the model."""
    lines = ["# Topic maps", "", made, "", *_ABOUT.splitlines()]
    for name in own_maps():
        lines += _lines(load_map(name))
    lines += ["", "## What a map may say", "", *_FORMAT.splitlines(), *parts]
    return "\n".join(lines) + "\n"


def _lines(topic_map: TopicMap) -> Iterator[str]:
    yield from ("", f"## `{topic_map.id}` ({topic_map.nature})", "", topic_map.about.strip(), "")
    yield f"- shows: {', '.join(f'`{name}`' for name in topic_map.points)}"
    yield f"- told: {_told(topic_map)}"
    if topic_map.names:
        yield f"- names to give: {', '.join(f'`{name}`' for name in topic_map.names)}"
    for source in topic_map.source:
        yield f"- from: {source}"


def _told(topic_map: TopicMap) -> str:
    if not topic_map.controls:
        return "nothing, it is only read"
    names = ", ".join(f"`{name}`" for name in topic_map.controls)
    match topic_map.lapse:
        case "commanded":
            return f"{names}; without us it ends after the time it was given for (`lease_s`)"
        case "none" | None:
            return f"{names}; without us it stays, which derates the site"
        case seconds:
            return f"{names}; without us it ends after {seconds:g} s"
