"""Everything kept: what was asked, decided, sent and measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.site_link.messages import (
    Batch,
    FlexibilityOffer,
    Instruction,
    InstructionStatus,
    Notice,
    VehicleReadiness,
)
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import GridEvent, OptDecision
from gateway.domain.operating_envelope import OperatingEnvelope


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event with our answer to it."""

    event: GridEvent
    decision: OptDecision
    received_at: datetime
    """When this modification came in."""
    notified_at: datetime
    """When the event first came in, at whichever modification."""
    announced: Interval
    """Its window as it first came in; later modifications may have moved it."""
    opted_out_sites: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptOut:
    """A site taken out of one event by its owner or by a person on its behalf."""

    event_key: str
    site_id: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChoice:
    """A site that leaves an event, or is back in it."""

    site_id: str
    out: bool
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstruction:
    """An instruction with what became of it."""

    instruction: Instruction
    revision: int
    """Of the plan it belongs to."""
    event_key: str = ""
    """Under which it is kept: of an event or an envelope. On the wire a long one is cut."""
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
        self,
        event: GridEvent,
        decision: OptDecision,
        received_at: datetime,
        choices: Sequence[SiteChoice] = (),
        entries: Sequence[JournalEntry] = (),
    ) -> None:
        """Store a modification of an event with its answer, and what follows from it at once.

        `choices` are the sites that leave the event or are back, `entries` what is written down of
        it: a kill leaves all of it or nothing.
        """
        ...

    async def modifications(self, event_key: str) -> Sequence[StoredEvent]:
        """Every modification of an event with its answer, oldest first; none: unknown."""
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

    async def opt_in_site(self, event_key: str, site_id: str) -> None:
        """The opt-out of a site from an event holds no more (none: nothing happens)."""
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

    async def instruction(self, instruction_id: str) -> StoredInstruction | None:
        """One instruction with its statuses."""
        ...

    async def told(self, site_id: str, at: datetime) -> Sequence[StoredInstruction]:
        """What a site has been told by an instant and that has not expired then.

        The newest of every event and envelope, in order of number.
        """
        ...

    async def newest_instruction(self, event_key: str) -> StoredInstruction | None:
        """The last instruction under this key, to whichever site, with its statuses."""
        ...

    async def put_statuses(self, statuses: Sequence[tuple[str, InstructionStatus]]) -> None:
        """Record what sites, each with its id, say became of an instruction (idempotent)."""
        ...

    async def put_notice(self, site_id: str, notice: Notice) -> None:
        """Record what we ourselves have to say about a site (idempotent)."""
        ...

    async def notices(
        self, window: Interval, site_id: str | None = None
    ) -> Sequence[tuple[str, Notice]]:
        """`(site_id, notice)` in a window of time, in order."""
        ...

    async def readiness(self, site_id: str) -> Sequence[VehicleReadiness]:
        """The newest word on every vehicle of a site."""
        ...

    async def offer(self, site_id: str) -> FlexibilityOffer | None:
        """The newest offer of a site's flexibility; None: it has never told one."""
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
        self,
        event_key: str,
        version: int | None = None,
        *,
        curves_of: Collection[str] | slice | None = None,
    ) -> Mapping[str, object] | None:
        """Report data of one version, or the newest.

        `curves_of`: sites whose curves and baseline days are wanted, by id or by their place in the
        report, as these are nearly all of the data; None: of all.
        """
        ...

    async def report_final(self, event_key: str) -> bool | None:
        """Whether the newest report of an event is FINAL; None: there is none."""
        ...

    async def report_versions(self) -> Mapping[str, int]:
        """By event, the number of its newest report; an event without one is absent."""
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

    async def series_of(self, site_id: str, point: str, windows: Sequence[Interval]) -> StepSeries:
        """The same in each of these windows, at once; in order of time, none touching another."""
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
