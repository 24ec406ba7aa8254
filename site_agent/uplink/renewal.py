"""The site's credentials are renewed over the link, long before they end.

Keys stay as they are; a revoked site is renewed no more and joins again with new ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from contracts.backoff import Backoff
from contracts.errors import ConfigError, ProtocolError, TransientError
from contracts.site_link import creds
from contracts.site_link.messages import Credentials, Renew, Severity
from contracts.site_link.nkey import Nkey
from contracts.time import Clock
from site_agent.flows.report.notices import Condition, Key
from site_agent.uplink import keys
from site_agent.uplink.credentials import Life, keep_credentials, life_of

log = structlog.get_logger(__name__)

EXPIRE, OVER = "credentials-expire", "credentials-over"
_SUBJECT = "link"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 3600.0
_LOOK_S = 3600.0
"""The clock may be set and files replaced by hand: nothing is waited for longer than this."""
_READ_S = 60.0


class Renewal:
    """Keeps the credentials in a folder good for as long as a gateway can be asked."""

    def __init__(self, site_id: str, folder: Path, clock: Clock) -> None:
        self._site_id = site_id
        self._folder = folder
        self._clock = clock
        self._life: Life | None = None
        self._read_at: float | None = None

    async def run(self, ask: Callable[[Renew], Awaitable[Credentials]]) -> None:
        """Return once renewed: the connection should then be made anew.

        `ask` raises TransientError when there is no answer now, or a refusal.
        """
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            try:
                life = await asyncio.to_thread(life_of, self._folder)
                early_s = (life.due() - self._clock.now()).total_seconds()
                if early_s > 0:
                    await self._clock.sleep(min(early_s, _LOOK_S))
                    continue
                await self._renew(ask)
            except (TransientError, ProtocolError, ConfigError) as error:
                log.warning("credentials not renewed; trying again", why=str(error))
                await self._clock.sleep(backoff.next_s())
            else:
                return

    def conditions(self) -> Mapping[Key, Condition]:
        """What a person should know, early enough to act."""
        life, now = self._known(), self._clock.now()
        if life is None or now < life.due() + (life.until - life.due()) / 2:
            return {}
        until = f"{life.until:%Y-%m-%d %H:%M} UTC"
        if now < life.until:
            words = f"the gateway has not renewed this site's credentials, which end {until}"
            return {(EXPIRE, _SUBJECT): Condition(severity=Severity.WARNING, text=words)}
        words = f"this site's credentials ended {until}: join again with a new token"
        return {(OVER, _SUBJECT): Condition(severity=Severity.ALARM, text=words)}

    async def _renew(self, ask: Callable[[Renew], Awaitable[Credentials]]) -> None:
        key, user = self._folder / creds.KEY_FILE, await asyncio.to_thread(self._user)
        csr = await asyncio.to_thread(keys.signing_request, key)
        sent_at = self._clock.now()
        issued = await ask(
            Renew(site_id=self._site_id, csr=csr, user_key=user.public, sent_at=sent_at)
        )
        if issued.site_id != self._site_id:
            raise ProtocolError(f"issued for another site: {issued.site_id!r}")
        await asyncio.to_thread(keep_credentials, self._folder, issued, key, user)
        self._read_at = None
        log.info("credentials renewed", site=self._site_id, until=issued.until.isoformat())

    def _user(self) -> Nkey:
        path = self._folder / creds.CREDS_FILE
        try:
            return Nkey(creds.parse_creds(path.read_text(encoding="ascii"))[1])
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: {error}") from error

    def _known(self) -> Life | None:
        """The life of what is there, read again now and then; None: nothing that can be read."""
        now_s = self._clock.monotonic()
        if self._read_at is None or now_s - self._read_at > _READ_S:
            self._read_at = now_s
            try:
                self._life = life_of(self._folder)
            except ConfigError:
                self._life = None
        return self._life
