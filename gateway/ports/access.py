"""Who may be which site: one-time tokens, what was issued for them, and what is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.site_link.messages import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """The right to enrol one site once."""

    site_id: str
    expires_at: datetime
    used_by: str | None = None
    """Hash of the keys that have used it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    """What is remembered of a certificate and a user JWT that were issued together."""

    serial: str
    """Of the certificate, in hex."""
    site_id: str
    user_key: str
    """Public half of the NATS user key."""
    issued_at: datetime
    until: datetime
    revoked_at: datetime | None = None
    cause: str = ""
    """Why it was issued; once revoked, why that."""


class AccessBook(Protocol):
    """Everything issued and taken back. Each method is one transaction."""

    async def put_token(self, secret_hash: str, token: StoredToken, made_at: datetime) -> None:
        """Keep a new token."""
        ...

    async def token(self, secret_hash: str) -> StoredToken | None:
        """The token with this secret."""
        ...

    async def redeem(
        self, secret_hash: str, keys_hash: str, credential: StoredCredential
    ) -> StoredToken | None:
        """Use a token and keep what was issued for it.

        None when that is done; else the token as it is: used by other keys, or over.
        """
        ...

    async def add(self, credential: StoredCredential) -> bool:
        """Keep what was issued; False, and nothing is kept, when its user key is revoked."""
        ...

    async def credentials(self, site_id: str) -> Sequence[StoredCredential]:
        """Everything issued to a site, newest first."""
        ...

    async def seen(self, credential: StoredCredential) -> None:
        """Keep what a site has connected with, unless its user key is known.

        It may have been issued elsewhere (`gridyard certs`). Made before the site was last revoked,
        it counts as revoked.
        """
        ...

    async def revoke(self, site_id: str, at: datetime, cause: str) -> int:
        """Take back all that a site has, its unused tokens too; how many credentials that were."""
        ...

    async def revoked(self, now: datetime) -> Mapping[str, datetime]:
        """User keys taken back whose JWT would still be good, and since when."""
        ...


class SitePresence(Protocol):
    """What is done when sites come to the broker and leave it."""

    async def came(self, user: StoredCredential) -> None:
        """A site has connected with this; it may have more than one connection."""
        ...

    async def left(self, site_id: str) -> None:
        """The last connection of a site has ended."""
        ...


class Issuer(Protocol):
    """Signs."""

    def issue(
        self, site_id: str, csr: str, user_key: str, now: datetime, until: datetime
    ) -> tuple[str, Credentials]:
        """Serial number of the certificate (hex), and what the site gets.

        `until` may be cut to the issuer's own end.

        Raises:
            ProtocolError: the request is not one, is not signed by its key, or that is not P-256.
            PermanentError: the site id is not safe in a subject.
        """
        ...


class Door(Protocol):
    """The broker, as far as it turns people away."""

    async def shut_out(self, revoked: Mapping[str, datetime]) -> None:
        """Drop and refuse the holders of these user keys, and nobody else."""
        ...
