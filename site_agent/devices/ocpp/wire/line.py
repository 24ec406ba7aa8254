"""A WebSocket that hands over each message in the very callback that brings it.

`websockets` puts messages into a queue that a task reads, and waits in `send` for a peer to read.
Without either a MeterValues costs markedly less (decision 8). What they are good for is done here
otherwise: `session` bounds what waits for an answer, and a peer that does not read is cut off.
"""

from __future__ import annotations

from collections.abc import Callable

from websockets.asyncio.connection import Connection
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from contracts.errors import LinkDownError

_MOST_UNREAD = 1024 * 1024
"""Bytes that may wait for a peer to read them; past that it has stopped reading."""
_MOST_PARTS = 1024
"""Fragments of one message."""
_MOST_EARLY = 64
"""Messages before anybody listens."""

Hear = Callable[[str | bytes], None]
"""Takes a message, text or binary; must not raise."""
Refuse = Callable[[int, str], None]
"""Is told of what is no message (close code, reason); must end the connection."""


class Line(Connection):
    """To be mixed into a server's or a client's connection."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # as its maker gives them
        self._hear: Hear | None = None
        self._refuse: Refuse | None = None
        self._parts: list[Frame] = []
        self._early: list[str | bytes] = []
        self._done = False

    def listen(self, hear: Hear, refuse: Refuse) -> None:
        """From now on every message goes to `hear`; first those that have come already."""
        early, self._early = self._early, []
        self._hear, self._refuse = hear, refuse
        for message in early:
            hear(message)

    def write(self, text: bytes) -> None:
        """Send a text message.

        Raises:
            LinkDownError: the connection is closed or closing.
        """
        if self.protocol.state is not State.OPEN:
            raise LinkDownError("connection closed")
        self.protocol.send_text(text)
        self.send_data()

    def read_no_more(self) -> None:
        """For a peer that floods us: what it sends stays where it is until it is disconnected."""
        self._done = True
        self.transport.pause_reading()

    def process_event(self, event: Frame | Request | Response) -> None:
        """A frame (or the handshake) has come in."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        elif self._done:
            return
        elif event.fin and not self._parts:
            self._hand_over(event.opcode, event.data)
        else:
            self._put_together(event)

    def send_data(self) -> None:
        """Nobody waits for a peer to read: end one that never does."""
        super().send_data()
        if self.transport.get_write_buffer_size() > _MOST_UNREAD:
            self.transport.abort()

    def _put_together(self, frame: Frame) -> None:
        self._parts.append(frame)
        if frame.fin:
            parts, self._parts = self._parts, []
            self._hand_over(parts[0].opcode, b"".join(part.data for part in parts))
        elif len(self._parts) >= _MOST_PARTS:
            self._no_message(CloseCode.MESSAGE_TOO_BIG, "too many fragments")

    def _hand_over(self, opcode: Opcode, data: bytes | bytearray | memoryview) -> None:
        try:
            message = str(data, "utf-8") if opcode is Opcode.TEXT else bytes(data)
        except UnicodeDecodeError:
            self._no_message(CloseCode.INVALID_DATA, "not UTF-8")
            return
        if self._hear is not None:
            self._hear(message)
        elif len(self._early) < _MOST_EARLY:
            self._early.append(message)
        else:
            self.transport.abort()

    def _no_message(self, code: int, reason: str) -> None:
        self.read_no_more()
        if self._refuse is None:
            self.transport.abort()
        else:
            self._refuse(code, reason)
