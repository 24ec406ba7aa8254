"""What the gateway has handed to this site, read anew for every connection."""

from __future__ import annotations

from pathlib import Path

from contracts.errors import ConfigError
from contracts.identity import client_context
from contracts.site_link import creds
from contracts.site_link.connection import Login
from contracts.site_link.nkey import Nkey
from contracts.site_link.subjects import inbox_prefix


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
