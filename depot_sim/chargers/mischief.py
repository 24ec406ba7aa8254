"""What odd chargers do to the connection itself."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

_PONG = 0x8A
"""First byte of a final pong frame (RFC 6455 §5.2)."""
_FIRST_GAP_S, _LAST_GAP_S = 0.4, 6.8
"""Between samples told late, as seen on a simulator catching up."""


class Pongless(ClientConnection):
    """A connection that never answers a ping."""

    def send_data(self) -> None:
        """Send what is waiting, but for pongs."""
        writes = self.protocol.writes
        self.protocol.writes = [frame for frame in writes if frame[:1] != bytes([_PONG])]
        super().send_data()


def offered(subprotocol: str, offers: str) -> list[Subprotocol] | None:
    """The subprotocols of a handshake, by the word of the personality (None: no such header)."""
    words = {"right": subprotocol, "misspelt": subprotocol.upper(), "unknown": "soap"}
    return [Subprotocol(words[offers])] if offers in words else None


def bad_frames(dice: random.Random) -> Iterator[str]:
    """Malformed frames without end: each kind once a round, in an order of the dice."""
    while True:
        kinds = [_truncated, _short, _strange]
        dice.shuffle(kinds)
        yield from (kind() for kind in kinds)


def gaps(count: int) -> Iterator[float]:
    """Growing waiting times in s before each of `count` samples told late."""
    ratio = (_LAST_GAP_S / _FIRST_GAP_S) ** (1.0 / max(1, count - 1))
    yield from (_FIRST_GAP_S * ratio**place for place in range(count))


def _truncated() -> str:
    return f'[2,"{uuid.uuid4()}","Heartbeat",{{'


def _short() -> str:
    """A CALL of three elements."""
    return f'[2,"{uuid.uuid4()}","Heartbeat"]'


def _strange() -> str:
    """Type 6 (SEND), which 1.6 and 2.0.1 do not know; for 2.1 the payload lacks everything."""
    return f'[6,"{uuid.uuid4()}","NotifyPeriodicEventStream",{{}}]'
