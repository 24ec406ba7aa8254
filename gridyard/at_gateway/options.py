"""Options of every command that asks a running gateway."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from contracts.errors import ConfigError

GATEWAY = "http://127.0.0.1:8080"
"""Where a gateway with settings as they come serves its pages."""
GatewayOption = Annotated[
    str, typer.Option("--gateway", help="Address of the gateway's web server.")
]
ZoneOption = Annotated[str, typer.Option("--zone", help="Time zone of the answer (IANA name).")]
KeyOption = Annotated[str | None, typer.Option("--key", help="Repeat safely with the same key.")]


def known_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ConfigError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"--zone {name!r} is no time zone: use an IANA name such as Europe/Brussels"
        ) from error
