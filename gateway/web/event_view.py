"""The page of one event as rows of text: what was asked, what we did about it, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from contracts.site_link.messages import InstructionState, InstructionStep, Notice
from contracts.time import Interval
from gateway.domain.delivery.course import Course
from gateway.domain.dispatch import DispatchPlan, effective
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.sites.instructions import bound_of, told
from gateway.ports import JournalEntry, SiteOptOut, StoredEvent, StoredInstruction
from gateway.reports import words
from gateway.web.links import event_url, site_url, why_url
from gateway.web.portfolio_view import EventCard, event_card
from gateway.web.snapshot import OVER
from gateway.web.wording import Mark, instruction_mark, severity_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One site's part."""

    site_id: str
    site_url: str
    name: str
    asked: str
    limit: str
    cause: str
    opted_out: bool
    opt_out_url: str
    """Empty when the site cannot be taken out (any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One plan for the event."""

    number: int
    at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStep:
    """One word from a site about an instruction."""

    mark: Mark
    at: str
    late: str
    """How long after the event's start, in words."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionRow:
    """One instruction and what became of it."""

    instruction_id: str
    why_url: str
    site_id: str
    site: str
    what: str
    """The bound it sets, or that it withdraws one."""
    site_seq: int
    revision: int
    issued: str
    current: Mark
    states: tuple[StateStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A line of the journal, or a notice of a site."""

    at: str
    mark: Mark | None
    what: str
    about: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """Everything about one event."""

    card: EventCard
    why_url: str
    event_id: str
    modification: int
    received: str
    priority: str
    addressed: str
    comment: str
    clock: str
    zone: str
    target: str
    shortfall: str
    short: bool
    delivered: str
    """Over the last minutes, and what is asked beyond the target; empty before the start."""
    rows: tuple[PlanRow, ...]
    revisions: tuple[Revision, ...]
    instructions: tuple[InstructionRow, ...]
    earlier: tuple[InstructionRow, ...]
    """Replaced by a newer one to the same site."""
    exceptions: tuple[LogRow, ...]
    journal: tuple[LogRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """What the ledger holds about one event."""

    stored: StoredEvent
    plans: Sequence[DispatchPlan]
    instructions: Sequence[StoredInstruction]
    notices: Sequence[tuple[str, Notice]]
    opt_outs: Sequence[SiteOptOut]
    journal: Sequence[JournalEntry]
    course: Course | None = None


def event_view(record: EventRecord, portfolio: Portfolio, now: datetime, tz: tzinfo) -> EventView:
    """Turn the ledger's rows into text."""
    event, stored = record.stored.event, record.stored
    plan, sites = effective(record.plans), {site.site_id: site for site in portfolio.sites}
    shortfall = _largest(plan)
    by_number = sorted(record.instructions, key=lambda row: row.instruction.site_seq)
    newest = {row.instruction.site_id: row.instruction.site_seq for row in by_number}
    sent = [_instruction(row, sites, event.window.start, tz) for row in reversed(by_number)]
    return EventView(
        card=event_card(stored, portfolio, now, tz),
        why_url=why_url("event", event.key),
        event_id=event.event_id,
        modification=event.modification,
        received=words.moment(stored.received_at, tz),
        priority="none" if event.priority == 0 else str(event.priority),
        addressed=", ".join(event.targets) or "the whole program",
        comment=event.comment,
        clock=words.clock(now, tz),
        zone=words.zone(now, tz),
        target=_mean_target(plan, event.window),
        shortfall=words.power(shortfall),
        short=bool(shortfall),
        delivered=_delivered(record.course),
        rows=_plan_rows(plan, stored, sites, now),
        revisions=tuple(
            Revision(number=p.revision, at=words.clock(p.created_at, tz), reason=p.reason)
            for p in reversed(record.plans)
        ),
        instructions=tuple(row for row in sent if row.site_seq == newest[row.site_id]),
        earlier=tuple(row for row in sent if row.site_seq < newest[row.site_id]),
        exceptions=_exceptions(record, sites, tz),
        journal=tuple(
            LogRow(
                at=words.clock(e.at, tz), mark=None, what=e.action, about=e.subject, text=e.cause
            )
            for e in record.journal
        ),
    )


def _largest(plan: DispatchPlan | None) -> float:
    return max((step.value for step in plan.shortfall), default=0.0) if plan else 0.0


def _mean_target(plan: DispatchPlan | None, window: Interval) -> str:
    if plan is None or not plan.target.steps:
        return words.NA
    span = Interval(start=window.start, end=plan.target.steps[-1].interval.end)
    return words.power(plan.target.mean(span) if span.end else plan.target.steps[-1].value)


def _delivered(course: Course | None) -> str:
    if course is None or not course.minutes or course.recent is None:
        return ""
    return f"{course.words}; {course.correction.cause}"


# --- the plan ----------------------------------------------------------------------------------


def _plan_rows(
    plan: DispatchPlan | None, stored: StoredEvent, sites: Mapping[str, Site], now: datetime
) -> tuple[PlanRow, ...]:
    """Every site of the plan; sites that were opted out are listed too."""
    allocations = {a.site_id: a for a in plan.allocations} if plan else {}
    listed = [*allocations, *sorted(stored.opted_out_sites - allocations.keys())]
    over = stored.event.status(now) in OVER

    def row(site_id: str) -> PlanRow:
        allocation, out = allocations.get(site_id), site_id in stored.opted_out_sites
        steps = allocation.steps if allocation else ()
        may_leave = not (over or out)
        return PlanRow(
            site_id=site_id,
            site_url=site_url(site_id),
            name=_name(site_id, sites),
            asked=_range([step.reduction_w for step in steps] or [0.0]),
            limit=_range([step.limit_w for step in steps]) if steps else "no limit",
            cause=allocation.cause if allocation and steps else "takes no part",
            opted_out=out,
            opt_out_url=event_url(stored.event.key, "opt-out", site=site_id) if may_leave else "",
        )

    return tuple(row(site_id) for site_id in listed)


def _range(values_w: list[float]) -> str:
    low, high = words.kilo(min(values_w)), words.kilo(max(values_w))
    return f"{low} kW" if low == high else f"{low} to {high} kW"


# --- what came of it ---------------------------------------------------------------------------


def _instruction(
    row: StoredInstruction, sites: Mapping[str, Site], start: datetime, tz: tzinfo
) -> InstructionRow:
    instruction = row.instruction
    states = sorted(row.statuses, key=lambda status: status.at)
    return InstructionRow(
        instruction_id=instruction.instruction_id,
        why_url=why_url("instruction", instruction.instruction_id),
        site_id=instruction.site_id,
        site=_name(instruction.site_id, sites),
        what=_bound(instruction.steps),
        site_seq=instruction.site_seq,
        revision=row.revision,
        issued=words.clock(instruction.issued_at, tz),
        current=instruction_mark(states[-1].state if states else None),
        states=tuple(
            StateStep(
                mark=instruction_mark(status.state),
                at=words.clock(status.at, tz),
                late=_after(status.state, (status.at - start).total_seconds()),
                reason=status.reason,
            )
            for status in states
        ),
    )


def _after(state: InstructionState, seconds: float) -> str:
    """Delay against the event's start, for the states where it matters."""
    if state not in (InstructionState.STARTED, InstructionState.APPLIED):
        return ""
    sign = "+" if seconds >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{words.number(abs(seconds))} s"


_SAID = {
    "import_limit_w": "stay under",
    "load_limit_w": "charge under",
    "storage_power_w": "batteries at",
    "export_limit_w": "export at most",
    "generation_limit_w": "generate at most",
}


def _bound(steps: Sequence[InstructionStep]) -> str:
    if not steps:
        return "withdraws the limit"
    known = [limit for step in steps if (limit := told(step)) is not None]
    name = next(filter(None, map(bound_of, steps)), None)
    return f"{_SAID[name]} {_range(known)}" if name else "no limit"


def _exceptions(record: EventRecord, sites: Mapping[str, Site], tz: tzinfo) -> tuple[LogRow, ...]:
    """Sites taken out and what sites told around the event, in order of time."""
    found = [
        *((one.at, _opt_out(one, sites, tz)) for one in record.opt_outs),
        *((notice.at, _notice(site_id, notice, sites, tz)) for site_id, notice in record.notices),
    ]
    return tuple(row for _, row in sorted(found, key=lambda pair: pair[0]))


def _opt_out(one: SiteOptOut, sites: Mapping[str, Site], tz: tzinfo) -> LogRow:
    return LogRow(
        at=words.clock(one.at, tz),
        mark=Mark("Opted out", "cross", "warn"),
        what="opt-out",
        about=_name(one.site_id, sites),
        text=one.cause,
    )


def _notice(site_id: str, notice: Notice, sites: Mapping[str, Site], tz: tzinfo) -> LogRow:
    cleared = Mark("Cleared", "check", "ok")
    return LogRow(
        at=words.clock(notice.at, tz),
        mark=severity_mark(notice.severity) if notice.raised else cleared,
        what=notice.code.replace("-", " "),
        about=f"{_name(site_id, sites)}, {notice.subject}",
        text=notice.text,
    )


def _name(site_id: str, sites: Mapping[str, Site]) -> str:
    return sites[site_id].name if site_id in sites else site_id
