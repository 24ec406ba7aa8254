"""Test keys and certificates for every program, with link credentials for every site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from certs.pki import LOOPBACK, Pki, make_test_pki
from contracts.time import Clock
from gateway.sites.credentials import Authority, TlsFiles, issue_site_credentials

LIFE = timedelta(days=30)
"""Of a site's link credentials; run again to renew them."""


def make_credentials(
    folder: Path,
    sites: Sequence[str],
    clock: Clock,
    hosts: Sequence[str] = LOOPBACK,
    chargers: Sequence[str] = (),
) -> Pki:
    """Make, keep or renew everything in `folder`; a site's files are in `site_folder`.

    Raises:
        PermanentError: a site id that may not stand in a NATS subject.
        ConfigError: a charger id that may not stand in a file name.
    """
    pki = make_test_pki(folder, sites=sites, hosts=hosts, chargers=chargers)
    authority, now = Authority(pki.nats), clock.now()
    for site_id, identity in pki.sites.items():
        issue_site_credentials(
            authority,
            site_id,
            TlsFiles(ca=pki.site_ca, cert=identity.cert, key=identity.key),
            site_folder(folder, site_id),
            now=now,
            expires=now + LIFE,
        )
    return pki


def site_folder(folder: Path, site_id: str) -> Path:
    """Where the link credentials of one site lie: what its agent's settings point to."""
    return folder / "credentials" / site_id
