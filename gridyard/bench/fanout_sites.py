"""Sites of the fan-out bench: thousands of connections in one process, and no more than that.

Each is a client of the broker in its own right (mutual TLS, its own user JWT, its own subject), but
all hang on one selector: ten thousand agents would measure this machine, not the gateway. What a
site got is read in full only when the bench asks for it, after the clock has stopped.
"""

from __future__ import annotations

import base64
import json
import re
import selectors
import socket
import ssl
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from contracts.clock import SystemClock
from contracts.errors import PermanentError
from contracts.identity import client_context
from contracts.site_link import subjects
from contracts.site_link.codec import decode, encode
from contracts.site_link.messages import Instruction, InstructionAck, InstructionState
from contracts.site_link.nkey import Nkey
from gateway.sites.credentials import TlsFiles

Pass = tuple[str, str, str]
"""Site id, user JWT, and the seed of its key."""

_CLOCK = SystemClock()
_HOST = "127.0.0.1"
_TIMEOUT_S = 20.0
_SOME = 1 << 16
_EVERY = 50
"""After so many new connections those before are looked after: the broker asks who is alive."""
_INSTRUCTION = re.compile(rb'"instruction_id":"([^"]+)"')


class LightSite:
    """One connection, subscribed to what goes down to its site.

    Raises:
        OSError: the broker cannot be reached, or turns it away.
    """

    def __init__(self, port: int, tls: ssl.SSLContext, mine: Pass) -> None:
        self.site_id, jwt, seed = mine
        self.heard_s: float | None = None
        """When something came last, by the monotonic clock."""
        self.data = b""
        """What came."""
        self._rest = b""
        plain = socket.create_connection((_HOST, port), timeout=_TIMEOUT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        info = json.loads(plain.recv(_SOME).partition(b" ")[2])
        self.socket = tls.wrap_socket(plain, server_hostname=_HOST)
        signature = base64.b64encode(Nkey(seed).sign(info["nonce"].encode())).decode()
        self._greet({"jwt": jwt, "sig": signature})
        self.socket.setblocking(False)

    def _greet(self, proof: dict[str, str]) -> None:
        hello = {**proof, "protocol": 1, "verbose": False, "pedantic": False, "lang": "bench"}
        subject = subjects.down(self.site_id, subjects.INSTRUCTION)
        words = f"CONNECT {json.dumps(hello)}\r\nSUB {subject} 1\r\nPING\r\n"
        self.socket.sendall(words.encode())
        while b"PONG\r\n" not in self._rest:
            told = self.socket.recv(_SOME)
            if not told or b"-ERR" in told:
                raise PermanentError(f"{self.site_id}: the broker says {told!r}")
            self._rest += told
        self._rest = self._rest.partition(b"PONG\r\n")[2]

    def look(self) -> bool:
        """Read and answer what has come; whether that was a message."""
        before = self.heard_s
        try:
            while told := self.socket.recv(_SOME):
                self._rest += told
            raise PermanentError(f"{self.site_id}: the broker has hung up")
        except ssl.SSLWantReadError:
            pass
        while self._one():
            pass
        return self.heard_s != before

    def _one(self) -> bool:
        """Take one whole word of the protocol off what has come."""
        line, end, rest = self._rest.partition(b"\r\n")
        if not end:
            return False
        if line.startswith(b"MSG "):
            head = line.split()
            size = int(head[-1])
            if len(rest) < size + 2:
                return False
            self._message(rest[:size], head[3] if len(head) == 5 else None)  # noqa: PLR2004
            rest = rest[size + 2 :]
        elif line == b"PING":
            self.socket.sendall(b"PONG\r\n")
        elif line.startswith(b"-ERR"):
            raise PermanentError(f"{self.site_id}: {line.decode()}")
        self._rest = rest
        return bool(rest)

    def _message(self, data: bytes, reply: bytes | None) -> None:
        self.heard_s, self.data = time.monotonic(), data
        found = _INSTRUCTION.search(data)
        if reply is None or found is None:
            return
        ack = InstructionAck(
            instruction_id=found[1].decode(), state=InstructionState.STORED, at=_CLOCK.now()
        )
        body = encode(ack)
        self.socket.sendall(b"PUB %b %d\r\n%b\r\n" % (reply, len(body), body))

    def holds_its_own(self) -> bool:
        """Whether what came last is an instruction for this site and no other."""
        message = decode(self.data)
        return isinstance(message, Instruction) and message.site_id == self.site_id


def light_sites(port: int, tls: TlsFiles, passes: Sequence[Pass], pipe: Connection) -> None:
    """Connect these sites, saying how many more; then say, whenever all have heard something, when.

    Any order is a request to count those that hold an instruction of their own.
    """
    context = client_context(tls.ca, tls.cert, tls.key)
    with selectors.DefaultSelector() as selector:
        sites: list[LightSite] = []
        for mine in passes:
            sites.append(LightSite(port, context, mine))
            selector.register(sites[-1].socket, selectors.EVENT_READ, sites[-1])
            if len(sites) % _EVERY == 0:
                _look(selector, 0)
                pipe.send(_EVERY)
        selector.register(pipe.fileno(), selectors.EVENT_READ)
        if rest := len(sites) % _EVERY:
            pipe.send(rest)
        _serve(selector, sites, pipe)


def _serve(selector: selectors.BaseSelector, sites: Sequence[LightSite], pipe: Connection) -> None:
    waited_for = len(sites)
    while True:
        heard, ordered = _look(selector, None)
        waited_for -= heard
        if waited_for == 0:
            pipe.send([site.heard_s for site in sites])
            waited_for = len(sites)
        if ordered:
            try:
                pipe.recv()
            except EOFError:
                return
            pipe.send(sum(site.holds_its_own() for site in sites))


def _look(selector: selectors.BaseSelector, timeout_s: float | None) -> tuple[int, bool]:
    """How many sites have heard something, and whether the bench has ordered something."""
    heard, ordered = 0, False
    for key, _ in selector.select(timeout_s):
        if key.data is None:
            ordered = True
        else:
            heard += key.data.look()
    return heard, ordered
