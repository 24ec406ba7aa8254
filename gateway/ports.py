"""What the flows need from the outside, as small protocols in our own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Hello,
    Instruction,
    InstructionAck,
    InstructionStatus,
    Notice,
    VehicleReadiness,
    Welcome,
)
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import GridEvent, OptDecision
from gateway.domain.operating_envelope import OperatingEnvelope

# --- the site link -----------------------------------------------------------------------------


class SiteMessages(Protocol):
    """What the gateway does with messages from sites (implemented by the flows)."""

    async def hello(self, hello: Hello) -> Welcome:
        """A site's agent has (re)connected."""
        ...

    async def batch(self, batch: Batch) -> BatchAck:
        """Store a batch; returns only after commit."""
        ...

    async def connected(self, site_id: str) -> None:
        """The site has its Welcome: send it every unexpired instruction it has not seen."""
        ...


class SiteLink(Protocol):
    """The way to the sites."""

    async def send(self, instruction: Instruction) -> InstructionAck:
        """Deliver an instruction; returns when the site has stored or rejected it.

        Raises:
            LinkDownError: the site is not listening, or did not answer in time.
        """
        ...

    async def run(self, handler: SiteMessages) -> None:
        """Serve the link until cancelled."""
        ...


# --- utilities ---------------------------------------------------------------------------------


class UtilityMemory(Protocol):
    """What a utility adapter must remember over a restart: JSON documents by kind and key."""

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        """Every document of this kind, by key."""
        ...

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        """Write or replace one document; durable when it returns."""
        ...

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        """Delete one document if it is there."""
        ...


class EventIntake(Protocol):
    """Where utility adapters hand in what they were asked (implemented by `flows.intake`)."""

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        """Take new, modified or cancelled events; the answers by event key.

        Idempotent: the same modification again gives the stored answer and has no other effect.
        One event's failure never changes the answer to another.
        """
        ...

    async def withdraw(self, event_key: str, cause: str) -> None:
        """The utility no longer lists this event: cancel it (unknown or over: nothing happens)."""
        ...


class EnvelopeIntake(Protocol):
    """Where utility adapters hand in what binds a site (implemented by `flows.envelopes`)."""

    async def impose(self, envelope: OperatingEnvelope) -> None:
        """From now on this is what the envelope's utility imposes on its site.

        Replaces what the same utility imposed before; no steps lifts it. Idempotent: the same
        again has no effect. Durable when it returns, and delivered when the site can be reached.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityHealth:
    """How the way to one utility is, for people and for `/readyz`."""

    utility_id: str
    protocol: str
    connected: bool
    detail: str
    last_contact_at: datetime | None


class UtilityLink(Protocol):
    """One utility, whatever it speaks (implemented by each adapter under `utility/`)."""

    @property
    def health(self) -> UtilityHealth:
        """How it is right now."""
        ...

    async def run(self) -> None:
        """Keep talking to the utility until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPoint:
    """A series a utility may ask for: the portfolio's or one site's."""

    point_id: str
    """Stable id: `portfolio/power_w`, `site/<site_id>/power_w`."""
    site_id: str | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """A site at present, for status reports to utilities."""

    online: bool
    readings: Mapping[str, Reading]
    """The newest reading of every point of `contracts.site_link.points`, however old."""


class SiteStates(Protocol):
    """What utilities may be told of a site's state (implemented by `flows.upstream_reports`)."""

    def state(self, site_id: str) -> SiteState:
        """A site at present.

        Raises:
            KeyError: no such site.
        """
        ...

    async def notices(self, window: Interval) -> Sequence[tuple[str, Notice]]:
        """`(site_id, notice)` raised or cleared in a window of time, in order."""
        ...


class UsageSource(Protocol):
    """Measured data for reports to utilities (implemented by `flows.upstream_reports`)."""

    async def points(self) -> Sequence[ReportPoint]:
        """What can be reported."""
        ...

    async def usage(self, point_id: str, interval: Interval) -> Reading:
        """Mean power over a closed interval in W, with its quality; value None when unknown.

        Beside what `points` lists: `site/<site_id>/<point>` for every power of a site
        (`charging_power_w`, `battery_power_w`, `pv_power_w`).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteControl:
    """A utility's control that binds one site or will, which the site may opt out of."""

    utility_id: str
    control_id: str
    site_id: str
    window: Interval
    """As asked, before randomisation and other controls."""
    running: bool
    """Whether it has begun."""
    asks: str
    """Every mode with its value, in words."""
    opted_out: bool
    """The site takes no part at present."""
    binding: str
    """Why nobody may opt out of it; empty: the site may."""


class ControlSource(Protocol):
    """Controls of one utility, as long as they bind or may bind a site."""

    @property
    def utility_id(self) -> str:
        """Whose they are."""
        ...

    def controls(self, site_id: str) -> Sequence[SiteControl]:
        """Those of one site, in order of time."""
        ...

    async def choose(self, control_id: str, site_id: str, *, out: bool) -> bool:
        """Take a site out of a control, or back in; whether that was a change.

        Durable when it returns. The site is told, and the utility where it wants to know.

        Raises:
            PermanentError: no such control binds the site any more, or nobody may opt out of it.
            TransientError: it cannot be done right now.
        """
        ...


