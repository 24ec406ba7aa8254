"""Events come in: the rules, the owners and the policies answer, as at the gateway's door."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.enrolment import OwnerLimits, objections
from gateway.domain.event import GridEvent, Opt
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Call, Finding, Program, decide_opt, findings
from gateway.flows.events.calls import history, new_call
from gateway.ports import StoredEvent


@dataclass(slots=True, kw_only=True)
class Entry:
    """One event in the books."""

    stored: StoredEvent
    found: tuple[Finding, ...] = ()
    """By the rules, at the newest modification that was judged."""
    modifications: int = 0
    objections: dict[str, str] = field(default_factory=dict)

    @property
    def event(self) -> GridEvent:
        """At its newest modification."""
        return self.stored.event

    @property
    def accepted(self) -> bool:
        """Whether we take part; of a cancelled event: until then."""
        return self.stored.decision.opt is Opt.IN


class Admission:
    """Every event that came in, by its key."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.entries: dict[str, Entry] = {}

    def calls(self, program_id: str) -> list[Call]:
        """The history of a program, as its rules see it."""
        stored = (one.stored for one in self.entries.values())
        return history(self.portfolio, program_id, stored)

    def take(self, event: GridEvent, now: datetime) -> Entry:
        """Judge a new event, a modification or a cancellation, and enter it."""
        before = self.entries.get(event.key)
        program = self.portfolio.program_of(event)
        assert program is not None  # noqa: S101 (events are drawn for programs of ours)
        call = new_call(self.portfolio, event, before.stored if before else None, now)
        calls = self.calls(event.program_id)
        found = findings(program, call, calls, now)
        decision = decide_opt(program, event, now, found)
        if event.cancelled and before is not None:
            decision = replace(decision, opt=before.stored.decision.opt)
        against = {} if event.cancelled else self._objections(program, event, call, calls, now)
        entry = Entry(
            stored=StoredEvent(
                event=event,
                decision=decision,
                received_at=now,
                notified_at=before.stored.notified_at if before else now,
                announced=before.stored.announced if before else event.window,
                opted_out_sites=frozenset(against),
            ),
            found=found or (before.found if before and event.cancelled else ()),
            modifications=before.modifications + 1 if before else 0,
            objections=against,
        )
        self.entries[event.key] = entry
        return entry

    def _objections(
        self, program: Program, event: GridEvent, call: Call, calls: list[Call], now: datetime
    ) -> dict[str, str]:
        found = {}
        enrolled = self.portfolio.enrolled(event.program_id, event.window.start)
        for site in self.portfolio.addressed(event):
            owner = enrolled[site.site_id].owner
            if owner == OwnerLimits():
                continue
            mine = [one for one in calls if site.site_id in one.sites]
            said = objections(owner, site.time_zone, program, call, mine, None, now)
            if text := "; ".join(said):
                found[site.site_id] = text
        return found
