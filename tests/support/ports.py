"""Ports for programs that are told theirs: nobody else is given them while they are down."""

from __future__ import annotations

import os
import socket
from itertools import count

_BELOW_EPHEMERAL = range(20_000, 32_000)
"""An outgoing connection can take a port of the ephemeral range while its program is down; a
client that knocks there for long may even end up connected to itself."""
_TURN = count(os.getpid() * 997)
"""Every process of the tests begins elsewhere, and none gives a port twice in a row."""


def steady_ports(wanted: int) -> list[int]:
    """So many different ports that nobody listens on."""
    return [free_port() for _ in range(wanted)]


def free_port() -> int:
    """A port that nobody listens on.

    Raises:
        AssertionError: somebody listens on every one.
    """
    for _ in _BELOW_EPHEMERAL:
        port = _BELOW_EPHEMERAL[next(_TURN) % len(_BELOW_EPHEMERAL)]
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free ports")
