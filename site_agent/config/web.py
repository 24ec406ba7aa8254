"""Settings of the agent's own web server: the local page, and programs of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.values import Host, Port

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ANY = ("0.0.0.0", "::")  # noqa: S104 (compared with, not listened on)


class WebTlsSettings(Settings):
    """The server's certificate; browsers then reach it by https."""

    cert: Path
    key: Path


class WebSettings(Settings):
    """The page and API of this depot, which need neither the gateway nor the internet.

    On loopback it is open to whoever can use this machine, unless `password_file` is given. On any
    other address it wants a password, and encryption: its own (`tls`) or that of a proxy before it.
    """

    host: Host = "127.0.0.1"
    port: Port = 8090
    names: Annotated[tuple[Host, ...], Field(max_length=20)] = ()
    """Names and addresses, besides loopback and `host`, under which browsers may reach it."""
    password_file: Path | None = None
    """A file with the password people sign in with, at least 12 characters; any user name will do.
    Programs may send it as a bearer token."""
    tls: WebTlsSettings | None = None
    banner: Annotated[str, Field(max_length=200)] = ""
    """A line on top of every page, such as that the hardware is simulated."""
    behind_proxy: bool = False
    """True: a reverse proxy on the way encrypts, so that `tls` is not needed here."""

    @model_validator(mode="after")
    def _guarded(self) -> WebSettings:
        if self.host in LOOPBACK:
            return self
        if self.password_file is None:
            raise ValueError(f"host {self.host} can be reached by others: set password_file")
        if self.tls is None and not self.behind_proxy:
            raise ValueError(
                f"host {self.host}: set tls (cert, key), or behind_proxy: true where a proxy "
                "encrypts; a password would else cross the network readable"
            )
        if self.host in _ANY and not self.names:
            raise ValueError(f"host {self.host}: say in names under which browsers may reach it")
        return self

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """What a request's `Host` header may name; IPv6 addresses in brackets."""
        found = (*LOOPBACK, *self.names, *(() if self.host in _ANY else (self.host,)))
        return frozenset(f"[{one}]" if ":" in one else one.lower() for one in found)
