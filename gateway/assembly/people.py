"""What people and programs see and do by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from contracts.http_server import serve
from contracts.time import Clock
from gateway.assembly.deciding import Deciding
from gateway.assembly.utilities import Utilities
from gateway.config import GatewaySettings
from gateway.flows.events.controls import Controls
from gateway.flows.sites.configuring import Configuring
from gateway.web.app import create_app
from gateway.web.state import LOOPBACK, WebState


async def serve_people(
    config: GatewaySettings,
    clock: Clock,
    stopping: asyncio.Event,
    deciding: Deciding,
    utilities: Utilities,
    configuring: Configuring,
    listening: Callable[[int], None],
) -> None:
    """Serve until `stopping` is set; `listening` is told the port once it serves.

    Raises:
        PermanentError: the port is taken.
    """
    state = WebState(
        clock=clock,
        portfolio=deciding.portfolio,
        ledger=deciding.ledger,
        telemetry=deciding.telemetry,
        delivery=deciding.delivery,
        live=deciding.live,
        actions=deciding.intake,
        desk=deciding.desk,
        controls=Controls(deciding.portfolio, deciding.ledger, utilities.sep2, clock),
        nominations=deciding.nominating.desk,
        statements=deciding.statements,
        stopping=stopping,
        prices=deciding.prices.desk,
        replays=deciding.replays,
        configuring=configuring,
        accounts=deciding.accounts,
        meters=deciding.meters,
        anomalies=deciding.anomalies,
        utilities=lambda: [utility.health for utility in utilities.links],
        duties=lambda: [duty for utility in utilities.links for duty in utility.duties],
        records=utilities.memory.load,
        counters=lambda: deciding.inbox.counters,
        checks=lambda: {"site_link": deciding.link.listening.is_set()},
        locale=config.reports.locale,
        allowed_hosts=LOOPBACK | frozenset(config.web.allowed_hosts),
    )
    await serve(
        create_app(state),
        host=config.web.host,
        port=config.web.port,
        stopping=stopping,
        ready=listening,
    )
