"""The files a gateway hands to a site, and the user JWT in them.

A folder with `ca.pem` (root of the broker's certificate), `site.pem` and `site.key` (the
certificate that opens the broker's door) and `site.creds` (the NATS user: who the site *is*), the
last in the format of NATS' own tools.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping

from contracts.errors import ConfigError

CA_FILE = "ca.pem"
CERT_FILE = "site.pem"
KEY_FILE = "site.key"
CREDS_FILE = "site.creds"

_JWT = re.compile(r"-+BEGIN NATS USER JWT-+\s+(\S+)\s+-+END NATS USER JWT-+")
_SEED = re.compile(r"-+BEGIN USER NKEY SEED-+\s+(SU[A-Z2-7]+)\s+-+END USER NKEY SEED-+")


def format_creds(jwt: str, seed: str) -> str:
    """A `.creds` file: user JWT and the seed of its key."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def parse_creds(text: str) -> tuple[str, str]:
    """`(jwt, seed)` of a `.creds` file.

    Raises:
        ConfigError: either is missing.
    """
    jwt, seed = _JWT.search(text), _SEED.search(text)
    if not jwt or not seed:
        raise ConfigError("not a credentials file: no user JWT, or no seed")
    return jwt[1], seed[1]


def jwt_claims(jwt: str) -> Mapping[str, object]:
    """What a JWT says. The signature is for the broker to check, not for us.

    Raises:
        ConfigError: not a JWT.
    """
    try:
        body = jwt.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError) as error:
        raise ConfigError(f"not a JWT: {error}") from error
    if not isinstance(claims, dict):
        raise ConfigError("not a JWT: no claims")
    return claims
