"""Topic maps: those that come with the agent, by id, and those of an installation, by path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contracts.errors import ConfigError
from site_agent.devices.mqtt.topic_map import TopicMap
from site_agent.devices.profiles.document import MAX_BYTES, read, validated

FOLDER = Path(__file__).with_name("maps")


def load_map(name: str | Mapping[str, object]) -> TopicMap:
    """A map by its id, by the path of a YAML file (it ends in `.yaml`), or as it stands.

    Raises:
        ConfigError: there is none, or it is not one; the message says where and why.
    """
    if isinstance(name, Mapping):
        return validated(name, TopicMap, name="map")
    if name.endswith((".yaml", ".yml")):
        return _load(Path(name))
    if name not in own_maps():
        raise ConfigError(f"no topic map {name!r}; there are {', '.join(own_maps())}")
    return _load(FOLDER / f"{name}.yaml")


def own_maps() -> list[str]:
    """The ids of the maps that come with the agent."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _load(path: Path) -> TopicMap:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return read(text, TopicMap, name=str(path))
