"""Our connection to a station's cloud CSMS, in the station's name."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from urllib.parse import quote

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.headers import build_authorization_basic
from websockets.typing import Subprotocol

from contracts.backoff import Backoff
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.devices.ocpp.proxy.settings import CloudConfig
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.line import Line
from site_agent.devices.ocpp.wire.session import Session
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.devices.ocpp.wire.trace import Trace

_LARGEST_MESSAGE = 256 * 1024
_OPEN_S, _PING_S, _CLOSE_S = 15.0, 20.0, 2.0
_ANSWER_S = 30.0
"""How long a CALL of ours to the cloud may stay unanswered."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 120.0
_log = structlog.get_logger(__name__)


class _Direct(connect):
    """A redirect is no answer of a CSMS: following it would let the cloud send us anywhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take it as the failure it is."""
        return exc


class _Cloud(Line, ClientConnection):
    """A connection to the cloud."""


class CloudLink:
    """Keeps a station connected to its cloud while it is wanted there, and never gives up.

    `serve` answers the cloud's CALLs, in order; `talk` runs beside it over one connection and
    raises or returns to end it.
    """

    def __init__(
        self,
        config: CloudConfig,
        *,
        dialects: Mapping[Version, Dialect],
        serve: Callable[[str, Json], Awaitable[Json]],
        talk: Callable[[Session, Version], Coroutine[object, object, None]],
        clock: Clock,
        tally: Tally,
    ) -> None:
        self._config = config
        self._dialects = dialects
        self._serve = serve
        self._talk = talk
        self._clock = clock
        self._tally = tally
        self._log = _log.bind(identity=config.identity)
        self._backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        self.trace = Trace(clock)
        """The newest frames to and from the cloud."""
        self.session: Session | None = None
        """The connection in use, if any."""
        self.version: Version | None = None
        """The one it speaks."""

    @property
    def address(self) -> str:
        """The URL with the station's identity as its last segment."""
        return f"{self._config.url.rstrip('/')}/{quote(self._config.identity, safe='')}"

    async def run(self, wanted: Callable[[], Awaitable[Version]]) -> None:
        """Connect whenever `wanted` names a version to speak, until cancelled."""
        while True:
            try:
                await self._connect_once(await wanted())
            except Exception:  # a cloud's trouble, or the disk's, must not stop the depot
                self._log.exception("connection to the cloud failed")
            await self._clock.sleep(self._backoff.next_s())

    async def _connect_once(self, version: Version) -> None:
        try:
            async with self._connect(version) as socket:
                self._backoff.reset()
                if isinstance(socket, Line):  # `_connect` makes no other
                    await self._converse(socket, version)
        except (OSError, WebSocketException, EOFError, ValueError) as error:
            # ValueError: what the cloud answered to the handshake cannot even be read
            self._log.info("cloud away", reason=str(error)[:200])
            self._tally.note("cloud away")

    def _connect(self, version: Version) -> connect:
        name, password = self._config.identity, self._config.password
        login = None if password is None else build_authorization_basic(name, password)
        return _Direct(
            self.address,
            subprotocols=[Subprotocol(version)],
            additional_headers={} if login is None else {"Authorization": login},
            ssl=self._config.tls,
            compression=None,
            proxy=None,
            user_agent_header=None,
            max_size=_LARGEST_MESSAGE,
            create_connection=_Cloud,
            open_timeout=_OPEN_S,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=_CLOSE_S,
            logger=_silent_logger(),
        )

    async def _converse(self, socket: Line, version: Version) -> None:
        session = Session(
            socket,
            dialect=self._dialects[version],
            serve=self._serve,
            clock=self._clock,
            timeout_s=_ANSWER_S,
            tally=self._tally,
            trace=self.trace,
        )
        self._log.info("connected to the cloud", version=version.value)
        self.session, self.version = session, version
        try:
            await first_of(session.run(), self._talk(session, version))
        finally:
            self.session = None
            self._log.info("disconnected from the cloud", code=int(socket.close_code or 0))


def _silent_logger() -> logging.Logger:
    """A cloud that is away or talks nonsense is told of here, not by the library."""
    logger = logging.getLogger(f"{__name__}.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
