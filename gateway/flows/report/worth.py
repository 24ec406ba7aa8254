"""What an event's delivery counts as by its program's rule, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import event_ratio, factor_of
from gateway.domain.measure.performance import IntervalPerformance, Performance
from gateway.domain.measure.rows import Row, rows_of
from gateway.domain.program import Program
from gateway.domain.program.promise import Shape
from gateway.domain.settle.energy import energy_basis, energy_lines
from gateway.domain.settle.line import Line, statement
from gateway.domain.settle.penalty import shortfall_lines
from gateway.flows.report.evidence import Evidence


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

    Prices from outside (market, bid, index) are not known here: such a line says so.
    """
    program, key = evidence.program, evidence.event.key
    rows = _rows(program, whole.during)
    if not rows or all(row.delivered_kw is None for row in rows):
        return ()
    basis = energy_basis(
        program.rules.energy_pay, test=evidence.event.test, voluntary=evidence.voluntary
    )
    lines = list(energy_lines(program, key, rows, basis=basis))
    if not evidence.voluntary:
        lines += [line for line in shortfall_lines(program, key, rows) if line.quantity]
    return statement(lines).lines


def _rows(program: Program, during: Sequence[IntervalPerformance]) -> tuple[Row, ...]:
    promises = program.rules.commitment
    return rows_of(during, shape=promises[0].shape if promises else Shape.BY)
