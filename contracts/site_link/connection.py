"""One connection to the broker, opened again for as long as the program lives.

nats-py's own reconnection is left off: it gives up for good when a user JWT expires, and it keeps
subscriptions and half-sent requests over a gap that both ends must notice anyway. Here each
connection is a new client with freshly read credentials, and its work is one session.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts.backoff import Backoff
from contracts.errors import (
    ConfigError,
    GridyardError,
    LinkDownError,
    PermanentError,
    TransientError,
)
from contracts.site_link.nkey import Nkey
from contracts.site_link.requests import Answer, Requests
from contracts.tasks import first_of, heed_cancellation
from contracts.time import Clock

log = structlog.get_logger(__name__)

_CONNECT_S = 10
_CLOSE_S = 1
"""After a failed TLS handshake nats-py waits for a close that asyncio never reports."""
_LOOK_S = 0.25
_PING_S = 15
"""With two missing answers a dead peer is noticed within 45 s even when nothing is sent."""
_STEADY_S = 10.0
"""A connection that lasted this long was healthy: the next attempt is quick again."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 10.0
_DOWN = (nats.errors.Error, OSError, TimeoutError)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Not asyncio's remark on every TLS stream that nats-py closes; it has no consequence."""
    return "eof_received() has no effect" not in record.getMessage()


logging.getLogger("asyncio").addFilter(_worth_saying)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who connects, and how it proves it."""

    tls: ssl.SSLContext
    jwt: str = field(repr=False)
    key: Nkey
    inbox_prefix: str


@dataclass(frozen=True, slots=True)
class Request:
    """A message from the other side that may be answered."""

    _message: Msg

    @property
    def subject(self) -> str:
        """Where it was sent."""
        return self._message.subject

    @property
    def data(self) -> bytes:
        """Its content."""
        return self._message.data

    async def answer(self, data: bytes) -> None:
        """Answer the sender.

        Raises:
            LinkDownError: the connection it came over is gone.
        """
        with _calling(self.subject):
            await self._message.respond(data)


class _Client(Client):
    """nats-py's client, less one stray failure.

    When a loss meets unsent data its reader fails while closing: callbacks stay out and nobody
    fetches the exception. That the connection is lost we see in `_until_lost`.
    """

    async def _read_loop(self) -> None:
        with suppress(OSError):
            await super()._read_loop()


class Link:
    """One open connection. Once closed it stays closed and every call says so."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._requests = Requests(client)

    @classmethod
    @asynccontextmanager
    async def over(cls, client: Client) -> AsyncIterator[Link]:
        """A link over a connection that is up; when the context ends all that wait are told."""
        link = cls(client)
        with _calling("inbox"):
            await link._requests.open()
        try:
            yield link
        finally:
            link._requests.close()

    async def ask(
        self, subject: str, data: bytes, timeout_s: float, read: Callable[[bytes], Answer]
    ) -> asyncio.Future[Answer]:
        """Send a request; its future gives the answer, read, or fails as `request` does.

        Raises as `request` when it cannot be sent at all.
        """
        with _calling(subject):
            return await self._requests.send(subject, data, timeout_s, read)

    async def request(self, subject: str, data: bytes, timeout_s: float) -> bytes:
        """Send a request and return the answer.

        Raises:
            LinkDownError: nobody listens there, no answer in time, or the connection is gone.
            PermanentError: larger than the broker takes.
        """
        return await (await self.ask(subject, data, timeout_s, bytes))

    async def publish(self, subject: str, data: bytes = b"") -> None:
        """Send without asking for an answer; raises as `request`."""
        with _calling(subject):
            await self._client.publish(subject, data)

    async def subscribe(self, subject: str, queue: str = "") -> AsyncIterator[Request]:
        """Listen; when this returns the broker knows. The iterator ends with the connection.

        Raises as `request`.
        """
        with _calling(subject):
            subscription = await self._client.subscribe(subject, queue=queue)
            # nats-py writes the PING of a flush at once, but the SUB only when its writer runs: the
            # first answer says that it has run, the second that the broker has the subscription.
            await self._client.flush()
            await self._client.flush()
        return _requests(subscription)


