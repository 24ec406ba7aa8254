"""One look at a utility's server with the settings of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from contracts.config import load
from contracts.errors import ConfigError
from contracts.identity import sep2_client_context
from gateway.config import GatewaySettings
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport


def with_server(
    config: Path,
    utility: str | None,
    work: Callable[[Sep2Settings, Sep2Transport], Awaitable[bool]],
) -> bool:
    """Do `work` over a connection to the utility and return its answer.

    Raises:
        ConfigError: settings or certificates cannot be used, or several utilities fit.
    """
    settings = chosen(config, utility)

    async def run() -> bool:
        tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
        transport = Sep2Transport(settings, tls)
        try:
            return await work(settings, transport)
        finally:
            await transport.aclose()

    return asyncio.run(run())


def chosen(config: Path, utility: str | None) -> Sep2Settings:
    """The settings of the utility that is meant, from the gateway's file.

    Raises:
        ConfigError: the file cannot be used, or it is not clear which utility is meant.
    """
    known = {one.utility_id: one for one in load(config, GatewaySettings).sep2}
    if utility is None and len(known) == 1:
        return next(iter(known.values()))
    if utility not in known:
        names = ", ".join(known) or "none"
        raise ConfigError(f"{config}: sep2: choose a utility with --utility (there are: {names})")
    return known[utility]
