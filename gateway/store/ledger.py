"""Everything asked, decided and sent: `gateway.ports.Ledger` on a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from contracts.site_link.messages import (
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
from gateway.ports import (
    JournalEntry,
    SiteChoice,
    SiteOptOut,
    StoredEnvelope,
    StoredEvent,
    StoredInstruction,
)
from gateway.store import envelope_rows, event_rows, instruction_rows, report_rows, site_rows
from gateway.store.database import Database, insert_once
from gateway.store.tables import JobRow, SiteOptOutRow


class SqlLedger:
    """One transaction a method; see the port for what each means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def put_event(
        self,
        event: GridEvent,
        decision: OptDecision,
        received_at: datetime,
        choices: Sequence[SiteChoice] = (),
        entries: Sequence[JournalEntry] = (),
    ) -> None:
        """Store a modification with its answer; when it was first received stays as it is."""

        def work(session: Session) -> None:
            event_rows.put_event(session, event, decision, received_at)
            for one in choices:
                if one.out:
                    row = SiteOptOutRow(
                        event_key=event.key, site_id=one.site_id, at=received_at, cause=one.cause
                    )
                    insert_once(session, SiteOptOutRow, row)
                else:
                    event_rows.opt_in(session, event.key, one.site_id)
            site_rows.put_journal(session, entries)

        await self._write(work)

    async def modifications(self, event_key: str) -> Sequence[StoredEvent]:
        """Every modification of an event, oldest first."""
        return await self._read(lambda s: event_rows.modifications(s, event_key))

    async def event(self, event_key: str) -> StoredEvent | None:
        """One event at its newest modification."""
        return await self._read(lambda s: event_rows.event(s, event_key))

    async def events(self, ending_after: datetime | None = None) -> Sequence[StoredEvent]:
        """Events, newest start first; all, or those that end after an instant."""
        return await self._read(lambda s: event_rows.events(s, ending_after))

    async def opt_out_site(self, event_key: str, site_id: str, at: datetime, cause: str) -> None:
        """Record a site's opt-out; the first word stands."""
        row = SiteOptOutRow(event_key=event_key, site_id=site_id, at=at, cause=cause)
        await self._write(lambda s: insert_once(s, SiteOptOutRow, row))

    async def opt_in_site(self, event_key: str, site_id: str) -> None:
        """Take back a site's opt-out."""
        await self._write(lambda s: event_rows.opt_in(s, event_key, site_id))

    async def opt_outs(self, event_key: str) -> Sequence[SiteOptOut]:
        """Who was taken out of an event, when and why, in order of time."""
        return await self._read(lambda s: event_rows.opt_outs(s, event_key))

    async def put_plan(
        self, plan: DispatchPlan, instructions: Sequence[Instruction]
    ) -> Sequence[Instruction]:
        """Store a plan and its instructions, numbered, before anything is sent."""

        def work(session: Session) -> Sequence[Instruction]:
            event_rows.put_plan(session, plan)
            return instruction_rows.put_instructions(
                session, instructions, plan.event_key, plan.revision
            )

        return await self._write(work)

    async def plans(self, event_key: str) -> Sequence[DispatchPlan]:
        """Every revision, oldest first."""
        return await self._read(lambda s: event_rows.plans(s, event_key))

    async def site_has_seen(self, site_id: str, seq: int) -> None:
        """Never number an instruction to this site at or below `seq` again."""
        await self._write(lambda s: instruction_rows.site_has_seen(s, site_id, seq))

    async def unseen_instructions(
        self, site_id: str, after_seq: int, now: datetime
    ) -> Sequence[Instruction]:
        """Unexpired, not superseded instructions of a site with a higher sequence, in order."""
        return await self._read(lambda s: instruction_rows.unseen(s, site_id, after_seq, now))

    async def instructions(self, event_key: str) -> Sequence[StoredInstruction]:
        """Every instruction sent for an event with its statuses, in order of time."""
        return await self._read(lambda s: instruction_rows.of_event(s, event_key))

    async def put_envelope(
        self, envelope: OperatingEnvelope, received_at: datetime, instruction: Instruction | None
    ) -> Instruction | None:
        """Store what a utility imposes on a site, with the instruction that carries it."""

        def work(session: Session) -> Instruction | None:
            envelope_rows.put_envelope(session, envelope, received_at)
            if instruction is None:
                return None
            (numbered,) = instruction_rows.put_instructions(session, [instruction], envelope.key, 0)
            return numbered

        return await self._write(work)

    async def envelopes(self) -> Sequence[StoredEnvelope]:
        """What every utility imposes on every site, in order of utility and site."""
        return await self._read(envelope_rows.envelopes)

    async def instruction(self, instruction_id: str) -> StoredInstruction | None:
        """One instruction with its statuses."""
        return await self._read(lambda s: instruction_rows.one(s, instruction_id))

    async def told(self, site_id: str, at: datetime) -> Sequence[StoredInstruction]:
        """What a site has been told by an instant and that has not expired then."""
        return await self._read(lambda s: instruction_rows.told(s, site_id, at))

    async def newest_instruction(self, event_key: str) -> StoredInstruction | None:
        """The last instruction under this key, to whichever site, with its statuses."""
        return await self._read(lambda s: instruction_rows.newest(s, event_key))

    async def put_statuses(self, statuses: Sequence[tuple[str, InstructionStatus]]) -> None:
        """Record what sites say became of their instructions (idempotent)."""
        await self._write(lambda s: site_rows.put_statuses(s, statuses))

    async def put_notice(self, site_id: str, notice: Notice) -> None:
        """Record what we ourselves have to say about a site (idempotent)."""
        await self._write(lambda s: site_rows.put_notice(s, site_id, notice))

    async def notices(
        self, window: Interval, site_id: str | None = None
    ) -> Sequence[tuple[str, Notice]]:
        """`(site_id, notice)` in a window of time, in order."""
        return await self._read(lambda s: site_rows.notices(s, window, site_id))

    async def readiness(self, site_id: str) -> Sequence[VehicleReadiness]:
        """The newest word on every vehicle of a site."""
        return await self._read(lambda s: site_rows.readiness(s, site_id))

    async def offer(self, site_id: str) -> FlexibilityOffer | None:
        """The newest offer of a site's flexibility."""
        return await self._read(lambda s: site_rows.offer(s, site_id))

    async def journal(self, subject: str) -> Sequence[JournalEntry]:
        """Why things about this subject are as they are, in order of time."""
        return await self._read(lambda s: site_rows.journal(s, subject))

    async def log(self, *entries: JournalEntry) -> None:
        """Add to the journal."""
        await self._write(lambda s: site_rows.put_journal(s, entries))

    async def put_report(
        self, event_key: str, report: Mapping[str, object], final: bool, once: str | None = None
    ) -> int:
        """Store the next version of a report; at most one is ever stored under one `once`."""
        return await self._write(lambda s: report_rows.put(s, event_key, report, final, once))

    async def report(
        self,
        event_key: str,
        version: int | None = None,
        *,
        curves_of: Collection[str] | slice | None = None,
    ) -> Mapping[str, object] | None:
        """Report data of one version, or the newest."""
        return await self._read(lambda s: report_rows.report(s, event_key, version, curves_of))

    async def report_final(self, event_key: str) -> bool | None:
        """Whether the newest report of an event is FINAL; None: there is none."""
        return await self._read(lambda s: report_rows.newest_is_final(s, event_key))

    async def report_versions(self) -> Mapping[str, int]:
        """By event, the number of its newest report."""
        return await self._read(report_rows.newest_versions)

    async def claim_job(self, job: str, scheduled_at: datetime) -> bool:
        """True exactly once per (job, scheduled time): the fence against doubled jobs."""
        row = JobRow(job=job, scheduled_at=scheduled_at)
        return await self._write(lambda s: insert_once(s, JobRow, row))
