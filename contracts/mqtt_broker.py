"""Configuration of a site-local MQTT broker: the MQTT listener of the site's own `nats-server`.

It speaks MQTT 3.1.1. Field devices never share the gateway's broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigError

_MEMORY_BYTES = 64 << 20
_DISK_BYTES = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttUser:
    """One login with the MQTT topic filters it may use (`+` and `#` allowed)."""

    name: str
    password: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTls:
    """Certificate and key of a listener over TLS."""

    cert: Path
    key: Path


def mqtt_config(
    *,
    store: Path,
    users: Sequence[MqttUser],
    host: str = "127.0.0.1",
    port: int = 0,
    tls: BrokerTls | None = None,
) -> dict[str, object]:
    """Configuration for `NatsServer`; `port` 0 takes any free one.

    `store` is the folder for retained messages and persistent sessions. NATS clients are let in
    from this machine alone, with the same logins. `tls`: MQTT clients come over TLS only.

    Raises:
        ConfigError: no user, or a topic filter that cannot be expressed.
    """
    if not users:
        raise ConfigError("mqtt broker: without users it would be open to everyone")
    return {
        "server_name": "site-mqtt",
        "host": "127.0.0.1",
        "port": -1,
        "jetstream": {
            "store_dir": str(store),
            "max_memory_store": _MEMORY_BYTES,
            "max_file_store": _DISK_BYTES,
        },
        "mqtt": {
            "host": host,
            "port": port or -1,  # to nats-server 0 means its default
            **({} if tls is None else {"tls": _tls(tls)}),
        },
        "authorization": {"users": [_user(user) for user in users]},
    }


def subjects_of(topic_filter: str) -> tuple[str, ...]:
    """NATS subjects of an MQTT topic filter, for permissions.

    `depot/#` also matches `depot` itself, so it needs two subjects; with one, nats-server answers
    the subscription with a failure code that clients tend not to look at.

    Raises:
        ConfigError: an empty level, a dot or a blank (a dot separates levels in NATS), or a
            wildcard that is not a level of its own.
    """
    levels = topic_filter.split("/")
    for level in levels:
        unsafe = any(char in level for char in ".*> \t\r\n")
        if not level or unsafe or (level not in ("+", "#") and ("+" in level or "#" in level)):
            raise ConfigError(f"mqtt topic filter {topic_filter!r}: level {level!r} is not allowed")
    if "#" in levels[:-1]:
        raise ConfigError(f"mqtt topic filter {topic_filter!r}: '#' may only be the last level")
    subject = ".".join({"+": "*", "#": ">"}.get(level, level) for level in levels)
    parent = subject.removesuffix(".>")
    return (subject,) if parent == subject else (parent, subject)


def _tls(tls: BrokerTls) -> dict[str, str]:
    return {"cert_file": str(tls.cert), "key_file": str(tls.key)}


def _user(user: MqttUser) -> dict[str, object]:
    return {
        "user": user.name,
        "password": user.password,
        "permissions": {
            "publish": {"allow": _allowed(user.publish)} if user.publish else {"deny": [">"]},
            "subscribe": {"allow": _allowed(user.subscribe)} if user.subscribe else {"deny": [">"]},
        },
    }


def _allowed(filters: Sequence[str]) -> list[str]:
    return [subject for topic_filter in filters for subject in subjects_of(topic_filter)]
