"""Topic names and filters of a map: filled in, matched, compared (MQTT 3.1.1, 4.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from contracts.errors import ConfigError

MAX_BYTES = 256
MAX_LEVELS = 16
_NAME = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9_.: -]{0,62}[A-Za-z0-9_-])?")
_PLACEHOLDER = re.compile(r"\{([a-z_]{1,20})\}")
_LITERAL = re.compile(r"[A-Za-z0-9_.: -]*")


def placeholders(pattern: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(_PLACEHOLDER.findall(pattern))


def check(pattern: str, *, wildcard: bool = False) -> str:
    """The pattern itself, if a map may name it; a `wildcard` one may have one `+`, but never `#`.

    Raises:
        ValueError: empty or odd levels, too long, a wildcard where none may be.
    """
    levels = pattern.split("/")
    if len(pattern.encode()) > MAX_BYTES or len(levels) > MAX_LEVELS:
        raise ValueError(f"topic {pattern!r} is too long")
    plain = [level for level in levels if level != "+"]
    if len(levels) - len(plain) > int(wildcard):
        raise ValueError(f"topic {pattern!r}: too many wildcards")
    for level in plain:
        if not level or not _LITERAL.fullmatch(_PLACEHOLDER.sub("", level)):
            raise ValueError(f"topic {pattern!r}: level {level!r} is not allowed")
    return pattern


def fill(pattern: str, names: Mapping[str, str]) -> str:
    """The topic with every placeholder replaced by one name, which can never be more than that.

    Raises:
        ConfigError: a name that is missing, or that is no part of a single topic level.
    """

    def one(found: re.Match[str]) -> str:
        name = names.get(found[1])
        if name is None:
            raise ConfigError(f"topic {pattern!r} needs a name for {found[1]!r}")
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{found[1]}: {name!r} cannot be part of an MQTT topic")
        return name

    return _PLACEHOLDER.sub(one, pattern)


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a message of `topic` answers a subscription to `topic_filter` (without `#`)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(
        want in ("+", level) for want, level in zip(wanted, levels, strict=True)
    )


def overlap(one: str, other: str) -> bool:
    """Whether some topic answers both filters."""
    levels, others = one.split("/"), other.split("/")
    return len(levels) == len(others) and all(
        a == b or "+" in (a, b) for a, b in zip(levels, others, strict=True)
    )
