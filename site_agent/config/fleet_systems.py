"""Settings of the fleet's systems: who may tell and ask, and whom the site asks and tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.values import Name

Scope = Literal["fleet:read", "fleet:write"]
Event = Literal[
    "session.started",
    "session.progress",
    "session.expected-completion",
    "session.completed",
    "vehicle.will-miss-departure",
    "vehicle.will-make-departure",
]


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


class WebhookSettings(Settings):
    """An address of the fleet's system that is told what happens."""

    name: Name
    url: Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=500)]
    """`https`; `http` only with `allow_private`."""
    secret_file: Path
    """What events are signed with: `whsec_` and base64; `gridyard fleet secret` makes one."""
    previous_secret_file: Path | None = None
    """While the receiver changes over: events are signed with both."""
    events: tuple[Event, ...] = ()
    """Empty: all."""
    allow_private: bool = False
    """Whether it may lie in a private network, or on this machine."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url.startswith("http:") and not self.allow_private:
            raise ValueError("url must be https (or allow_private: true, inside a network)")
        return self


class FleetSystemsSettings(Settings):
    """What the fleet's systems are connected by."""

    api: FleetApiSettings = FleetApiSettings()
    csv_folder: Path | None = None
    """A folder (it must exist) whose `*.csv` files of vehicles and trips are taken; None: none."""
    webhooks: Annotated[tuple[WebhookSettings, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [one.name for one in self.webhooks]
        if len(set(names)) < len(names):
            raise ValueError("two webhooks have the same name")
        return self
