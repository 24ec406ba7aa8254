"""One gateway: makes everything from settings and runs it in one task group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from contracts.time import Clock
from gateway.assembly.configuring import make_configuring
from gateway.assembly.deciding import MAX_HOLD, Deciding
from gateway.assembly.people import serve_people
from gateway.assembly.sites import ToSites
from gateway.assembly.utilities import Utilities
from gateway.config import GatewaySettings
from gateway.flows.keeping.retention import Retention
from gateway.flows.sites.presence import Attendance
from gateway.store.access import SqlAccessBook
from gateway.store.database import Database
from gateway.store.leader import leadership
from gateway.store.means import SqlThinning

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAddresses:
    """Where the running gateway can be reached."""

    web_url: str
    link_port: int


Ready = Callable[[GatewayAddresses], None]


async def run(
    config: GatewaySettings, clock: Clock, stopping: asyncio.Event, ready: Ready | None = None
) -> None:
    """Run the gateway until `stopping` is set; `ready` is told the addresses once it serves.

    Raises:
        PermanentError: another gateway runs on the data folder or the database, or a port is taken.
        ConfigError: a certificate or key cannot be used, or the database is a newer release's.
    """
    with leadership(config.data):
        database = await asyncio.to_thread(Database.open, config.database)
        try:
            await asyncio.to_thread(database.lead)
            await _run(config, clock, stopping, ready, database)
        finally:
            database.close()


async def _run(
    config: GatewaySettings,
    clock: Clock,
    stopping: asyncio.Event,
    ready: Ready | None,
    database: Database,
) -> None:
    """Start in the order in which one thing needs another; the broker is the last to go."""
    revoked = await SqlAccessBook(database).revoked(clock.now())
    sites = ToSites(config, clock, database, revoked)
    async with asyncio.TaskGroup() as tasks:
        broker = tasks.create_task(sites.broker.run())
        await sites.broker.ready.wait()
        deciding = Deciding(config, clock, database, sites.link(), sites.admission)
        await deciding.restore()
        configuring = make_configuring(deciding, database, clock)
        utilities = Utilities(config, clock, deciding, database)
        attendance = Attendance(
            deciding.portfolio, deciding.live, deciding.ledger, sites.book, clock
        )
        thinning = SqlThinning(database, max_hold=MAX_HOLD)
        runs = [
            *deciding.runs(),
            *sites.runs(attendance),
            configuring.run(),
            Retention(thinning, clock, config.retention.rules()).run(),
            *(utility.run() for utility in utilities.links),
        ]
        work = [tasks.create_task(one) for one in runs]
        calendar = tasks.create_task(deciding.keep_time(stopping))
        listening = _listening(config, sites.broker.port, ready)
        await serve_people(config, clock, stopping, deciding, utilities, configuring, listening)
        await calendar  # cut off, its last tick would be logged as an error
        for task in work:
            task.cancel()
        await asyncio.wait(work)
        broker.cancel()


def _listening(
    config: GatewaySettings, link_port: int, ready: Ready | None
) -> Callable[[int], None]:
    """Tells where the gateway is, once its web port is known."""

    def listening(port: int) -> None:
        url = f"http://{config.web.host}:{port}"
        _log.info("gateway_ready", web=url, link_port=link_port)
        if ready is not None:
            ready(GatewayAddresses(web_url=url, link_port=link_port))

    return listening
