"""Stored events as the rules of their program see them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt, SignalKind, effective_signal
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Call
from gateway.ports import StoredEvent

LOOK_BACK = timedelta(days=400)
"""Older events fall into no period of a quota."""


def is_standby(event: GridEvent) -> bool:
    """Whether an event asks for readiness only: level 0 all the time."""
    signal = effective_signal(event)
    if signal is None or signal.kind is not SignalKind.LEVEL:
        return False
    return all(step.value == 0 for step in signal.series)


def new_call(
    portfolio: Portfolio, event: GridEvent, stored: StoredEvent | None, now: datetime
) -> Call:
    """An event that has just come in; `stored` is what we knew of it.

    A start that stays as it was counts as told when the event was first heard of, unless only
    readiness was asked for then.
    """
    kept = (
        stored is not None
        and stored.event.window.start == event.window.start
        and not is_standby(stored.event)
    )
    return _call(
        portfolio,
        event,
        announced=event.window if stored is None else stored.announced,
        told_at=stored.notified_at if stored is not None and kept else now,
        first_told_at=now if stored is None else stored.notified_at,
    )


def history(portfolio: Portfolio, program_id: str, events: Iterable[StoredEvent]) -> list[Call]:
    """The calls of one program among stored events; sites that opted out took no part."""
    return [
        _call(
            portfolio,
            one.event,
            announced=one.announced,
            first_told_at=one.notified_at,
            accepted=one.decision.opt is Opt.IN,
            out=one.opted_out_sites,
        )
        for one in events
        if one.event.program_id == program_id
    ]


def _call(
    portfolio: Portfolio,
    event: GridEvent,
    *,
    announced: Interval,
    first_told_at: datetime,
    told_at: datetime | None = None,
    accepted: bool = True,
    out: frozenset[str] = frozenset(),
) -> Call:
    enrolled = portfolio.enrolled(event.program_id, event.window.start)
    sites = frozenset(site.site_id for site in portfolio.addressed(event)) - out
    networks = {enrolled[site].network for site in sites} - {""}
    return Call(
        event_key=event.key,
        window=event.window,
        announced=announced,
        told_at=told_at,
        first_told_at=first_told_at,
        test=event.test,
        cancelled=event.cancelled,
        standby=is_standby(event),
        accepted=accepted,
        networks=frozenset(networks),
        sites=sites,
    )
