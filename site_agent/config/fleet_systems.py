"""Settings of the fleet's systems: who may tell and ask, and whom the site asks and tells."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.config import Settings
from site_agent.config.values import Name

Scope = Literal["fleet:read", "fleet:write"]


class TokenSettings(Settings):
    """A program that may use the fleet API; `gridyard fleet token` makes one."""

    name: Name
    """For the log and for people."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(repr=False)
    """Of the token, which itself is written down nowhere."""
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = ("fleet:read",)
    """`fleet:write` does not include `fleet:read`."""


class FleetApiSettings(Settings):
    """The REST API, on the address that `web` says."""

    tokens: Annotated[tuple[TokenSettings, ...], Field(max_length=100)] = ()
    """Without any, nobody may use it."""
    requests_per_minute: Annotated[int, Field(ge=1, le=60_000)] = 300
    """Of each token; short bursts of a quarter of it are let through."""


class FleetSystemsSettings(Settings):
    """What the fleet's systems are connected by."""

    api: FleetApiSettings = FleetApiSettings()
