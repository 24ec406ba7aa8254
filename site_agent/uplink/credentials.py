"""What the gateway has handed to this site, read anew for every connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contracts.certificate import describe
from contracts.errors import ConfigError, ProtocolError
from contracts.identity import certificate_der, client_context
from contracts.private_files import write_private
from contracts.site_link import creds
from contracts.site_link.connection import Login
from contracts.site_link.messages import Credentials
from contracts.site_link.nkey import Nkey
from contracts.site_link.subjects import inbox_prefix
from site_agent.uplink import keys


def load_login(folder: Path, site_id: str) -> Login:
    """The login in `folder` (files: see `contracts.site_link.creds`).

    Raises:
        ConfigError: a file is missing or damaged, or the credentials are another site's.
    """
    path = folder / creds.CREDS_FILE
    try:
        jwt, seed = creds.parse_creds(path.read_text(encoding="ascii"))
    except (OSError, ValueError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from error
    name = creds.jwt_claims(jwt).get("name")
    if name != site_id:
        raise ConfigError(f"{path}: issued for site {name!r}, but this is {site_id!r}")
    return Login(
        tls=client_context(
            folder / creds.CA_FILE, folder / creds.CERT_FILE, folder / creds.KEY_FILE
        ),
        jwt=jwt,
        key=Nkey(seed),
        inbox_prefix=inbox_prefix(site_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """From when until when the credentials in a folder let the site in."""

    since: datetime
    until: datetime

    def due(self) -> datetime:
        """When to renew them: at two thirds of their life."""
        return self.until - (self.until - self.since) / 3


def life_of(folder: Path) -> Life:
    """The common life of certificate and user JWT.

    Raises:
        ConfigError: a file is missing or damaged.
    """
    path = folder / creds.CREDS_FILE
    try:
        jwt, _ = creds.parse_creds(path.read_text(encoding="ascii"))
        certificate = describe(certificate_der(folder / creds.CERT_FILE))
        claims = creds.jwt_claims(jwt)
        issued, ends = (datetime.fromtimestamp(float(str(claims[k])), UTC) for k in ("iat", "exp"))
    except (OSError, ValueError, KeyError, OverflowError, ConfigError) as error:
        raise ConfigError(f"{folder}: credentials cannot be read: {error}") from error
    return Life(since=max(issued, certificate.since), until=min(ends, certificate.until))


def keep_credentials(folder: Path, issued: Credentials, key: Path, user: Nkey) -> None:
    """Put what the gateway has issued for these two keys in the place of what is in `folder`.

    Each file is replaced as a whole; as long as the keys stay, old and new files fit together, so
    that it may be interrupted anywhere.

    Raises:
        ProtocolError: it is not for these keys, or cannot be read; nothing has been replaced.
    """
    try:
        ssl.create_default_context(cadata=issued.ca)
        fits = keys.certifies(issued.certificate, key)
        fits = fits and creds.jwt_claims(issued.jwt).get("sub") == user.public
    except (ValueError, ssl.SSLError, ConfigError) as error:
        raise ProtocolError(f"the gateway issued something unreadable: {error}") from error
    if not fits:
        raise ProtocolError("the gateway issued credentials for other keys than ours")
    write_private(folder / creds.KEY_FILE, key.read_bytes())
    write_private(folder / creds.CA_FILE, issued.ca.encode())
    write_private(folder / creds.CERT_FILE, issued.certificate.encode())
    text = creds.format_creds(issued.jwt, user.seed)
    write_private(folder / creds.CREDS_FILE, text.encode())
