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
    if name not in catalog():
        raise ConfigError(f"no profile {name!r}; there are {', '.join(catalog())}")
    return catalog()[name]


def of_nature(name: str, nature: Nature) -> Profile:
    """The same, of a certain nature; raises as `find`, and when it is of another.

    Anything that shows points may be a sensor: a meter, say, for the frequency.
    """
    profile = find(name)
    if nature not in (profile.nature, "sensor"):
        raise ConfigError(f"profile {profile.id} is of a {profile.nature}, not of a {nature}")
    return profile


@cache
def catalog() -> dict[str, Profile]:
    """The profiles that come with the agent, by id."""
    return {path.stem: _own(path) for path in sorted(CATALOG.glob("*.yaml"))}


def _own(path: Path) -> Profile:
    profile = _load(path)
    if profile.id != path.stem:
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
