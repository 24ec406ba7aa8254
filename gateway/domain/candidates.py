"""The enrolments of a portfolio beside the conditions of their programs."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.eligibility import Candidate, Condition, eligibility
from gateway.domain.enrolment import Enrolment
from gateway.domain.measure.placebo import Fairness
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program


def conditions(
    portfolio: Portfolio,
    program: Program,
    one: Enrolment,
    history_days: int | None,
    now: datetime,
    predicted: Fairness | None = None,
) -> tuple[Condition, ...]:
    """Every condition of a program for one of its enrolments; see `eligibility`.

    `history_days`: on how many days the site was measured; None: not known. `predicted`: how the
    program's baseline does there on days without event; None: not tried.
    """
    others = {e.program_id for e in portfolio.enrolments if e.site_id == one.site_id}
    beside = (portfolio.program(other, now) for other in sorted(others - {program.program_id}))
    applied = one.consent.given if one.consent else now.astimezone(program.zone).date()
    site = portfolio.site(one.site_id)
    candidate = Candidate(
        enrolment=one,
        applied_on=applied,
        highest_demand_w=site.import_limit_w if site else None,
        history_days=history_days,
        baseline_error=None if predicted is None else predicted.cvrmse,
        baseline_bias=None if predicted is None else predicted.bias,
        beside=tuple(other for other in beside if other is not None),
    )
    together_w = sum(
        e.nominated_w
        for e in portfolio.enrolments
        if e.program_id == one.program_id and e.network == one.network
    )
    return eligibility(program, candidate, together_w)
