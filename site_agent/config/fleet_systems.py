"""Settings of the fleet's systems: who may tell and ask, and whom the site asks and tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.fleet_vehicle import HolderName
from site_agent.config.values import Name

_URL = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$|^http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?$"
"""Credentials go there: encrypted, or on this machine."""
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,100}$")]

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


class _TelematicsSettings(Settings):
    vehicles: Annotated[Mapping[str, HolderName], Field(max_length=2000)] = Field(
        default_factory=dict
    )
    """Its ids or names of vehicles, and ours, where neither the VIN nor the name says it."""
    every_s: Annotated[float, Field(ge=30, le=3600)] = 60.0
    """How often states of charge are asked for."""
    routes: bool = True
    """Whether planned routes become trips."""
    routes_every_s: Annotated[float, Field(ge=60, le=86_400)] = 300.0


class GeotabSettings(_TelematicsSettings):
    """A MyGeotab database. Never tried on the real service yet."""

    url: Annotated[str, Field(pattern=_URL, max_length=300)] = "https://my.geotab.com"
    database: Annotated[str, Field(min_length=1, max_length=100)]
    user: Annotated[str, Field(min_length=1, max_length=200)]
    """A service account that may only read."""
    password_file: Path | None = None
    password_env: EnvName | None = None
    """Instead of `password_file`: an environment variable."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.password_file is None) == (self.password_env is None):
            raise ValueError("give either password_file or password_env")
        return self


class SamsaraSettings(_TelematicsSettings):
    """A Samsara organisation. Never tried on the real service yet."""

    url: Annotated[str, Field(pattern=_URL, max_length=300)] = "https://api.samsara.com"
    """In the European Union: `https://api.eu.samsara.com`."""
    token_file: Path | None = None
    """An API token that may read vehicle statistics and routes; read anew at every request."""
    token_env: EnvName | None = None
    """Instead of `token_file`: an environment variable."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.token_file is None) == (self.token_env is None):
            raise ValueError("give either token_file or token_env")
        return self


class FleetSystemsSettings(Settings):
    """What the fleet's systems are connected by."""

    api: FleetApiSettings = FleetApiSettings()
    csv_folder: Path | None = None
    """A folder (it must exist) whose `*.csv` files of vehicles and trips are taken; None: none."""
    geotab: GeotabSettings | None = None
    samsara: SamsaraSettings | None = None
    webhooks: Annotated[tuple[WebhookSettings, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [one.name for one in self.webhooks]
        if len(set(names)) < len(names):
            raise ValueError("two webhooks have the same name")
        return self
