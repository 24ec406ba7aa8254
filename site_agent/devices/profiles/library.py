"""Profiles: those that come with the agent, by id, and those of an installation, by path."""

from __future__ import annotations

import stat
from functools import cache
from pathlib import Path

from contracts.errors import ConfigError
from site_agent.devices.profiles.document import MAX_BYTES, read
from site_agent.devices.profiles.schema import Nature, Profile

CATALOG = Path(__file__).with_name("catalog")


def find(name: str) -> Profile:
    """A profile by its id, or by the path of a YAML file (it has a slash, or ends in `.yaml`).

    Raises:
        ConfigError: there is none, or it is not one; the message says where and why.
    """
    if "/" in name or name.endswith((".yaml", ".yml")):
        return _load(Path(name))
    if name not in ids():
        raise ConfigError(f"no profile {name!r}; there are {', '.join(ids())}")
    return _own(name)


def of_nature(name: str, nature: Nature) -> Profile:
    """The same, of a certain nature; raises as `find`, and when it is of another.

    Anything that shows points may be a sensor: a meter, say, for the frequency.
    """
    profile = find(name)
    if nature not in (profile.nature, "sensor"):
        raise ConfigError(f"profile {profile.id} is of a {profile.nature}, not of a {nature}")
    return profile


def ids() -> list[str]:
    """The ids of the profiles that come with the agent."""
    return sorted(path.stem for path in CATALOG.glob("*.yaml"))


def catalog() -> dict[str, Profile]:
    """The profiles that come with the agent, by id."""
    return {name: _own(name) for name in ids()}


@cache
def _own(name: str) -> Profile:
    path = CATALOG / f"{name}.yaml"
    profile = _load(path)
    if profile.id != name:
        raise ConfigError(f"{path}: its id is {profile.id}")
    return profile


def _load(path: Path) -> Profile:
    try:
        if path.suffix not in (".yaml", ".yml") or not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: a profile is a file that ends in .yaml")
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return read(text, Profile, name=str(path))
