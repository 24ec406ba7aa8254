"""Ports for programs that are told theirs: nobody else on the machine is given them meanwhile."""

from __future__ import annotations

import os
import socket
from itertools import count

_FIRST, _EACH = 20_000, 1_000
"""Below the ports that systems give to clients and to servers that take any (Linux: from 32768)."""
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
_NEXT = count()


def free_port() -> int:
    """A port that nobody listens on, and that this run of the tests has not been given yet."""
    for number in _NEXT:
        port = _FIRST + _WORKER * _EACH + number % _EACH
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError
