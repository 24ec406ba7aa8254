"""A blocking socket for dlms-cosem with the bounds its own has not got.

The library's own socket reads for ever when the meter hangs up (an empty read is no end to it), has
no bound on what it takes in and none on the time of a whole exchange. It runs in a thread of its
own; `abort` ends that at once.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from contracts.errors import LinkDownError, ProtocolError, TransientError

MOST_BYTES = 64 * 1024
"""Of one readout, all answers together."""
_MOST_AT_ONCE = 4096


class BoundedSocket:
    """What dlms-cosem calls an IoImplementation."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._socket: socket.socket | None = None
        self._held = bytearray()
        self._left = 0
        self._deadline_s = 0.0

    def allow(self, seconds: float) -> None:
        """A readout begins: so long, and `MOST_BYTES`, it may take."""
        self._deadline_s = time.monotonic() + seconds
        self._left = MOST_BYTES

    def connect(self) -> None:
        """Raises LinkDownError: nobody there."""
        try:
            self._socket = socket.create_connection(self._place, self._remaining_s())
        except OSError as error:
            host, port = self._place
            raise LinkDownError(f"{host}:{port} cannot be reached") from error
        self._held.clear()

    def disconnect(self) -> None:
        """Close the connection."""
        line, self._socket = self._socket, None
        if line is not None:
            line.close()

    def abort(self) -> None:
        """End whatever waits, and what is about to (from another thread)."""
        self._deadline_s = 0.0
        line = self._socket
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        """Raises LinkDownError: the meter has gone."""
        try:
            line = self._line()
            line.settimeout(self._remaining_s())
            line.sendall(data)
        except OSError as error:
            raise LinkDownError("the meter does not take what is sent") from error

    def recv(self, amount: int = 1) -> bytes:
        """So many bytes exactly.

        Raises:
            TransientError: they do not come in time.
            LinkDownError: the meter has hung up.
            ProtocolError: more than a readout may have.
        """
        self._left -= amount
        if self._left < 0:
            raise ProtocolError(f"more than {MOST_BYTES} bytes in one readout")
        while len(self._held) < amount:
            self._held += self._more()
        taken = bytes(self._held[:amount])
        del self._held[:amount]
        return taken

    def recv_until(self, end: bytes) -> bytes:
        """Everything up to and with `end`; raises as `recv`."""
        taken = bytearray()
        while not taken.endswith(end):
            taken += self.recv(1)
        return bytes(taken)

    def _more(self) -> bytes:
        try:
            line = self._line()
            line.settimeout(self._remaining_s())
            data = line.recv(_MOST_AT_ONCE)
        except TimeoutError as error:
            raise TransientError("the meter does not answer") from error
        except OSError as error:
            raise LinkDownError(f"the connection broke: {error}") from error
        if not data:
            raise LinkDownError("the meter has hung up")
        return data

    def _line(self) -> socket.socket:
        if self._socket is None:
            raise LinkDownError("not connected")
        return self._socket

    def _remaining_s(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TransientError("the meter takes too long")
        return left_s
