"""Serve an ASGI application inside a program that owns its signals, its loop and its exit."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from contracts.errors import PermanentError

_GRACE_S = 2
"""How long requests may finish once stopping is asked for."""
_BACKLOG = 128
_PEER = "peer_certificate"
_HANG_UP = "hang_up"


async def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    stopping: asyncio.Event,
    tls: ssl.SSLContext | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve `app` until `stopping` is set, or until cancelled.

    Port 0 takes any free one; `ready` is told the real one as soon as requests are answered. With
    `tls` (for example `contracts.identity.server_context`) it is https, and the context decides
    whether clients need a certificate; `peer_certificate` tells which one it was. Endless answers
    (SSE) must watch `stopping` themselves; what still runs `_GRACE_S` seconds later is cancelled.
    The application's lifespan is not run: what it needs lives in tasks of its program.

    Raises:
        PermanentError: the address cannot be listened on.
    """
    config = uvicorn.Config(
        app,
        http=_Connection,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
    with closing(_listen(host, port)) as listener:
        server = _Server(config, stopping, ready)
        try:
            await server.serve(sockets=[listener])
        except asyncio.CancelledError:
            server.abandon()
            raise


def peer_certificate(scope: Scope) -> bytes | None:
    """The certificate, DER, that the client of this request showed in the TLS handshake."""
    certificate: bytes | None = scope["state"].get(_PEER)
    return certificate


class RequestError(Exception):
    """A request that is not served; `status` is the HTTP status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def read_body(receive: Receive, *, max_bytes: int, within_s: float) -> bytes:
    """The whole body of a request from somebody who might send for ever.

    Raises:
        RequestError: 408 it takes longer, 413 it is larger, 400 the sender went away.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestError(400, "the sender went away")
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    raise RequestError(413, f"a body of more than {max_bytes} bytes")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError as error:
        raise RequestError(408, f"no whole body in {within_s:g} s") from error


def hang_up(scope: Scope) -> None:
    """End the connection of this request at once, without another word: a fault for tests."""
    scope["state"][_HANG_UP]()


class _Connection(H11Protocol):
    """Tells the application who is on the other end: no header can say that."""

    def connection_made(  # type: ignore[override] # as uvicorn's own
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        peer = tls and tls.getpeercert(binary_form=True)
        self.app_state = {**self.app_state, _PEER: peer, _HANG_UP: transport.abort}


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a busy port is found before anything starts.

    Its protocol is named: asyncio switches TCP_NODELAY on only for sockets whose protocol is TCP
    by name, and without it a keep-alive answer waits 40 ms for the peer's acknowledgement.
    """
    listener: socket.socket | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise PermanentError(f"cannot listen on {host} port {port}: {error}") from error
    return listener


class _Server(uvicorn.Server):
    """A uvicorn that leaves signals to the program and stops when the program does."""

    def __init__(
        self,
        config: uvicorn.Config,
        stopping: asyncio.Event,
        ready: Callable[[int], None] | None,
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready is not None and sockets:
            self._ready(int(sockets[0].getsockname()[1]))

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn asks this ten times a second."""
        return await super().on_tick(counter) or self._stopping.is_set()

    def abandon(self) -> None:
        """Stop at once, without waiting for anyone."""
        for listener in getattr(self, "servers", ()):
            listener.close()
        for task in self.server_state.tasks:
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.shutdown()
