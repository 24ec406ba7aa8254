"""Settings for sites: the flow over the book and the link, told what sites say."""

from __future__ import annotations

from contracts.site_link.health import Health
from contracts.time import Clock
from gateway.assembly.deciding import Deciding
from gateway.flows.sites.configuring import Configuring
from gateway.store.configurations import SqlConfigurationBook
from gateway.store.database import Database


def make_configuring(deciding: Deciding, database: Database, clock: Clock) -> Configuring:
    """Made once, before the link runs."""
    book = SqlConfigurationBook(database)
    made = Configuring(deciding.portfolio, book, deciding.link, deciding.ledger, clock)

    def told(site_id: str, health: Health) -> None:
        made.told(site_id, health.configuration)

    deciding.inbox.on_hello(made.greeted)
    deciding.inbox.on_health(told)
    return made
