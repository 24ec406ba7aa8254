"""What of the programs' statements is one site's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.settle.account import AccountLine, PeriodStatement, SitePart
from gateway.domain.settle.summary import Summary, by_kind, total, weighted_mean


def site_statement(
    site_id: str, name: str, time_zone: str, statements: Sequence[PeriodStatement]
) -> PeriodStatement:
    """A site's own lines over all its programs; nothing of other sites or of the aggregator.

    Raises:
        ValueError: there is no statement to take it from.
    """
    if not statements:
        raise ValueError("no program has a statement for this period")
    lines = tuple(
        _own(line, line.sites[site_id])
        for one in statements
        for line in one.lines
        if site_id in line.sites
    )
    return PeriodStatement(
        subject=site_id,
        name=name,
        period=statements[0].period,
        first=min(one.first for one in statements),
        last=max(one.last for one in statements),
        time_zone=time_zone,
        version=0,
        final=all(one.final for one in statements),
        created_at=max(one.created_at for one in statements),
        simulated=any(one.simulated for one in statements),
        lines=lines,
        waits_for=tuple(why for one in statements for why in one.waits_for),
        made_of=tuple(_words(one) for one in statements),
        summary=_summary(site_id, statements, lines),
    )


def _own(one: AccountLine, part: SitePart) -> AccountLine:
    line = replace(
        one.line,
        quantity=part.weight,
        price=None,
        amount=part.amount,
        currency=one.line.currency if part.amount is not None else "",
        inputs=(f"the site's part: {part.terms}",) if part.terms else (),
        problem=part.problem,
    )
    return AccountLine(
        program=one.program, line=line, inputs=(), month=one.month, event_key=one.event_key
    )


def _summary(
    site_id: str, statements: Sequence[PeriodStatement], lines: Sequence[AccountLine]
) -> Summary | None:
    """The site's own period over all its programs; None: a version of before says none."""
    known = [one.summary for one in statements if one.summary is not None]
    if len(known) < len(statements):
        return None
    mine = [one.sites[site_id] for one in known if site_id in one.sites]
    return Summary(
        events=sum(one.events for one in mine),
        tests=0,
        hours=None,
        reduced_kwh=total([one.reduced_kwh for one in mine]),
        performance_pct=weighted_mean([(one.performance_pct, one.events) for one in mine]),
        by_kind=by_kind(one.line for one in lines),
    )


def _words(one: PeriodStatement) -> str:
    status = "FINAL" if one.final else "PRELIMINARY"
    return f"{one.name}: version {one.version}, {status}"
