"""Who may read and command: one password, by HTTP Basic for people, as a bearer token for programs.

RFC 7617 (Basic; any user name) and RFC 6750 (Bearer). Wrong passwords are counted by address, so
that guessing is slow.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import ConfigError
from contracts.http_problem import problem
from contracts.time import Clock

SHORTEST = 12
"""Characters of a password."""
_LARGEST_FILE = 4096
MOST_WRONG = 10
"""Wrong passwords from one address within `WINDOW`; more of them are not even looked at."""
WINDOW = timedelta(minutes=1)
_ADDRESSES = 1000
_log = structlog.get_logger(__name__)


def read_password(path: Path) -> str:
    """The password in a file, without the white space around it.

    Raises:
        ConfigError: the file cannot be read, or the password is too short.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if len(text) < SHORTEST:
        raise ConfigError(f"{path}: the password needs at least {SHORTEST} characters")
    return text


class SignIn:
    """ASGI middleware: lets a request through that carries the password."""

    def __init__(self, app: ASGIApp, password: str, clock: Clock, free: Sequence[str] = ()) -> None:
        """`free`: beginnings of paths whose routes check their callers themselves."""
        self._app = app
        self._password = password.encode()
        self._clock = clock
        self._free = tuple(free)
        self._wrong: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 401 or 429."""
        if scope["type"] != "http" or str(scope["path"]).startswith(self._free):
            await self._app(scope, receive, send)
            return
        peer = str((scope.get("client") or ("",))[0])
        if self._shut_out(peer):
            answer = problem(429, "Too many wrong passwords; wait a minute")
            answer.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
        elif self._right(offered := Headers(scope=scope).get("authorization", "")):
            self._wrong.pop(peer, None)
            await self._app(scope, receive, send)
            return
        else:
            if offered:
                self._count(peer)
            answer = problem(401, "Sign in with the site's password")
            answer.headers["WWW-Authenticate"] = 'Basic realm="Gridyard site", charset="UTF-8"'
        await answer(scope, receive, send)

    def _right(self, authorization: str) -> bool:
        given = _given(authorization)
        return given is not None and hmac.compare_digest(given, self._password)

    def _shut_out(self, peer: str) -> bool:
        count, since = self._wrong.get(peer, (0, self._clock.now()))
        if self._clock.now() - since >= WINDOW:
            self._wrong.pop(peer, None)
            return False
        return count >= MOST_WRONG

    def _count(self, peer: str) -> None:
        count, since = self._wrong.get(peer, (0, self._clock.now()))
        self._wrong[peer] = (count + 1, since)
        while len(self._wrong) > _ADDRESSES:
            self._wrong.popitem(last=False)
        _log.warning("web: wrong password", peer=peer)


def _given(authorization: str) -> bytes | None:
    """The password a header carries; None: none that can be read."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode()
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None
