"""Which statements are due by the calendar, and which were made from what is no longer the newest.

Derived from what is stored alone, so that a gateway that was down makes up for it, once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from gateway.domain.enrolment import Enrolment
from gateway.domain.program import Program
from gateway.domain.program.season import on
from gateway.domain.program.wall import local_day
from gateway.domain.settle.account import PeriodStatement
from gateway.domain.settle.determinant import PREFIX
from gateway.domain.settle.period import StatementPeriod, period_named

CATCH_UP = timedelta(days=62)
"""A period that ended longer ago gets no first statement by itself: a person may ask for one."""
FOLLOWED = timedelta(days=760)
"""A statement of a period that ended longer ago is not made again by itself."""
REPORT_OF = "report of "
THE_END = "the end of "


def periods_ended(program: Program, now: datetime) -> Iterator[StatementPeriod]:
    """Months and seasons of a program that are over in its zone, the oldest first.

    As far back as statements are followed; a month is over at the midnight that ends its last day
    on the program's wall, whatever the gateway's.
    """
    today, since = local_day(now, program.zone), local_day(now - FOLLOWED, program.zone)
    names = [
        f"{year}-{month:02d}"
        for year in range(since.year, today.year + 1)
        for month in range(1, 13)
    ]
    names += [
        f"{year}-{season.name}"
        for year in range(since.year, today.year + 1)
        for season in program.rules.seasons
        if on(season.first, year) <= today
    ]
    periods = [period_named(name, program.rules.seasons) for name in names]
    ended = [one for one in periods if since <= one.last < today]
    yield from sorted(ended, key=lambda one: (one.last, one.season, one.name))


def takes_part(enrolments: Collection[Enrolment], period: StatementPeriod) -> bool:
    """Whether any site is enrolled on any day of the period."""
    return any(
        (one.since is None or one.since <= period.last)
        and (one.until is None or period.first <= one.until)
        for one in enrolments
    )


def first_due(program: Program, period: StatementPeriod, now: datetime) -> bool:
    """Whether a period that has ended and has no statement gets one by itself."""
    end = period.span(program.zone).end
    return end is not None and end <= now < end + CATCH_UP


def outdated(
    newest: PeriodStatement,
    versions: Mapping[str, int],
    mine: Collection[str],
    told: Mapping[str, str],
) -> bool:
    """Whether a statement of an ended period was made from what is not the newest any more.

    Args:
        newest: The newest version of the statement.
        versions: By event, the number of its newest report.
        mine: Events that the period's statement counts, with or without a report.
        told: What holds of the figures told from outside, as names and values of inputs.
    """
    known = {one.name: one.value for one in newest.inputs}
    if {name: value for name, value in known.items() if name.startswith(PREFIX)} != dict(told):
        return True
    if any(why.startswith(THE_END) for why in newest.waits_for):
        return True
    named = {name.removeprefix(REPORT_OF) for name in known if name.startswith(REPORT_OF)}
    return any(
        not known.get(REPORT_OF + key, "").startswith(f"version {versions[key]},")
        for key in named | set(mine)
        if key in versions
    )
