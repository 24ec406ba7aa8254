"""Messages from sites: stored before they are acknowledged, then shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import structlog

from contracts.errors import PermanentError
from contracts.site_link.health import Health
from contracts.site_link.messages import (
    LATER_ROWS,
    PROTOCOL_VERSION,
    Batch,
    BatchAck,
    Credentials,
    Hello,
    InstructionState,
    InstructionStatus,
    Measurement,
    Notice,
    Renew,
    Severity,
    Welcome,
)
from contracts.time import Clock
from gateway.domain.epochs import Epochs, heard
from gateway.domain.portfolio import Portfolio
from gateway.flows.dispatch.worker import Dispatch
from gateway.flows.sites.admission import Admission
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.ports import JournalEntry, Ledger, TelemetryStore

_log = structlog.get_logger(__name__)

TWO_AGENTS = "two-agents"
_TWO_AGENTS = (
    "two agents with different databases take turns as this site: a copied machine, or stolen "
    "credentials; find the other one, or revoke the site and join again"
)
CLOCK_TOLERANCE = timedelta(seconds=5)
"""A site's clock further off than this is written down."""


class SiteInbox:
    """`gateway.ports.SiteMessages`: what the gateway does with messages from sites."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        telemetry: TelemetryStore,
        live: Live,
        dispatch: Dispatch,
        outgoing: Outgoing,
        clock: Clock,
        admission: Admission | None = None,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._telemetry = telemetry
        self._live = live
        self._dispatch = dispatch
        self._outgoing = outgoing
        self._clock = clock
        self._admission = admission
        self._greeted: list[Callable[[Hello], None]] = []
        self._told: Callable[[str, Health], None] = lambda *_: None
        self._last_seq: dict[str, int] = {}
        self._epochs: dict[str, Epochs] = {}
        self.counters: Counter[str] = Counter()
        """Totals since the start: `telemetry_batches`, `telemetry_rows`, `site_hellos`."""

    def on_hello(self, tell: Callable[[Hello], None]) -> None:
        """Call `tell`, too, for every site that has (re)connected."""
        self._greeted.append(tell)

    def on_health(self, tell: Callable[[str, Health], None]) -> None:
        """Call `tell(site_id, health)` whenever a site says how it is."""
        self._told = tell

    async def restore(self) -> None:
        """Show the newest stored values, as after a restart."""
        for site in self._portfolio.sites:
            self._live.restore(site.site_id, await self._telemetry.latest(site.site_id))

    async def hello(self, hello: Hello) -> Welcome:
        """A site's agent has (re)connected.

        Raises:
            PermanentError: the site is not in our portfolio.
        """
        site_id, now = self._known(hello.site_id), self._clock.now()
        await self._ledger.site_has_seen(site_id, hello.last_instruction_seq)
        self._last_seq[site_id] = hello.last_instruction_seq
        ahead = hello.sent_at - now
        clock = "" if abs(ahead) <= CLOCK_TOLERANCE else f", its clock is {ahead} ahead of ours"
        cause = f"agent {hello.agent_version}, epoch {hello.epoch}{clock}"
        await self._ledger.log(
            JournalEntry(at=now, subject=site_id, action="connected", cause=cause)
        )
        self._live.heard(site_id)
        self._live.greeted(site_id, hello.agent_version)
        await self._watch(site_id, hello.epoch)
        self.counters["site_hellos"] += 1
        for tell in self._greeted:
            tell(hello)
        _log.info("site_connected", site=site_id, clock_ahead_s=ahead.total_seconds())
        return Welcome(version=PROTOCOL_VERSION, gateway_time=self._clock.now(), rows=LATER_ROWS)

    async def batch(self, batch: Batch) -> BatchAck:
        """Store a batch; returns only after commit.

        Raises:
            PermanentError: the site is not in our portfolio.
        """
        site_id = self._known(batch.site_id)
        complete = await self._telemetry.ingest(batch, self._clock.now())
        rows = [numbered.row for numbered in batch.rows]
        self._live.heard(site_id)
        self._live.told(site_id, batch.health)
        if batch.health is not None:
            self._told(site_id, batch.health)
        await self._watch(site_id, batch.epoch)
        self._live.measured(site_id, (row for row in rows if isinstance(row, Measurement)))
        for row in rows:
            if isinstance(row, InstructionStatus) and row.state is InstructionState.REJECTED:
                self._dispatch.request_all(f"{site_id} refused its instruction: {row.reason}")
        self.counters["telemetry_batches"] += 1
        self.counters["telemetry_rows"] += len(rows)
        return BatchAck(epoch=batch.epoch, seq=complete, gateway_time=self._clock.now())

    async def renew(self, renew: Renew) -> Credentials:
        """Longer credentials for a connected site; see `gateway.ports.SiteMessages.renew`."""
        self._known(renew.site_id)
        if self._admission is None:
            raise PermanentError("this gateway issues no credentials (link.enrolment)")
        return await self._admission.renew(renew)

    async def connected(self, site_id: str) -> None:
        """The site has its Welcome: it gets what it missed, and is counted on again."""
        await self._outgoing.resend(site_id, self._last_seq.get(site_id, 0))
        self._dispatch.request_all()

    async def _watch(self, site_id: str, epoch: str) -> None:
        """Raise an alarm when two agents are this site, and take it back when that is over."""
        known, now = self._epochs.get(site_id), self._clock.now()
        self._epochs[site_id] = seen = heard(known, epoch, now)
        if seen.alarm != (known is not None and known.alarm):
            text = _TWO_AGENTS if seen.alarm else "one agent for an hour"
            severity = Severity.ALARM if seen.alarm else Severity.INFO
            notice = Notice(
                at=now,
                code=TWO_AGENTS,
                subject=site_id,
                severity=severity,
                raised=seen.alarm,
                text=text,
            )
            await self._ledger.put_notice(site_id, notice)

    def _known(self, site_id: str) -> str:
        if self._portfolio.site(site_id) is None:
            raise PermanentError(f"site {site_id!r} is not in the portfolio of this gateway")
        return site_id
