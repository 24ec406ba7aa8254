"""The link for ever: without readable credentials the depot goes on charging alone."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.uplink.credentials import load_login
from site_agent.uplink.link import NatsUplink

log = structlog.get_logger(__name__)

_RETRY_S = 30.0


async def keep(uplink: NatsUplink, credentials: Path, site_id: str, clock: Clock) -> None:
    """Run the link until cancelled; look for its credentials again now and then."""
    while True:
        try:
            load_login(credentials, site_id)
            await uplink.run()
        except ConfigError as error:
            log.error("no link without credentials", why=str(error))  # noqa: TRY400 (the message says it all)
        await clock.sleep(_RETRY_S)


def agent_version() -> str:
    """As gateways and chargers are told it."""
    try:
        return version("gridyard")
    except PackageNotFoundError:
        return "unknown"
