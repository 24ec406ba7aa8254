"""The life of a nomination, and what it means for events."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.time import Interval
from gateway.domain.enrolment import Enrolment
from gateway.domain.nomination.committed import committed
from gateway.domain.nomination.nomination import (
    Decision,
    State,
    Status,
    decided,
    objection,
    same_promise,
)
from support.nominations import NOW, nomination

GATE = datetime(2026, 6, 30, 15, tzinfo=UTC)
START = datetime(2026, 7, 1, tzinfo=UTC)
END = datetime(2026, 8, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KW = 1000.0


@pytest.mark.row("portfolio:A3")
@pytest.mark.parametrize(
    ("status", "now", "state"),
    [
        (Status.PROPOSED, NOW, State.PROPOSED),
        (Status.PROPOSED, GATE, State.LAPSED),
        (Status.ACCEPTED, NOW, State.ACCEPTED),
        (Status.ACCEPTED, GATE, State.ACCEPTED),
        (Status.ACCEPTED, START, State.IN_FORCE),
        (Status.ACCEPTED, END, State.ENDED),
        (Status.REFUSED, NOW, State.REFUSED),
        (Status.WITHDRAWN, END, State.WITHDRAWN),
        (Status.SUPERSEDED, START, State.SUPERSEDED),
    ],
)
def test_a_state_is_a_decision_and_what_time_made_of_it(
    status: Status, now: datetime, state: State
) -> None:
    assert nomination(status=status, gate=GATE).state(now) is state


@pytest.mark.row("portfolio:A3")
@pytest.mark.parametrize(
    ("status", "wanted", "now", "words"),
    [
        (Status.PROPOSED, Status.ACCEPTED, NOW, ""),
        (Status.PROPOSED, Status.ACCEPTED, GATE, "closed at 2026-06-30T15:00+00:00"),
        (Status.PROPOSED, Status.REFUSED, GATE, ""),
        (Status.PROPOSED, Status.WITHDRAWN, NOW, "is proposed: it cannot be withdrawn"),
        (Status.PROPOSED, Status.SUPERSEDED, NOW, ""),
        (Status.ACCEPTED, Status.WITHDRAWN, NOW, ""),
        (Status.ACCEPTED, Status.WITHDRAWN, GATE, "it stays accepted"),
        (Status.ACCEPTED, Status.SUPERSEDED, GATE, "it stays accepted"),
        (Status.ACCEPTED, Status.REFUSED, NOW, "is accepted: it cannot be refused"),
        (Status.REFUSED, Status.ACCEPTED, NOW, "is refused: it cannot be accepted"),
        (Status.WITHDRAWN, Status.ACCEPTED, NOW, "is withdrawn"),
        (Status.SUPERSEDED, Status.ACCEPTED, NOW, "is superseded"),
        (Status.ACCEPTED, Status.PROPOSED, NOW, "cannot be proposed"),
    ],
)
def test_what_may_follow_what_and_until_when(
    status: Status, wanted: Status, now: datetime, words: str
) -> None:
    found = objection(nomination(status=status, gate=GATE), wanted, now)
    assert words in found
    assert bool(words) == bool(found)


def test_a_decision_is_added_and_nothing_is_lost() -> None:
    one = nomination()
    step = Decision(at=NOW, status=Status.REFUSED, by="Ann", cause="too little")
    after = decided(one, step)
    assert after.decisions == (*one.decisions, step)
    assert (one.status, after.status) == (Status.PROPOSED, Status.REFUSED)
    assert same_promise(one, after)
    assert not same_promise(one, nomination(parts={"a": 31 * KW}))
    assert nomination(gate=NOW).late
    assert not nomination(gate=GATE).late


# --- what it means for events ---------------------------------------------------------------------

ENROLMENTS = {
    site: Enrolment(site_id=site, program_id="cbp", nominated_w=w)
    for site, w in (("a", 10 * KW), ("b", 20 * KW))
}


def hours(first: int, last: int) -> Interval:
    return Interval(start=START + first * HOUR, end=START + last * HOUR)


def powers(*held: object, window: Interval) -> dict[str, list[tuple[int, float]]]:
    found = committed(ENROLMENTS, held, window)  # type: ignore[arg-type]
    return {
        site: [((s.interval.start - START) // HOUR, s.value) for s in series]
        for site, series in found.items()
    }


def test_without_a_nomination_the_enrolments_figure_stands() -> None:
    assert powers(window=hours(1, 3)) == {"a": [(1, 10 * KW)], "b": [(1, 20 * KW)]}
    for status in Status:
        if status is not Status.ACCEPTED:
            one = nomination(status=status)
            assert powers(one, window=hours(1, 3))["a"] == [(1, 10 * KW)]


def test_a_nomination_in_force_counts_in_its_hours_and_leaves_the_others() -> None:
    one = nomination(status=Status.ACCEPTED, hours=[hours(2, 3), hours(26, 27)])
    assert powers(one, window=hours(1, 4)) == {
        "a": [(1, 10 * KW), (2, 30 * KW), (3, 10 * KW)],
        "b": [(1, 20 * KW), (2, 0.0), (3, 20 * KW)],
    }
    assert powers(one, window=hours(2, 3)) == {"a": [(2, 30 * KW)], "b": [(2, 0.0)]}
    until_further_notice = Interval(start=START + 26 * HOUR, end=None)
    assert powers(one, window=until_further_notice)["a"] == [(26, 30 * KW), (27, 10 * KW)]
