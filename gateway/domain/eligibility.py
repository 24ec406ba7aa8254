"""May this site join this program? Every condition with its answer and reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.domain.enrolment import Enrolment
from gateway.domain.program.joining import Beside, EnrolmentRule
from gateway.domain.program.program import Program
from gateway.domain.program.season import on
from gateway.domain.words import kw, pct

_MONTH = timedelta(days=30.4375)
_TINY_W = 1e-6


class Answer(StrEnum):
    """To one condition."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """What it needs is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition and whether it is met."""

    about: str
    answer: Answer
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A site's wish to join, with what is known of it; None: not known."""

    enrolment: Enrolment
    applied_on: date
    highest_demand_w: float | None = None
    history_days: int | None = None
    """Days of meter data there are."""
    baseline_error: float | None = None
    """Relative error of the baseline on days without event, 0-1: `Fairness.cvrmse`."""
    baseline_bias: float | None = None
    """Mean error over mean load there: `Fairness.bias`; of whichever sign."""
    beside: tuple[Program, ...] = ()
    """Other programs the site is enrolled in at the same time."""


def eligibility(program: Program, candidate: Candidate, together_w: float) -> tuple[Condition, ...]:
    """Every condition of the program for a site.

    Args:
        program: The version in force when the enrolment begins.
        candidate: The site.
        together_w: Reduction promised by all sites of the program (and network) with this one.
    """
    found: list[Condition] = []
    for rule in program.rules.enrolment:
        found += _sizes(rule, candidate, together_w)
        found += _data(rule, candidate)
        found += _dates(rule, program, candidate)
    return (*found, _consent(candidate), *_beside(program, candidate.beside))


def _sizes(rule: EnrolmentRule, who: Candidate, together_w: float) -> Iterator[Condition]:
    mine_w, demand_w = who.enrolment.nominated_w, who.highest_demand_w
    yield from _least("size of the site", mine_w, rule.site_min_w)
    yield from _least("size together", together_w, rule.aggregate_min_w)
    yield from _least("highest demand", demand_w, rule.demand_min_w)
    if rule.aggregate_max_w is not None:
        good = together_w <= rule.aggregate_max_w
        yield _condition("size together", good, f"{kw(together_w)} of {kw(rule.aggregate_max_w)}")
    if rule.step_w is not None:
        over_w = mine_w % rule.step_w
        good = min(over_w, rule.step_w - over_w) <= _TINY_W
        yield _condition("step", good, f"{kw(mine_w)} in steps of {kw(rule.step_w)}")
    if rule.drop_min_share is not None:
        share = mine_w / demand_w if demand_w else None
        enough = None if share is None else share >= rule.drop_min_share
        shown = "not known" if share is None else pct(share)
        text = f"{shown} of the highest demand; at least {pct(rule.drop_min_share)}"
        yield _condition("drop", enough, text)


def _least(about: str, value_w: float | None, least_w: float | None) -> Iterator[Condition]:
    if least_w is not None:
        good = None if value_w is None else value_w >= least_w
        shown = "not known" if value_w is None else kw(value_w)
        yield _condition(about, good, f"{shown}; at least {kw(least_w)}")


def _data(rule: EnrolmentRule, who: Candidate) -> Iterator[Condition]:
    if rule.history_days is not None:
        days = who.history_days
        good = None if days is None else days >= rule.history_days
        shown = "not known" if days is None else f"{days} days"
        yield _condition("meter history", good, f"{shown}; at least {rule.history_days} days")
    for about, value, most in (
        ("baseline error", who.baseline_error, rule.accuracy_max),
        ("baseline bias", who.baseline_bias, rule.bias_max),
    ):
        if most is not None:
            good = None if value is None else abs(value) <= most
            shown = "not known" if value is None else pct(value)
            yield _condition(about, good, f"{shown}; at most {pct(most)}")


def _dates(rule: EnrolmentRule, program: Program, who: Candidate) -> Iterator[Condition]:
    since, until = who.enrolment.since or who.applied_on, who.enrolment.until
    if rule.deadlines:
        first = earliest_start(rule, who.applied_on)
        text = f"applied on {who.applied_on}, so from {first} on; wished from {since}"
        yield _condition("deadline", since >= first, text)
    if rule.change_business_days is not None:
        for season in program.rules.seasons:
            if season.holds(since):
                first, _ = season.around(since)
                last = program.rules.days.business_days_before(first, rule.change_business_days)
                text = f"{season.name} asks for it by {last}; applied on {who.applied_on}"
                yield _condition("deadline", who.applied_on <= last, text)
    if rule.lock_in_months is not None and until is not None:
        bound = since + rule.lock_in_months * _MONTH
        text = f"bound until {bound} ({rule.lock_in_months} months); wished until {until}"
        yield _condition("lock-in", until >= bound, text)
    if rule.change_months and until is not None:
        text = f"leaves in month {until.month}; only in {sorted(rule.change_months)}"
        yield _condition("leaving", until.month in rule.change_months, text)


def earliest_start(rule: EnrolmentRule, applied_on: date) -> date:
    """The first day from which somebody who applied on a day can take part."""
    starts = []
    for deadline in rule.deadlines:
        for year in (applied_on.year, applied_on.year + 1):
            start = on(deadline.starts, year)
            by = on(deadline.apply_by, year)
            by = by if by <= start else on(deadline.apply_by, year - 1)
            if applied_on <= by:
                starts.append(start)
    return min(starts, default=applied_on)


def _consent(who: Candidate) -> Condition:
    consent = who.enrolment.consent
    if consent is None:
        return Condition(about="consent", answer=Answer.UNKNOWN, text="none is written down")
    return Condition(about="consent", answer=Answer.YES, text=f"{consent.by} on {consent.given}")


def _beside(program: Program, others: Sequence[Program]) -> Iterator[Condition]:
    """Both programs' rules count, whichever of them speaks."""
    for other in others:
        for ruling, named in ((program, other), (other, program)):
            for rule in ruling.rules.exclusivity:
                if not set(rule.others) & {named.template, named.program_id, named.name}:
                    continue
                good = rule.beside is not Beside.NOT
                text = f"also in {other.name!r}; {ruling.name!r} says: {rule.words}"
                yield _condition("other programs", good, text)


def _condition(about: str, good: bool | None, text: str) -> Condition:
    known = Answer.YES if good else Answer.NO
    return Condition(about=about, answer=Answer.UNKNOWN if good is None else known, text=text)
