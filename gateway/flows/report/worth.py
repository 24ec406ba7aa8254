"""What an event's delivery counts as by its program's rule, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import event_ratio, factor_of
from gateway.domain.measure.performance import IntervalPerformance, Performance
from gateway.domain.measure.rows import Row, kilowatts, rows_of
from gateway.domain.program import Program
from gateway.domain.program.paying import Basis, Excess
from gateway.domain.settle.energy import energy_basis, energy_lines
from gateway.domain.settle.event_account import EventAccount, shape_of, site_account, steps_of
from gateway.domain.settle.line import Line, statement
from gateway.domain.settle.penalty import Held, over_level_lines, shortfall_lines
from gateway.flows.report.evidence import Evidence, SiteEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Delivered over asked."""

    performance_pct: float | None
    factor_pct: float | None
    """What it counts as; None without a rule of the program."""


def judged(program: Program, found: Performance) -> Judged:
    """By the program's first performance rule; without one the mean over whole intervals."""
    if not program.rules.performance:
        return Judged(performance_pct=found.performance_pct, factor_pct=None)
    rule = program.rules.performance[0]
    ratio = event_ratio(blocks(_rows(program, found.during), rule), rule)
    if ratio is None:
        return Judged(performance_pct=None, factor_pct=None)
    return Judged(
        performance_pct=float(100 * ratio), factor_pct=float(100 * factor_of(ratio, rule))
    )


def performance_words(program: Program) -> str:
    """The rule by which delivery is judged."""
    rules = program.rules.performance
    own = "mean over the intervals in which something was asked all the time"
    return f"delivered over asked, {rules[0].words if rules else own}"


def event_lines(evidence: Evidence, whole: Performance) -> tuple[Line, ...]:
    """Energy and penalties of the event, for the portfolio; capacity is settled by the month.

    Prices from outside (market, bid, index) are not known here: such a line says so, and gets its
    amount on the statement.
    """
    program, key = evidence.program, evidence.event.key
    rows = _rows(program, whole.during)
    lines = [] if evidence.voluntary else list(over_level_lines(program, key, _held(evidence)))
    if rows and any(row.delivered_kw is not None for row in rows):
        lines += energy_lines(program, key, rows, basis=_basis(evidence))
        if not evidence.voluntary:
            lines += [line for line in shortfall_lines(program, key, rows) if line.quantity]
    return statement(lines).lines


def event_account(evidence: Evidence, whole: Performance) -> EventAccount:
    """What statements compute with: delivery by interval and site, and how the event is paid."""
    rules = evidence.program.rules.penalties
    over = next((one for one in rules if one.excess is Excess.OVER_LEVEL), None)
    held = {one.site: one for one in _held(evidence)}
    return EventAccount(
        steps=steps_of(whole),
        basis=_basis(evidence),
        voluntary=evidence.voluntary,
        sites={
            one.site.site_id: replace(
                site_account(one.performance, _level_kw(one)),
                over_level_kwh=None if over is None else held[one.site.site_id].over_kwh(over),
            )
            for one in evidence.sites
        },
    )


def _basis(evidence: Evidence) -> Basis:
    pays = evidence.program.rules.energy_pay
    return energy_basis(pays, test=evidence.event.test, voluntary=evidence.voluntary)


def _held(evidence: Evidence) -> list[Held]:
    return [
        Held(
            site=one.site.site_id,
            level_kw=_level_kw(one),
            loads=tuple(
                (row.interval, None if row.actual_w is None else kilowatts(row.actual_w))
                for row in one.performance.during
            ),
        )
        for one in evidence.sites
    ]


def _level_kw(one: SiteEvidence) -> Decimal | None:
    return None if one.firm_level_w is None else kilowatts(one.firm_level_w)


def _rows(program: Program, during: Sequence[IntervalPerformance]) -> tuple[Row, ...]:
    return rows_of(during, shape=shape_of(program))
