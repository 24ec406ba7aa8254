"""Whom an event addresses: by site, by group, by network, or all that are enrolled on its day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.time import Interval
from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)  # the first of June in Tokyo


def site(name: str, *groups: str) -> Site:
    return Site(
        site_id=name, name=name, time_zone=TOKYO, import_limit_w=1e5, groups=frozenset(groups)
    )


def enrolled(name: str, program: str = "peak", **more: object) -> Enrolment:
    return Enrolment(site_id=name, program_id=program, nominated_w=1.0, **more)  # type: ignore[arg-type] # by name


PORTFOLIO = Portfolio(
    sites=(site("a", "north"), site("b"), site("c", "north"), site("d"), site("e")),
    programs=(Program(program_id="peak", name="Peak", utility_id="u", zone=TOKYO),),
    enrolments=(
        enrolled("a"),
        enrolled("b", network="feeder-7"),
        enrolled("c", until=date(2026, 5, 31)),
        enrolled("d", since=date(2026, 6, 1)),
        enrolled("e", "another"),
        enrolled("gone"),
    ),
)


@pytest.mark.parametrize(
    ("program", "targets", "addressed"),
    [
        ("peak", (), "abd"),
        ("peak", ("north",), "a"),
        ("peak", ("feeder-7", "d"), "bd"),
        ("peak", ("e", "nobody"), ""),
        ("another", (), "e"),
        ("unknown", (), ""),
    ],
)
def test_one_site_is_addressed_as_all_of_them_are(
    program: str, targets: tuple[str, ...], addressed: str
) -> None:
    event = GridEvent(
        utility_id="u",
        event_id="e",
        modification=0,
        program_id=program,
        created_at=START,
        window=Interval.lasting(START, timedelta(hours=1)),
        signals=(),
        targets=targets,
    )
    assert [one.site_id for one in PORTFOLIO.addressed(event)] == list(addressed)
    one_by_one = [name for name in (*"abcde", "gone") if PORTFOLIO.addresses(event, name)]
    assert one_by_one == list(addressed)