class Connection:
    """Keeps a connection to one of `servers` and runs a session on each.

    They are tried in their order, at every loss from the first on; when none answers, again after
    a wait that is never in step with others'. `login` is called for every attempt, so renewed
    credentials take effect at the next one.
    """

    def __init__(
        self, *, name: str, servers: Sequence[str], login: Callable[[], Login], clock: Clock
    ) -> None:
        self._name = name
        self._servers = list(servers)
        self._login = login
        self._clock = clock
        self._again = asyncio.Event()
        self.violations = 0
        """How often the broker has refused a subject: a mistake or an attack, never routine."""

    async def run(self, session: Callable[[Link], Coroutine[object, object, None]]) -> None:
        """Connect and run a session until it or the connection ends; again until cancelled.

        Raises:
            ConfigError: the credentials cannot be read.
        """
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            for server in self._servers:
                started = self._clock.monotonic()
                if await self._was_up(server, session):
                    break
            if self._clock.monotonic() - started > _STEADY_S:
                backoff.reset()
            await self._clock.sleep(backoff.next_s())

    def again(self) -> None:
        """End the present connection and open another: credentials have been renewed."""
        self._again.set()

    async def _was_up(
        self, server: str, session: Callable[[Link], Coroutine[object, object, None]]
    ) -> bool:
        """One connection, from its beginning to its end; whether there was any."""
        client = _Client()
        up = False
        try:
            await self._connect(client, server, self._login())
            up = True
            log.info("link up", link=self._name, server=server)
            await self._serve(client, session)
        except* (TransientError, ConfigError) as failed:
            # Credentials that cannot be used may be replaced while we run; all else goes on.
            log.warning("link down", link=self._name, server=server, why=_words(failed))
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await client.close()
        heed_cancellation()
        return up

    async def _serve(
        self, client: Client, session: Callable[[Link], Coroutine[object, object, None]]
    ) -> None:
        self._again.clear()
        async with Link.over(client) as link:
            await first_of(session(link), self._until_lost(client), self._again.wait())
        if not self._again.is_set():
            raise LinkDownError(str(client.last_error or "closed"))

    async def _until_lost(self, client: Client) -> None:
        """Polls, because nats-py's callbacks cannot be relied on (see `_Client`)."""
        while client.is_connected:
            await self._clock.sleep(_LOOK_S)

    async def _connect(self, client: Client, server: str, login: Login) -> None:
        try:
            async with asyncio.timeout(_CONNECT_S):
                await client.connect(
                    [server],
                    name=self._name,
                    tls=login.tls,
                    user_jwt_cb=lambda: bytearray(login.jwt.encode()),
                    signature_cb=lambda nonce: base64.b64encode(login.key.sign(nonce.encode())),
                    inbox_prefix=login.inbox_prefix,
                    pending_size=0,  # never deliver late what was sent while the link was down
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    ping_interval=_PING_S,
                    skip_subject_validation=True,  # `subjects` makes them
                    error_cb=self._on_error,
                )
        except _DOWN as error:
            heed_cancellation()
            raise LinkDownError(f"cannot connect: {client.last_error or error!r}") from error
        heed_cancellation()

    async def _on_error(self, error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            self.violations += 1
            log.error("the broker refused a subject", link=self._name, error=str(error))
        else:
            log.debug("link error", link=self._name, error=repr(error))


class _calling:  # noqa: N801 (used as a verb: `with _calling(subject)`)
    """nats-py's failures in our words. A class, because a generator takes 3 us of every send."""

    __slots__ = ("_subject",)

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def __enter__(self) -> None:
        """Nothing has failed yet."""

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        if isinstance(error, nats.errors.MaxPayloadError):
            raise PermanentError(f"{self._subject}: larger than the broker takes") from error
        if error is None or isinstance(error, _DOWN):
            heed_cancellation()
        if isinstance(error, _DOWN):
            raise LinkDownError(f"{self._subject}: {error}") from error


async def _requests(subscription: Subscription) -> AsyncIterator[Request]:
    async for message in subscription.messages:
        yield Request(message)


def _words(failed: BaseExceptionGroup[GridyardError]) -> str:
    """The messages of a group's leaves, each once."""
    seen: dict[str, None] = {}
    for error in failed.exceptions:
        seen[_words(error) if isinstance(error, BaseExceptionGroup) else str(error)] = None
    return "; ".join(seen)
