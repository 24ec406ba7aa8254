"""The WebSocket server of a depot's chargers: who may come in, and in which version they speak."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from contracts.time import Clock
from site_agent.devices.ocpp import security
from site_agent.devices.ocpp.gate import Gate, Guarded, Refusals, peer
from site_agent.devices.ocpp.limits.knowledge import Models
from site_agent.devices.ocpp.limits.turns import Turns
from site_agent.devices.ocpp.proxy.proxy import CloudProxy
from site_agent.devices.ocpp.proxy.settings import CloudConfig
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.versions.v21 import Ocpp21
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.wire import schemas
from site_agent.domain.fleet.access import Access, Running
from site_agent.ports import Charger, CloudQueue, KeyValues, SessionStore, Wake

_LARGEST_MESSAGE = 256 * 1024
"""Bytes. A report of every setting a charger has is about a tenth of it."""
_CLOSE_TIMEOUT_S = 2.0
_LOGGED_ID = 64
_SPARE = 64
"""Handshakes at once beyond two for every station, which all may come back in one moment."""
DIALECTS: Mapping[Version, Dialect] = {
    Version.V16: Ocpp16(),
    Version.V201: Ocpp201(),
    Version.V21: Ocpp21(),
}
_log = structlog.get_logger(__name__)


class CentralSystem:
    """Serves the charging stations of one depot.

    An unknown station is refused with 404, a wrong password with 401, a version it may not speak
    with 400. `profile` and `ssl_context` say how a charger proves who it is (see `security`); in
    the open or with passwords alone, use a network that only chargers can reach.
    """

    def __init__(
        self,
        stations: Sequence[StationConfig],
        *,
        sessions: SessionStore,
        access: Access,
        clock: Clock,
        wake: Wake,
        host: str = "0.0.0.0",  # noqa: S104 - chargers come from outside
        port: int = 9000,
        ssl_context: ssl.SSLContext | None = None,
        profile: Profile = Profile.OPEN,
        timing: Timing | None = None,
        memory: KeyValues | None = None,
        clouds: CloudQueue | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._ssl = ssl_context
        self._profile = profile
        self._timing = timing or Timing()
        models, turns = Models(memory), Turns()
        self._stations = {
            config.charge_point_id: Station(
                config,
                timing=self._timing,
                clock=clock,
                sessions=sessions,
                access=access,
                running=self._running,
                wake=wake,
                models=models,
                memory=memory,
                turns=turns,
            )
            for config in stations
        }
        self._proxies = [
            _proxied(station, cloud, clouds, memory, clock, wake)
            for station in self._stations.values()
            if (cloud := station.config.cloud) is not None
        ]
        self._refusals = Refusals(clock.monotonic)
        self.gate = Gate(2 * len(self._stations) + _SPARE, self._refusals)
        self.ready = asyncio.Event()
        """Set once the port is open."""
        for version, dialect in DIALECTS.items():
            schemas.prepare(version, (schemas.request(version, name) for name in dialect.requests))
            schemas.prepare(version, (schemas.response(name) for name in dialect.served))

    @property
    def chargers(self) -> Mapping[str, Charger]:
        """Every EVSE, by its `evse_id`."""
        return {
            evse.spec.evse_id: evse
            for station in self._stations.values()
            for evse in station.evses.values()
        }

    @property
    def stations(self) -> Mapping[str, Station]:
        """Every station, by its charge point id, with the counts of what went wrong."""
        return self._stations

    @property
    def port(self) -> int:
        """The port in use, once `ready`."""
        return self._port

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: the port is taken.
        """
        for station in self._stations.values():
            await station.restore()
        for proxy in self._proxies:
            await proxy.load()
        server = serve(
            self._serve,
            self._host,
            self._port,
            process_request=self._admit,
            select_subprotocol=self._negotiate,
            compression=None,
            server_header=None,
            max_size=_LARGEST_MESSAGE,
            open_timeout=self._timing.handshake_s,
            ping_interval=self._timing.ping_s,
            ping_timeout=None,
            close_timeout=_CLOSE_TIMEOUT_S,
            ssl=self._ssl,
            logger=_silent_logger(),
            create_connection=partial(Guarded, gate=self.gate),  # type: ignore[arg-type]  # makes one
            start_serving=False,  # else one who is cancelled just now leaves its socket open
        )
        async with server as listening, asyncio.TaskGroup() as tasks:
            await listening.start_serving()
            self._port = next(iter(listening.sockets)).getsockname()[1]
            self.ready.set()
            for proxy in self._proxies:
                tasks.create_task(proxy.run())
            await asyncio.Future()

    def _running(self) -> list[Running]:
        """Every transaction of the depot, for cards that may be used only once at a time."""
        evses = (evse for station in self._stations.values() for evse in station.evses.values())
        return [one for evse in evses if (one := evse.running) is not None]

    async def _serve(self, socket: ServerConnection) -> None:
        if not isinstance(socket, Guarded):
            raise TypeError("a connection that `run` has not made")
        socket.admitted()
        station = self._stations[_identity(socket.request)]
        version = _version(socket.subprotocol or "") or station.config.versions[-1]
        try:
            await station.serve(socket, DIALECTS[version])
        except Exception:  # one charger's trouble must not stop the depot
            _log.exception("session failed", charge_point=station.config.charge_point_id)

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        identity = _identity(request)
        station = self._stations.get(identity)
        if station is None:
            self._refusals.note(
                "unknown charger refused", charge_point=identity[:_LOGGED_ID], peer=peer(socket)
            )
            return socket.respond(HTTPStatus.NOT_FOUND, "unknown charge point\n")
        if self._profile is Profile.TLS_CERTIFICATE and not security.certified(socket, identity):
            self._refusals.note(
                "charger with another's certificate refused",
                charge_point=identity,
                peer=peer(socket),
            )
            return socket.respond(HTTPStatus.FORBIDDEN, "not this charge point's certificate\n")
        passwords = station.passwords
        header = request.headers.get("Authorization", "")
        if passwords and not security.password_matches(identity, passwords, header):
            self._refusals.note(
                "charger with a wrong password refused", charge_point=identity, peer=peer(socket)
            )
            response = socket.respond(HTTPStatus.UNAUTHORIZED, "wrong password\n")
            response.headers["WWW-Authenticate"] = 'Basic realm="ocpp"'
            return response
        return None

    def _negotiate(
        self, socket: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        """The version both sides prefer. A tolerant station gets its own spelling back."""
        config = self._stations[_identity(socket.request)].config
        for version in config.versions:
            if version.value in offered:
                return Subprotocol(version)
        if config.tolerant:
            meant = (word for word in offered if _version(word) in config.versions)
            return next(meant, None)
        self._refusals.note("charger offers no known version", charge_point=config.charge_point_id)
        raise NegotiationError("expected one of " + ", ".join(config.versions))


def _proxied(
    station: Station,
    cloud: CloudConfig,
    queue: CloudQueue | None,
    memory: KeyValues | None,
    clock: Clock,
    wake: Wake,
) -> CloudProxy:
    if queue is None or memory is None:
        raise ValueError("a cloud CSMS needs a store for what it has not heard yet")
    station.proxy = CloudProxy(
        station, cloud, dialects=DIALECTS, queue=queue, memory=memory, clock=clock, wake=wake
    )
    return station.proxy


def _identity(request: Request | None) -> str:
    """The last segment of the path (OCPP-J 1.6 §3.1.1)."""
    path = urlsplit(request.path).path if request is not None else ""
    return unquote(path.rstrip("/").rpartition("/")[2])


def _version(word: str) -> Version | None:
    """What a subprotocol means: `OCPP1.6`, `ocpp1.6j` and `ocpp-1.6` are all 1.6."""
    digits = re.sub(r"[^0-9.]", "", word)
    return {"1.6": Version.V16, "2.0.1": Version.V201, "2.1": Version.V21}.get(digits)


def _silent_logger() -> logging.Logger:
    """Strangers' broken handshakes are no errors of ours; what matters is logged here."""
    logger = logging.getLogger(f"{__name__}.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
