"""What is known of an event at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from gateway.domain.event import Decider, Opt, OptDecision, effective_signal
from gateway.domain.operating_envelope import EnvelopeStep
from gateway.domain.portfolio import Portfolio
from gateway.domain.why import EventFacts, Noted, Out
from gateway.flows.report.build import signal_words
from gateway.flows.why.told import told_by
from gateway.ports import DeliveryMemory, JournalEntry, Ledger, StoredEvent

_WAITING = "waiting for a person"


class EventBooks:
    """Reads the ledger about events."""

    def __init__(self, portfolio: Portfolio, ledger: Ledger, delivery: DeliveryMemory) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._delivery = delivery

    async def facts(
        self, event_key: str, now: datetime, zone: tzinfo | None, *, past: bool
    ) -> EventFacts | None:
        """What was known by `now`; None: nothing.

        Raises:
            TransientError: the ledger cannot be read now.
        """
        journal = noted(await self._ledger.journal(event_key), now)
        known = [s for s in await self._ledger.modifications(event_key) if s.received_at <= now]
        bare = EventFacts(event_key=event_key, now=now, zone=zone or UTC, journal=journal)
        if not known:
            return bare if journal else None
        stored = as_of(known[-1], journal)
        program = self._portfolio.program_of(stored.event)
        signal = effective_signal(stored.event)
        opt_outs = await self._ledger.opt_outs(event_key)
        return replace(
            bare,
            zone=zone or (UTC if program is None else program.zone),
            event=stored.event,
            decision=stored.decision,
            received_at=stored.received_at,
            program_name="" if program is None else program.name,
            asks="" if program is None else signal_words(program, signal),
            plans=[p for p in await self._ledger.plans(event_key) if p.created_at <= now],
            told=[
                told_by(one, now)
                for one in await self._ledger.instructions(event_key)
                if one.instruction.issued_at <= now
            ],
            out=[
                Out(event_key=event_key, site_id=one.site_id, at=one.at, cause=one.cause)
                for one in opt_outs
                if one.at <= now
            ],
            imposed={} if past else await self._imposed(now),
            course=None if past else await self._delivery.course(event_key),
        )

    async def _imposed(self, now: datetime) -> Mapping[str, Sequence[EnvelopeStep]]:
        found: dict[str, list[EnvelopeStep]] = {}
        for stored in await self._ledger.envelopes():
            step = stored.envelope.at(now)
            if step is not None:
                found.setdefault(stored.envelope.site_id, []).append(step)
        return found


def noted(entries: Sequence[JournalEntry], now: datetime) -> list[Noted]:
    """The journal as it was."""
    return [Noted(at=e.at, action=e.action, cause=e.cause) for e in entries if e.at <= now]


def as_of(stored: StoredEvent, journal: Sequence[Noted]) -> StoredEvent:
    """An event as its journal tells that it was: a cancellation or a decision may be later.

    The book keeps one row for each modification, the journal every turn.
    """
    turns = [e for e in journal if e.action == "cancelled" or _opt(e.action) is not None]
    if not turns:
        return stored
    event = replace(stored.event, cancelled=turns[-1].action == "cancelled")
    said = [e for e in turns if e.action != "cancelled"]
    if not said:
        return replace(stored, event=event)
    opt = _opt(said[-1].action) or stored.decision.opt
    by = _by(said[-1].action)
    decision = replace(stored.decision, opt=opt, by=by, cause=said[-1].cause)
    return replace(stored, event=event, decision=_kept(stored.decision, decision))


def _kept(stored: OptDecision, said: OptDecision) -> OptDecision:
    """The stored word where it is the same answer: it knows whose it is."""
    return stored if (stored.opt, stored.cause) == (said.opt, said.cause) else said


def _opt(action: str) -> Opt | None:
    """The answer that an entry of the journal tells; None: it tells none."""
    _, _, said = action.rpartition(": ")
    if not action.startswith(("new event", "modification ", "a person has decided")):
        return None
    return Opt.OUT if said == _WAITING else next((o for o in Opt if o.value == said), None)


def _by(action: str) -> Decider:
    if action.endswith(_WAITING):
        return Decider.NOBODY
    return Decider.PERSON if action.startswith("a person") else Decider.RULES
