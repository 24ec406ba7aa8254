"""The site's Modbus server as its settings want it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from contracts.identity import server_context
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.scada import ScadaSettings
from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.scada.limits import LimitRegisters
from site_agent.scada.registers import SiteRegisters
from site_agent.scada.server import ScadaServer, ServerConfig

_log = structlog.get_logger(__name__)


def make_scada(
    settings: SiteSettings,
    latest: Callable[[], Cycle | None],
    telecontrol: Telecontrol,
    clock: Clock,
) -> ScadaServer | None:
    """The server, or None where none is wanted; `telecontrol` has been loaded.

    Raises:
        ConfigError: a file of its TLS cannot be used.
    """
    wanted = settings.scada
    if wanted is None:
        return None
    if not wanted.guarded:
        _log.warning("scada: anybody can connect: name its clients, or keep it on loopback")
    inputs = [one for one in settings.telecontrol if one.kind == "registers"]
    limits = [LimitRegisters(telecontrol, one.id, one.of_w) for one in inputs]
    registers = SiteRegisters(latest, limits[0] if limits else None, clock, DEFAULT_POLICY)
    return ScadaServer(_config(wanted), registers, clock)


def _config(wanted: ScadaSettings) -> ServerConfig:
    tls = wanted.tls
    return ServerConfig(
        host=wanted.host,
        port=wanted.port,
        unit=wanted.unit,
        clients=wanted.clients,
        writers=wanted.writers,
        most_clients=wanted.most_clients,
        idle_s=wanted.idle_s,
        context=None if tls is None else server_context(tls.cert, tls.key, tls.client_ca),
    )
