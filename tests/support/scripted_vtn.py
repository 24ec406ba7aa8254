"""A server that says to every request what a test has written down, over real TLS or none."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from support.processes import LOOPBACK


def http(
    body: bytes = b"", status: str = "200 OK", kind: str = "application/xml", more: str = ""
) -> bytes:
    """A whole answer; `more` are further header lines."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class ScriptedVtn:
    """Blocking sockets, since those send TLS alerts to clients they refuse."""

    def __init__(
        self, listener: socket.socket, tls: ssl.SSLContext | None, answers: tuple[bytes, ...]
    ) -> None:
        self.port = int(listener.getsockname()[1])
        self.requests: list[bytes] = []
        self._listener = listener
        self._tls = tls
        self._answers = answers
        self._made: Callable[[], bytes] | None = None

    def answer_with(self, made: Callable[[], bytes]) -> None:
        """From now on by what is made at that moment: for signatures, which have a time."""
        self._made = made

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.port}/OpenADR2/Simple/2.0b"

    def serve(self) -> None:
        """Until the listener is shut down."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    connection.settimeout(10)
                    self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        if self._tls is None:
            connection.recv(65_536)
            connection.sendall(self._answers[0])
            return
        with self._tls.wrap_socket(connection, server_side=True) as channel:
            while request := _request(channel):
                said = self._answers[min(len(self.requests), len(self._answers) - 1)]
                self.requests.append(request)
                channel.sendall(said if self._made is None else self._made())


def _request(channel: ssl.SSLSocket) -> bytes:
    """One request with its whole body; empty when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = channel.recv(65_536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = [
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if b"content-length" in line
    ]
    while len(body) < length:
        body += channel.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def scripted_vtn(tls: ssl.SSLContext | None, *answers: bytes) -> Iterator[ScriptedVtn]:
    """It answers while the block runs: the first request by the first answer, and so on."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        vtn = ScriptedVtn(listener, tls, answers or (b"",))
        thread = threading.Thread(target=vtn.serve, daemon=True)
        thread.start()
        yield vtn
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
