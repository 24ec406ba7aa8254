"""Sites come in: a token once, credentials for it, longer ones later, and all taken back at once.

Credentials last 30 days by default and are renewed by the site itself, so that a site which was
forgotten ends by itself. A revoked user key is never let in or renewed again; the site comes back
with a new token and new keys.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.site_link.enrolment import Request, secret_hash
from contracts.site_link.messages import Credentials, Renew
from contracts.site_link.subjects import checked_site_id
from contracts.time import Clock
from gateway.ports import AccessBook, Door, Issuer, StoredCredential, StoredToken

_log = structlog.get_logger(__name__)

_LOOK_S = 1.0
_SECRET_BYTES = 32


class TokenError(PermanentError):
    """The token is unknown, over, or was used by somebody else."""


class Admission:
    """Issues to sites what they need to connect.

    `life`: how long certificate and user JWT last.
    """

    def __init__(
        self,
        book: AccessBook,
        issuer: Issuer,
        clock: Clock,
        *,
        life: timedelta = timedelta(days=30),
    ) -> None:
        self._book = book
        self._issuer = issuer
        self._clock = clock
        self._life = life

    async def enrol(self, request: Request) -> Credentials:
        """The first credentials of a site, for its token.

        The same keys may ask again while the token is good: an answer can be lost.

        Raises:
            TokenError: see there.
            ProtocolError: the signing request makes no sense.
        """
        now, named = self._clock.now(), secret_hash(request.secret)
        token = await self._book.token(named)
        keys = hashlib.sha256(f"{request.csr}\n{request.user_key}".encode()).hexdigest()
        _check(token, keys, now)
        assert token is not None  # noqa: S101 (checked)
        credential, issued = await self._issue(
            token.site_id, request.csr, request.user_key, now, "enrolled"
        )
        refused = await self._book.redeem(named, keys, credential)
        if refused is not None:
            _check(refused, keys, now)
            raise TokenError("these keys have been revoked: join with new ones")
        _log.info("site_enrolled", site=token.site_id, serial=credential.serial)
        return issued

    async def renew(self, renew: Renew) -> Credentials:
        """Longer credentials for a site that is connected, and so has proved who it is.

        Raises:
            PermanentError: its user key has been revoked.
            ProtocolError: the signing request makes no sense.
        """
        credential, issued = await self._issue(
            renew.site_id, renew.csr, renew.user_key, self._clock.now(), "renewed"
        )
        if not await self._book.add(credential):
            raise PermanentError(f"{renew.site_id}: this user key has been revoked")
        _log.info("site_renewed", site=renew.site_id, serial=credential.serial)
        return issued

    async def _issue(
        self, site_id: str, csr: str, user_key: str, now: datetime, cause: str
    ) -> tuple[StoredCredential, Credentials]:
        serial, issued = await asyncio.to_thread(
            self._issuer.issue, site_id, csr, user_key, now, now + self._life
        )
        kept = StoredCredential(
            serial=serial,
            site_id=site_id,
            user_key=user_key,
            issued_at=now,
            until=issued.until,
            cause=cause,
        )
        return kept, issued


async def new_token(book: AccessBook, site_id: str, now: datetime, good_for: timedelta) -> str:
    """A secret with which this site may enrol once; only its hash is kept.

    Raises:
        PermanentError: the site id is not safe in a subject.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    token = StoredToken(site_id=checked_site_id(site_id), expires_at=now + good_for)
    await book.put_token(secret_hash(secret), token, now)
    return secret


async def keep_out(
    book: AccessBook, door: Door, clock: Clock, at_first: Mapping[str, datetime]
) -> None:
    """Turn revoked keys away within a second of their revocation, by whichever process, for ever.

    `at_first`: those the door knows already.
    """
    known = at_first
    while True:
        await clock.sleep(_LOOK_S)
        try:
            revoked = await book.revoked(clock.now())
        except TransientError as error:
            _log.warning("revocations not read; trying again", why=str(error))
            continue
        if revoked.items() - known.items():  # one that has merely ended needs no reload
            _log.warning("sites_shut_out", keys=sorted(revoked.keys() - known.keys()))
            await door.shut_out(revoked)
        known = revoked


def _check(token: StoredToken | None, keys: str, now: datetime) -> None:
    """Unknown and over sound alike: nobody learns which secrets exist."""
    if token is None or token.expires_at <= now:
        raise TokenError("the token is unknown or over: ask the operator for a new one")
    if token.used_by not in (None, keys):
        raise TokenError("the token has been used: ask the operator for a new one")
