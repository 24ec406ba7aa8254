"""A utility whose certificate is right and whose every answer is nonsense."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from certs.pki import Pki
from contracts.identity import server_context
from support.processes import LOOPBACK


def _http(body: bytes, kind: bytes = b"application/xml") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(body)) + body


_LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><x>&c;</x>'
)
NONSENSE = (
    _http(b"<oadr:oadrPayload"),
    _http(_LAUGHS),
    _http(b"<a>" * 5_000 + b"</a>" * 5_000),
    _http(b"\xff\xfe\x00 not text", b"text/html"),
    b"this is not HTTP\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<cut short",
    b"",
)


class BrokenUtility:
    """Counts what it has sent."""

    def __init__(self, listener: socket.socket, tls: ssl.SSLContext) -> None:
        self.port = int(listener.getsockname()[1])
        self.answered = 0
        self._listener = listener
        self._tls = tls

    def serve(self) -> None:
        """Until the listener is shut down."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(3)
        with self._tls.wrap_socket(connection, server_side=True) as channel:
            channel.recv(65_536)
            channel.sendall(NONSENSE[self.answered % len(NONSENSE)])
            self.answered += 1


@contextmanager
def broken_utility(pki: Pki) -> Iterator[BrokenUtility]:
    """It answers while the block runs."""
    tls = server_context(pki.vtn.cert, pki.vtn.key, pki.utility_ca)
    with socket.create_server((LOOPBACK, 0)) as listener:
        utility = BrokenUtility(listener, tls)
        thread = threading.Thread(target=utility.serve, daemon=True)
        thread.start()
        yield utility
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
