"""The way to the sites: embedded broker, our own link, credentials, who is there and who is out."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import datetime

import structlog

from contracts.nats_server import NatsServer
from contracts.time import Clock
from gateway.config import GatewaySettings, LinkEntry
from gateway.flows.sites.admission import Admission, keep_out
from gateway.flows.sites.presence import Attendance
from gateway.sites.bouncer import Bouncer
from gateway.sites.broker import broker_config
from gateway.sites.credentials import Authority, TlsFiles
from gateway.sites.enrolment import EnrolmentDoor
from gateway.sites.issuer import SiteIssuer
from gateway.sites.link import NatsSiteLink
from gateway.sites.presence import Presence
from gateway.store.access import SqlAccessBook
from gateway.store.database import Database

_log = structlog.get_logger(__name__)


class ToSites:
    """The broker and everything that speaks to it. `link` is there once the broker is ready."""

    def __init__(
        self,
        config: GatewaySettings,
        clock: Clock,
        database: Database,
        revoked: Mapping[str, datetime],
    ) -> None:
        """`revoked` are the user keys that are kept out, each with when it was revoked."""
        self._entry = config.link
        self._clock = clock
        self._revoked = revoked
        self._authority = Authority(config.link.nats)
        self.book = SqlAccessBook(database)
        self.broker = NatsServer(self._broker_settings(revoked), config.data / "broker", clock)
        self.admission = self._admission()

    def link(self) -> NatsSiteLink:
        """Our own connection to the broker, which must be ready."""
        return NatsSiteLink(
            servers=self._servers(),
            login=self._authority.gateway_login(_own_tls(self._entry), self._clock),
            clock=self._clock,
            answer_s=self._entry.answer_s,
        )

    def runs(self, attendance: Attendance) -> list[Coroutine[object, object, None]]:
        """What runs beside the broker and the link; `attendance` hears who is connected."""
        bouncer = Bouncer(self.broker, self._broker_settings)
        return [
            keep_out(self.book, bouncer, self._clock, self._revoked),
            self._presence().run(attendance),
            self._serve_door(),
        ]

    def _servers(self) -> list[str]:
        return [f"tls://127.0.0.1:{self.broker.port}"]

    def _broker_settings(self, revoked: Mapping[str, datetime]) -> dict[str, object]:
        return broker_config(
            self._authority,
            _broker_tls(self._entry),
            host=self._entry.host,
            port=self._entry.port or -1,
            now=self._clock.now(),
            revoked=revoked,
        )

    def _admission(self) -> Admission | None:
        """What issues credentials, where that is wanted."""
        wanted = self._entry.enrolment
        if wanted is None:
            return None
        issuer = SiteIssuer(self._entry.ca, wanted.ca_key, self._authority)
        return Admission(self.book, issuer, self._clock, life=wanted.life)

    def _presence(self) -> Presence:
        """What hears from the broker who is connected."""
        return Presence(
            servers=self._servers(),
            login=self._authority.watcher_login(_own_tls(self._entry), self._clock),
            account=self._authority.account,
            signer=self._authority.site_signer,
            clock=self._clock,
        )

    async def _serve_door(self) -> None:
        """The door for new sites, where there is one."""
        wanted = self._entry.enrolment
        if wanted is None or self.admission is None:
            return
        _log.info("enrolment_door", url=wanted.url)
        door = EnrolmentDoor(_broker_tls(self._entry), self.admission.enrol, self._clock)
        await door.run(wanted.host, wanted.port)


def _broker_tls(entry: LinkEntry) -> TlsFiles:
    """What sites see."""
    return TlsFiles(ca=entry.ca, cert=entry.broker_cert, key=entry.broker_key)


def _own_tls(entry: LinkEntry) -> TlsFiles:
    """What we show the broker."""
    return TlsFiles(ca=entry.ca, cert=entry.cert, key=entry.key)
