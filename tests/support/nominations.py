"""Programs, sites and what they offered, for tests of nominations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.days import WEEKDAYS
from contracts.time import Interval
from gateway.domain.book import BookedSlot, SiteOffers
from gateway.domain.nomination.grounds import Grounds, Member, Terms
from gateway.domain.nomination.history import HOUR, Offered, by_hour
from gateway.domain.nomination.nomination import Decision, Nomination, Quantity, Status
from gateway.domain.nomination.period import Period, period_on
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.program import Program
from gateway.domain.program.promise import Shape
from gateway.domain.program.quota import Per
from gateway.domain.program.rules import Rules
from gateway.domain.program.season import DayClass
from gateway.domain.program.wall import local_day
from gateway.domain.program.window import CallWindow

ZONE = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 6, 24, 10, tzinfo=UTC)  # a Wednesday; 12:00 on the wall
EVENING = CallWindow(start=16 * 60, end=20 * 60)
MONTH = NominationRule(period=Per.MONTH)
DAY = NominationRule(period=Per.DAY, resolution=HOUR)


def program(*, program_id: str = "cbp", zone: ZoneInfo = ZONE, **rules: Any) -> Program:
    """On working days from 16 to 20 h, unless the rules say otherwise."""
    held = {"windows": (EVENING,), "days": DayClass(kinds=WEEKDAYS), **rules}
    return Program(
        program_id=program_id,
        name=program_id.upper(),
        utility_id="u1",
        zone=zone,
        rules=Rules(**held),
    )


def past(
    powers_w: Mapping[str, Sequence[float]],
    *,
    before: datetime = NOW,
    expected_w: float = 100_000.0,
    sure: float = 0.8,
    zone: ZoneInfo = ZONE,
) -> list[Offered]:
    """Every hour of the days before, the newest day first: one power a site for the whole day."""
    return [
        row for site in powers_w for row in _of_site(site, powers_w, before, zone, expected_w, sure)
    ]


def _of_site(
    site: str,
    powers_w: Mapping[str, Sequence[float]],
    before: datetime,
    zone: ZoneInfo,
    expected_w: float,
    sure: float,
) -> Iterator[Offered]:
    today = local_day(before, zone)
    start = before.replace(minute=0, second=0, microsecond=0)
    while True:
        start -= HOUR
        back = (today - local_day(start, zone)).days
        if back > len(powers_w[site]):
            return
        if back >= 1:
            down_w = powers_w[site][back - 1]
            yield Offered(
                site_id=site,
                start=start,
                down_w=down_w,
                sure_w=sure * down_w,
                expected_w=expected_w,
            )


def offers(site_id: str, down_w: float, sure_w: float, first: datetime, hours: int) -> SiteOffers:
    """The same for so many hours from an instant on, by the quarter."""
    return SiteOffers(
        site_id=site_id,
        told_at=first,
        slots=tuple(
            BookedSlot(
                interval=Interval.lasting(first + n * HOUR / 4, HOUR / 4),
                down_w=down_w,
                sure_w=sure_w,
                up_w=0.0,
                energy_wh=down_w,
                expected_w=100_000.0,
            )
            for n in range(4 * hours)
        ),
    )


def grounds(
    rows: Sequence[Offered] = (),
    *,
    rule: NominationRule = MONTH,
    mine: Program | None = None,
    period: Period | None = None,
    members: Sequence[Member] = (),
    terms: Terms | None = None,
    **more: Any,
) -> Grounds:
    """Of July, with every site that is on record."""
    held = mine or program()
    sites = sorted({row.site_id for row in rows})
    found = period or period_on(held, rule, date(2026, 7, 1))
    assert found is not None
    return Grounds(
        program=held,
        rule=rule,
        period=found,
        now=NOW,
        members=tuple(members) or tuple(Member(site_id=s, zone=ZONE) for s in sites),
        history=by_hour(rows),
        terms=terms or Terms(),
        **more,
    )


def nomination(
    *,
    nomination_id: str = "2026-07-r1",
    program_id: str = "cbp",
    status: Status = Status.PROPOSED,
    parts: Mapping[str, float] | None = None,
    hours: Sequence[Interval] = (),
    period: Interval | None = None,
    label: str = "2026-07",
    revision: int = 1,
    gate: datetime | None = None,
    made_at: datetime = NOW,
) -> Nomination:
    """One quantity for all of July."""
    held = period or Interval(
        start=datetime(2026, 7, 1, tzinfo=UTC), end=datetime(2026, 8, 1, tzinfo=UTC)
    )
    given = {"a": 30_000.0} if parts is None else parts
    steps = [Decision(at=made_at, status=Status.PROPOSED, by="rule: test", cause="proposed")]
    if status is not Status.PROPOSED:
        steps.append(
            Decision(at=made_at + timedelta(minutes=1), status=status, by="Ann", cause="so")
        )
    return Nomination(
        nomination_id=nomination_id,
        program_id=program_id,
        program_version="1",
        label=label,
        period=held,
        gate=gate or held.start,
        gate_stated=gate is not None,
        revision=revision,
        shape=Shape.BY,
        confidence=0.9,
        made_at=made_at,
        quantities=(
            Quantity(
                name="",
                hours=tuple(hours) or (held,),
                power_w=sum(given.values()),
                parts=given,
                taken={},
                words=("because",),
            ),
        ),
        decisions=tuple(steps),
    )
