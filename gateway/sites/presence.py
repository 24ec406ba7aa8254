"""Who is connected, from the broker itself: its system account may ask, and is told of changes.

The JWT in such a message is the one the broker has just let in, so its name is the site, whatever
the client calls itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from contracts.errors import ConfigError
from contracts.site_link import creds
from contracts.site_link.connection import Connection, Link, Login
from contracts.time import Clock
from gateway.ports import SitePresence, StoredCredential

log = structlog.get_logger(__name__)

_CONNECT, _DISCONNECT = "CONNECT", "DISCONNECT"
_CLIENTS = "$SYS.REQ.SERVER.PING.CONNZ"
_PAGE = 500
_ANSWER_S = 5.0
_NONSENSE = (ValueError, KeyError, TypeError, OverflowError, ConfigError)


class Presence:
    """Tells a handler who comes and goes on the broker.

    `account`: public key of the account of sites and gateway; `signer`: of what signs sites' JWTs;
    `login`: as a user of the system account.
    """

    def __init__(
        self,
        *,
        servers: Sequence[str],
        login: Callable[[], Login],
        account: str,
        signer: str,
        clock: Clock,
    ) -> None:
        self._connection = Connection(name="presence", servers=servers, login=login, clock=clock)
        self._account = account
        self._signer = signer

    async def run(self, handler: SitePresence) -> None:
        """Listen until cancelled."""
        await self._connection.run(lambda link: self._session(link, handler))

    async def _session(self, link: Link, handler: SitePresence) -> None:
        here: defaultdict[str, set[str]] = defaultdict(set)
        try:
            messages = await link.subscribe(f"$SYS.ACCOUNT.{self._account}.*")
            async for server, client in self._already_here(link):
                await self._heed(_CONNECT, server, client, here, handler)
            async for message in messages:
                what, told = message.subject.rpartition(".")[2], _read(message.data)
                await self._heed(what, told.get("server"), told.get("client"), here, handler)
        finally:
            for site_id in [site for site, clients in here.items() if clients]:
                await handler.left(site_id)  # those still there are soon heard again

    async def _already_here(self, link: Link) -> AsyncIterator[tuple[Any, Any]]:
        """Server and client of every connection there is, page by page."""
        offset, total = 0, 1
        while offset < total:
            wanted = {"auth": True, "acc": self._account, "offset": offset, "limit": _PAGE}
            told = _read(await link.request(_CLIENTS, json.dumps(wanted).encode(), _ANSWER_S))
            page = told.get("data") or {}
            total, offset = int(page.get("total", 0)), offset + _PAGE
            for client in page.get("connections") or ():
                yield told.get("server"), {**client, "id": client.get("cid")}

    async def _heed(
        self,
        what: str,
        server: Any,  # noqa: ANN401 (JSON)
        client: Any,  # noqa: ANN401 (JSON)
        here: Mapping[str, set[str]],
        handler: SitePresence,
    ) -> None:
        try:
            name, user = f"{server['id']}/{client['id']}", self._site_user(client)
        except _NONSENSE as error:
            log.debug("a client that is no site", why=repr(error))
            return
        clients = here[user.site_id]
        if what == _CONNECT:
            clients.add(name)
            await handler.came(user)
        elif what == _DISCONNECT:
            clients.discard(name)
            if not clients:
                await handler.left(user.site_id)

    def _site_user(self, client: Mapping[str, object]) -> StoredCredential:
        claims = creds.jwt_claims(str(client["jwt"]))
        if claims["iss"] != self._signer:
            raise ValueError("not signed for a site")
        user_key = str(claims["sub"])
        return StoredCredential(
            serial=f"user {user_key}",
            site_id=str(claims["name"]),
            user_key=user_key,
            issued_at=_instant(claims["iat"]),
            until=_instant(claims["exp"]),
            cause="made elsewhere",
        )


def _read(data: bytes) -> dict[str, Any]:
    """What the broker says; nothing when it makes no sense."""
    try:
        told = json.loads(data)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def _instant(claim: object) -> datetime:
    return datetime.fromtimestamp(float(str(claim)), UTC)
