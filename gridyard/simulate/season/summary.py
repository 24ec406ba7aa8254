"""The season by program and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.dispatch.fairness import Fairness, fairness
from gateway.domain.program import Effect, Program
from gateway.domain.program.quota import Unit
from gateway.domain.program.wall import local_day
from gridyard.simulate.season.admission import Entry
from gridyard.simulate.season.delivery import STEP
from gridyard.simulate.season.ledger import Moment, entries_of
from gridyard.simulate.season.run import Season

_STEP_H = STEP.total_seconds() / 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRow:
    """One program in one month of its own wall clock; energies in kWh."""

    program: str
    month: str
    received: int
    accepted: int
    cancelled: int
    """Of the accepted."""
    refused: dict[str, int]
    """By the rule that was broken; an event may break several."""
    hours: float
    """Of accepted events that were not cancelled: what counts as use."""
    asked_kwh: float
    promised_kwh: float
    delivered_kwh: float
    shortfall_kwh: float
    """Reported, not hidden: asked less promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRow:
    """One program over the season."""

    program: str
    quotas: dict[str, float]
    """Hours that may be called, by period."""
    hours: float
    sites: Fairness
    """How evenly they were asked over the season."""


def months(season: Season) -> Iterator[MonthRow]:
    """Every month of every program in which something was received or asked."""
    for program in season.admission.portfolio.programs:
        entries = entries_of(season.admission, program.program_id)
        mine = [one for one in season.moments if one.program_id == program.program_id]
        begun = {one.event.key: _month_of(program, one) for one in entries}
        for month in sorted(set(begun.values())):
            yield _row(
                program,
                month,
                [one for one in entries if begun[one.event.key] == month],
                [one for one in mine if begun[one.event_key] == month],
            )


def programs(season: Season) -> Iterator[ProgramRow]:
    """Every program."""
    for program in season.admission.portfolio.programs:
        name = program.program_id
        yield ProgramRow(
            program=name,
            quotas={q.per.value: q.limit for q in program.rules.quotas if q.unit is Unit.HOURS},
            hours=_hours(entries_of(season.admission, name)),
            sites=fairness(list(season.asked[name].values())),
        )


def _row(
    program: Program, month: str, entries: Sequence[Entry], moments: Sequence[Moment]
) -> MonthRow:
    accepted = [one for one in entries if one.accepted]
    return MonthRow(
        program=program.program_id,
        month=month,
        received=len(entries),
        accepted=len(accepted),
        cancelled=sum(one.event.cancelled for one in accepted),
        refused=_reasons([one for one in entries if not one.accepted]),
        hours=_hours(accepted),
        asked_kwh=_kwh(one.target_w for one in moments),
        promised_kwh=_kwh(one.accepted_w for one in moments),
        delivered_kwh=_kwh(one.delivered_w for one in moments),
        shortfall_kwh=_kwh(one.reported_w for one in moments),
    )


def _reasons(refused: Sequence[Entry]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in refused:
        found.update({f.rule.value for f in one.found if f.effect is Effect.BREACH} or {"other"})
    return dict(sorted(found.items()))


def _hours(entries: Sequence[Entry]) -> float:
    live = [one.event.window for one in entries if one.accepted and not one.event.cancelled]
    return sum(w.duration.total_seconds() / 3600 for w in live if w.duration)


def _kwh(watts: Iterator[float]) -> float:
    return sum(watts) * _STEP_H / 1000


def _month_of(program: Program, one: Entry) -> str:
    return f"{local_day(one.event.window.start, program.zone):%Y-%m}"