# --- the store ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event with our answer to it."""

    event: GridEvent
    decision: OptDecision
    received_at: datetime
    """When this modification came in."""
    notified_at: datetime
    """When the event first came in, at whichever modification."""
    opted_out_sites: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptOut:
    """A site taken out of one event by its owner or by a person on its behalf."""

    event_key: str
    site_id: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstruction:
    """An instruction with what became of it."""

    instruction: Instruction
    revision: int
    """Of the plan it belongs to."""
    statuses: tuple[InstructionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEnvelope:
    """What one utility imposes on one site, as last received."""

    envelope: OperatingEnvelope
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One decision or happening, with its cause, for the question "why?"."""

    at: datetime
    subject: str
    """What it is about: an event key, a site id, an instruction id."""
    action: str
    cause: str


class Ledger(Protocol):
    """Everything asked, decided and sent. Each method is one transaction."""

    async def put_event(
        self, event: GridEvent, decision: OptDecision, received_at: datetime
    ) -> None:
        """Store a modification of an event with its answer (replaces the older modification)."""
        ...

    async def event(self, event_key: str) -> StoredEvent | None:
        """One event at its newest modification."""
        ...

    async def events(self, ending_after: datetime | None = None) -> Sequence[StoredEvent]:
        """Events, newest start first; all, or those that end after an instant."""
        ...

    async def opt_out_site(self, event_key: str, site_id: str, at: datetime, cause: str) -> None:
        """Record that a site's owner opted it out of one event; the first word stands."""
        ...

    async def opt_outs(self, event_key: str) -> Sequence[SiteOptOut]:
        """Who was taken out of an event, when and why, in order of time."""
        ...

    async def put_plan(
        self, plan: DispatchPlan, instructions: Sequence[Instruction]
    ) -> Sequence[Instruction]:
        """Store a plan and its instructions in one transaction, before anything is sent.

        `site_seq` of each is assigned here (the next number of its site); returns them numbered.
        """
        ...

    async def plans(self, event_key: str) -> Sequence[DispatchPlan]:
        """Every revision, oldest first."""
        ...

    async def site_has_seen(self, site_id: str, seq: int) -> None:
        """Never number an instruction to this site at or below `seq` again.

        A site keeps its numbers even when our database was lost or is an older copy.
        """
        ...

    async def unseen_instructions(
        self, site_id: str, after_seq: int, now: datetime
    ) -> Sequence[Instruction]:
        """Unexpired, not superseded instructions of a site with a higher sequence, in order."""
        ...

    async def instructions(self, event_key: str) -> Sequence[StoredInstruction]:
        """Every instruction sent for an event with its statuses, in order of time."""
        ...

    async def put_envelope(
        self, envelope: OperatingEnvelope, received_at: datetime, instruction: Instruction | None
    ) -> Instruction | None:
        """Store what a utility imposes on a site, with the instruction that carries it, if any.

        Replaces what the same utility imposed before. One transaction; the instruction is numbered
        as by `put_plan` and returned.
        """
        ...

    async def envelopes(self) -> Sequence[StoredEnvelope]:
        """What every utility imposes on every site, in order of utility and site."""
        ...

    async def newest_instruction(self, event_key: str) -> StoredInstruction | None:
        """The last instruction under this key, to whichever site, with its statuses."""
        ...

    async def put_status(self, site_id: str, status: InstructionStatus) -> None:
        """Record what became of an instruction (idempotent)."""
        ...

    async def notices(
        self, window: Interval, site_id: str | None = None
    ) -> Sequence[tuple[str, Notice]]:
        """`(site_id, notice)` in a window of time, in order."""
        ...

    async def readiness(self, site_id: str) -> Sequence[VehicleReadiness]:
        """The newest word on every vehicle of a site."""
        ...

    async def journal(self, subject: str) -> Sequence[JournalEntry]:
        """Why things about this subject are as they are, in order of time."""
        ...

    async def log(self, *entries: JournalEntry) -> None:
        """Add to the journal."""
        ...

    async def put_report(
        self, event_key: str, report: Mapping[str, object], final: bool, once: str | None = None
    ) -> int:
        """Store the next, immutable version of an event's report data; returns its number.

        `version` and `final` of the document are set here. Under one `once` at most one version
        is ever stored: the same again returns the number of the first.
        """
        ...

    async def report(
        self, event_key: str, version: int | None = None
    ) -> Mapping[str, object] | None:
        """Report data of one version, or the newest."""
        ...

    async def claim_job(self, job: str, scheduled_at: datetime) -> bool:
        """True exactly once per (job, scheduled time): the fence against doubled jobs."""
        ...


MAX_CLOCK_AHEAD = timedelta(minutes=5)
"""A value from further in the future was stamped by a wrong clock."""


class TelemetryStore(Protocol):
    """Measured values, stored once each however often they are sent."""

    async def ingest(self, batch: Batch, received_at: datetime) -> int:
        """Store every row of a batch in one transaction; returns the highest seq now complete.

        Rows already stored under `(site_id, epoch, seq)` are absorbed. Measurements go to the
        telemetry table, the other kinds to the ledger's tables. Values stamped far in the future
        are refused and journaled: one of them would hide every later reading.
        """
        ...

    async def series(self, site_id: str, point: str, window: Interval) -> StepSeries:
        """Good and estimated values as steps; a value holds until the next, at most `max_hold`."""
        ...

    async def latest(self, site_id: str) -> Mapping[str, Reading]:
        """The newest reading of every point of a site."""
        ...

    async def insert_history(self, site_id: str, point: str, steps: StepSeries, label: str) -> None:
        """Load past intervals from elsewhere (a meter file, or labelled synthetic history)."""
        ...

    async def history_label(self, site_id: str, window: Interval) -> str | None:
        """The label of loaded history inside a window, for reports ("synthetic", "imported")."""
        ...
