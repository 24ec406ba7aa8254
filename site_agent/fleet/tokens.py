"""Bearer tokens (RFC 6750) with scopes; only their SHA-256 is kept.

A token has 256 bits of chance, so a plain hash of it tells nobody anything, and a slow one would
only cost every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from site_agent.config.fleet_systems import TokenSettings

PREFIX = "gyf_"
"""So that people and secret scanners know what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A program that has shown a token."""

    name: str
    scopes: frozenset[str]


def new_token() -> tuple[str, str]:
    """A new token, and its digest for the settings."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def holder_of(authorization: str, known: Sequence[TokenSettings]) -> Holder | None:
    """Whose token an `Authorization` header shows; None: nobody's."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    digest = digest_of(token.strip())
    found = [one for one in known if hmac.compare_digest(one.sha256, digest)]
    return Holder(name=found[0].name, scopes=frozenset(found[0].scopes)) if found else None
