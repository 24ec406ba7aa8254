from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt
from gateway.domain.timeline import Claim, holds, precedence
from support.timelines import held_by, one_at_a_time

T0 = datetime(2026, 3, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SITES = ("a", "b", "c")

Event = Callable[..., GridEvent]


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    drawn: list[Claim] = []
    for n in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, 50))
        length = draw(st.none() | st.integers(1, 40))
        event = GridEvent(
            utility_id="u",
            event_id=f"e{n}",
            modification=0,
            program_id=draw(st.sampled_from(["p", "q"])),
            created_at=T0 - draw(st.integers(0, 3)) * MINUTE,
            window=Interval(
                start=T0 + start * MINUTE,
                end=None if length is None else T0 + (start + length) * MINUTE,
            ),
            signals=(),
            priority=draw(st.integers(0, 3)),
            cancelled=draw(st.booleans()) and draw(st.booleans()),
        )
        sites = draw(st.sets(st.sampled_from(SITES)))
        opt = draw(st.sampled_from([Opt.IN, Opt.IN, Opt.OUT]))
        drawn.append(Claim(event=event, opt=opt, sites=frozenset(sites)))
    return drawn


def _strongest(drawn: list[Claim], site: str, instant: datetime) -> str | None:
    """The rule said plainly: of the live events that claim the site now, the strongest."""
    live = [
        c.event
        for c in drawn
        if c.opt is Opt.IN
        and not c.event.cancelled
        and site in c.sites
        and instant in c.event.window
    ]
    return min(live, key=precedence).key if live else None


@given(drawn=claims(), minute=st.integers(-5, 100))
def test_each_site_obeys_the_strongest_event_that_claims_it(
    drawn: list[Claim], minute: int
) -> None:
    entries, instant = one_at_a_time(drawn), T0 + minute * MINUTE
    for site in SITES:
        here = [e for e in entries if site in e.sites and instant in e.interval]
        assert len(here) <= 1
        found = held_by(entries, site, instant)
        assert (found.key if found else None) == _strongest(drawn, site, instant)


@given(drawn=claims())
def test_the_order_of_arrival_does_not_matter(drawn: list[Claim]) -> None:
    assert one_at_a_time(drawn) == one_at_a_time(drawn[::-1])


@given(drawn=claims())
def test_entries_are_in_order_and_as_long_as_they_can_be(drawn: list[Claim]) -> None:
    entries = one_at_a_time(drawn)
    starts = [entry.interval.start for entry in entries]
    assert starts == sorted(starts)
    for entry in entries:
        assert not any(
            other.event == entry.event
            and other.sites == entry.sites
            and other.interval.start == entry.interval.end
            for other in entries
        )


def test_priority_zero_is_the_lowest_and_newer_wins_among_equals(event: Event) -> None:
    old, new = event("old", created=-10), event("new", created=-5)
    urgent, soft = event("urgent", priority=1), event("soft", priority=7)
    ranked = sorted([old, soft, urgent, new], key=precedence)
    assert [e.event_id for e in ranked] == ["urgent", "soft", "new", "old"]


def test_sites_the_strong_event_leaves_alone_stay_with_the_weak_one(event: Event) -> None:
    weak, strong = event("weak", 0, 60), event("strong", 20, 40, priority=1)
    entries = one_at_a_time(
        [
            Claim(event=weak, opt=Opt.IN, sites=frozenset("abc")),
            Claim(event=strong, opt=Opt.IN, sites=frozenset("ab")),
        ]
    )
    during = strong.window
    assert holds(entries, weak.key, "a") == (
        Interval(start=weak.window.start, end=during.start),
        Interval(start=during.end or during.start, end=weak.window.end),
    )
    assert holds(entries, strong.key, "a") == (during,)
    assert held_by(entries, "c", during.start) == weak
    assert held_by(entries, "d", during.start) is None


def test_cancelled_and_opted_out_events_hold_nobody(event: Event) -> None:
    gone = Claim(event=event("gone").cancel(), opt=Opt.IN, sites=frozenset("a"))
    refused = Claim(event=event("refused"), opt=Opt.OUT, sites=frozenset("a"))
    nobody = Claim(event=replace(event("nobody")), opt=Opt.IN, sites=frozenset())
    assert one_at_a_time([gone, refused, nobody]) == ()
