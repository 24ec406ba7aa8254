"""Who may be which site: on the gateway's own machine, straight on its database.

Whoever can read the gateway's keys may do this, and nobody else; that is why it is no web page. A
running gateway sees a change within a second, one that is down at its next start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from contracts.errors import ConfigError
from contracts.identity import certificate_der
from contracts.site_link.enrolment import Token, fingerprint
from gateway.config import GatewaySettings
from gateway.flows.sites.admission import new_token
from gateway.store.access import SqlAccessBook
from gateway.store.database import Database


async def enrol(
    settings: GatewaySettings, site_id: str, now: datetime, good_for: timedelta
) -> Token:
    """A one-time token for a site of this gateway.

    Raises:
        ConfigError: no such site in the settings, or no `link.enrolment`.
    """
    _known(settings, site_id)
    door = settings.link.enrolment
    if door is None:
        raise ConfigError("this gateway issues no credentials: add link.enrolment to its settings")
    root = fingerprint(certificate_der(settings.link.ca))
    with _book(settings) as book:
        secret = await new_token(book, site_id, now, good_for)
    return Token(url=door.url, site_id=site_id, secret=secret, ca=root)


async def revoke(settings: GatewaySettings, site_id: str, now: datetime, cause: str) -> int:
    """Take back everything a site has; how many credentials that were.

    Raises:
        ConfigError: no such site in the settings.
    """
    _known(settings, site_id)
    with _book(settings) as book:
        return await book.revoke(site_id, now, cause)


def _known(settings: GatewaySettings, site_id: str) -> None:
    known = sorted(site.site_id for site in settings.sites)
    if site_id not in known:
        raise ConfigError(f"no site {site_id!r} in the gateway's settings: {', '.join(known)}")


@contextmanager
def _book(settings: GatewaySettings) -> Iterator[SqlAccessBook]:
    database = Database.open(settings.database)
    try:
        yield SqlAccessBook(database)
    finally:
        database.close()
