"""The charger's side of the socket: connect, greet, tell, come back."""

from __future__ import annotations

import asyncio
import base64
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from contracts.backoff import Backoff
from contracts.errors import LinkDownError, ProtocolError, TransientError
from contracts.tasks import first_of
from contracts.time import Clock
from depot_sim.chargers.dialect import Call, Dialect
from depot_sim.chargers.distortion import distortion
from depot_sim.chargers.events import BootReason, Event, HeartbeatDue, RestartDue
from depot_sim.chargers.false_ends import end_something
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.manners import Manners
from depot_sim.chargers.mischief import Pongless, bad_frames, gaps, offered
from depot_sim.chargers.session import Session
from depot_sim.chargers.station import Station
from depot_sim.chargers.tls import TlsFiles
from depot_sim.reconnect import stay_connected

_log = structlog.get_logger(__name__)
_CALL_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 2.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_PING_INTERVAL_S = 20.0
_LONGEST_NAP_S = 1.0
"""How late a change of the heartbeat interval may be noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the central system is; the charger's id becomes the last segment of the path."""

    url: str
    charger_id: str
    password: str | None = None
    tls: TlsFiles = field(default_factory=TlsFiles)
    """Used with `wss://`."""

    @property
    def security_profile(self) -> int:
        """0 to 3: nothing, a password, a password over TLS, a certificate over TLS."""
        if self._secured:
            return 2 if self.tls.cert is None else 3
        return 0 if self.password is None else 1

    @property
    def _secured(self) -> bool:
        return self.url.startswith("wss:")

    @property
    def context(self) -> ssl.SSLContext | None:
        """TLS, where the URL asks for it.

        Raises:
            OSError: a file is missing or not what it should be.
        """
        return self.tls.context() if self._secured else None

    @property
    def address(self) -> str:
        """The whole URL."""
        return f"{self.url.rstrip('/')}/{self.charger_id}"

    def headers(self, newer: str | None) -> dict[str, str]:
        """HTTP Basic authentication, if there is a password; `newer` is in place of our own."""
        password = newer or self.password
        if password is None:
            return {}
        token = base64.b64encode(f"{self.charger_id}:{password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the faults of a charger do to its link."""

    away_s: Callable[[], float]
    """How long they still keep it from the network."""
    is_deaf: Callable[[], bool]
    lag_s: Callable[[], float]


class Link:
    """Keeps one charger connected. `now` is the charger's own clock, right or wrong."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        station: Station,
        dialect: Dialect,
        clock: Clock,
        now: Callable[[], datetime],
        trouble: Trouble,
        dice: random.Random,
    ) -> None:
        self._endpoint = endpoint
        self._station = station
        self._dialect = dialect
        self._clock = clock
        self._now = now
        self._trouble = trouble
        self._dice = dice
        self._mood = station.personality
        self._manners = Manners(dialect.answer, station.personality, now)
        self._distorted = distortion(station.personality)
        self._session: Session | None = None
        self._boot_reason: BootReason | None = BootReason.POWER_UP
        self._backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        self._log = _log.bind(charger=endpoint.charger_id)

    @property
    def connected(self) -> bool:
        """Whether there is a socket now."""
        return self._session is not None

    def boot_again(self, reason: BootReason) -> None:
        """Begin the next connection with a boot for this reason, whatever the personality."""
        self._boot_reason = reason

    def cut(self) -> None:
        """Drop the socket as a pulled cable does."""
        if self._session is not None:
            self._session.abort()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        await stay_connected(
            self._connected_once,
            errors=(OSError, WebSocketException, TransientError, ProtocolError),
            away_s=self._trouble.away_s,
            backoff=self._backoff,
            clock=self._clock,
            log=self._log,
        )

    async def _connected_once(self) -> None:
        async with self._opened() as socket:
            if self._trouble.away_s():  # a fault may have begun while we connected
                return
            await self._talk_over(socket, twin_after_s=self._mood.twin_after_s)
            async with self._opened() as twin:  # the first socket lives on, in silence
                await self._talk_over(twin)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[ClientConnection]:
        socket = await connect(
            self._endpoint.address,
            subprotocols=offered(self._dialect.subprotocol, self._mood.offers),
            additional_headers=self._endpoint.headers(self._station.settings.password),
            ssl=self._endpoint.context,
            compression=None,
            proxy=None,
            user_agent_header=None,
            close_timeout=_CLOSE_TIMEOUT_S,
            create_connection=ClientConnection if self._mood.pongs else Pongless,
            ping_interval=_PING_INTERVAL_S if self._mood.pongs else None,
        )
        try:
            yield socket
        finally:
            await socket.close()

    async def _talk_over(
        self, socket: ClientConnection, *, twin_after_s: float | None = None
    ) -> None:
        """Live on this socket until it closes (LinkDownError) or it is time for its twin."""
        session = Session(
            socket,
            answer=self._manners.answer,
            is_deaf=self._trouble.is_deaf,
            delay=self._lag,
            timeout_s=_CALL_TIMEOUT_S,
        )
        self._manners.connected()
        self._session = session
        work = [session.read(), self._talk(session)]
        if twin_after_s is not None:
            work.append(self._clock.sleep(twin_after_s))
        try:
            await first_of(*work)
        finally:
            self._session = None
            self._station.outbox.keep_durable()
            self._station.set_online(self._now(), online=False)

    async def _lag(self) -> None:
        if (lag_s := self._trouble.lag_s()) > 0:
            await self._clock.sleep(lag_s)

    async def _talk(self, session: Session) -> None:
        self._station.outbox.keep_durable()
        if self._boot_reason is None and end_something(self._station, self._now()):
            await self._tell_next(session)
        await self._greet(session)
        self._backoff.reset()
        self._station.set_online(self._now(), online=True)
        self._station.repeat_tags(self._now())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            group.create_task(self._tell(session))
            group.create_task(self._replay())
            group.create_task(self._misbehave(session))

    async def _replay(self) -> None:
        """Tell the samples of the outage, late and ever more slowly."""
        if self._mood.replay_after_s is None:
            return
        await self._clock.sleep(self._mood.replay_after_s)
        late = self._station.outbox.take_late(self._dice)
        for gap_s, sample in zip(gaps(len(late)), late, strict=True):
            self._station.outbox.put(sample)
            await self._clock.sleep(gap_s)

    async def _misbehave(self, session: Session) -> None:
        """Send malformed frames now and then."""
        if not self._mood.bad_frame_every_s:
            return
        for frame in bad_frames(self._dice):
            await self._clock.sleep(self._dice.expovariate(1.0 / self._mood.bad_frame_every_s))
            await session.send_text(frame)

    async def _greet(self, session: Session) -> None:
        if self._boot_reason is None and not self._mood.boots_on_reconnect:
            return
        while (wait_s := await self._boot(session)) > 0:
            await self._clock.sleep(wait_s)
        self._boot_reason = None
        self._station.repeat_statuses(self._now())

    async def _boot(self, session: Session) -> float:
        """Ask to be accepted; 0 once accepted, else the seconds to wait before asking again."""
        reason = self._boot_reason or BootReason.UNKNOWN
        answer = await self._call(session, "BootNotification", self._dialect.boot(reason))
        interval_s: int = max(1, answer["interval"])
        if answer["status"] != "Accepted":
            return float(interval_s)
        self._station.settings.heartbeat_interval_s = interval_s
        return 0.0

    async def _beat(self) -> None:
        beaten_s = self._clock.monotonic()
        while True:
            await self._clock.sleep(_LONGEST_NAP_S)
            interval_s = self._station.settings.heartbeat_interval_s
            if interval_s and self._clock.monotonic() - beaten_s >= interval_s:
                beaten_s = self._clock.monotonic()
                self._station.outbox.put(HeartbeatDue(at=self._now()))

    async def _tell(self, session: Session) -> None:
        while await self._tell_next(session):
            pass

    async def _tell_next(self, session: Session) -> bool:
        """Tell the next event, as soon as there is one; False when it was time to restart."""

        async def call(action: str, payload: Json) -> Json:
            return await self._call(session, action, payload)

        event = await self._station.outbox.first()
        if isinstance(event, RestartDue):
            await session.close()
            return False
        await self._tell_one(event, call)
        self._station.outbox.done(event)
        return True

    async def _tell_one(self, event: Event, call: Call) -> None:
        """Tell an event; a durable one that finds no answer ends the connection instead."""
        try:
            await self._dialect.tell(event, call)
        except ProtocolError as error:
            self._log.warning("ocpp-refused", told=type(event).__name__, reason=str(error))
        except LinkDownError:
            raise
        except TransientError as error:
            if event.durable:
                raise  # it stays first in the queue, to be told over the next connection
            self._log.warning("ocpp-unanswered", told=type(event).__name__, reason=str(error))

    async def _call(self, session: Session, action: str, payload: Json) -> Json:
        answer = await session.call(action, self._distorted(payload))
        self._dialect.check_answer(action, answer)
        return answer
