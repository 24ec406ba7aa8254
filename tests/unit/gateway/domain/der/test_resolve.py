"""Who is stronger, and long lists; for the rules of overlap see `test_event_rules`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.der.control import ControlStatus, DerProgram
from gateway.domain.der.draw import Draws
from gateway.domain.der.engagement import Engagement, Standing
from gateway.domain.der.resolve import Claim, claim, place
from support.der import at, control, minute, program

PROGRAMS = {"p": program("p", 1), "q": program("q", 2)}


def engaged(mrid: str, start: float = 10, end: float = 20, **fields: object) -> Engagement[float]:
    return Engagement(
        control=control(mrid, start, end, **fields),  # type: ignore[arg-type]  # shorthand
        first_seen=at(0),
        draws=Draws(),
        modes={"W": Standing()},
    )


def claims(*engagements: Engagement[float], now: float = 0) -> list[Claim]:
    return [claim(one, PROGRAMS, at(now)) for one in engagements]


def order(*engagements: Engagement[float]) -> list[str]:
    return [one.mrid for one in sorted(claims(*engagements), key=lambda c: c.rank)]


@pytest.mark.row("sep2:29", "csip:G13")
def test_primacy_then_the_mark_then_the_creation_then_the_mrid() -> None:
    marked = ControlStatus.SUPERSEDED
    assert order(
        engaged("weak", of="q", created=0),
        engaged("b"),
        engaged("marked", created=0, status=marked),
        engaged("newer", created=-30),
        engaged("a"),
    ) == ["newer", "a", "b", "marked", "weak"]


def test_one_that_runs_out_yields_to_all_and_an_unknown_program_is_the_weakest() -> None:
    tail = replace(engaged("tail"), cancelled_at=at(12))
    stranger = engaged("stranger", of="gone", created=0)
    assert order(tail, stranger, engaged("weak", of="q")) == ["weak", "stranger", "tail"]
    assert claims(stranger)[0].rank[1] > DerProgram(program_id="x", primacy=254).primacy


def test_begun_by_the_specified_or_by_the_effective_start() -> None:
    early = replace(engaged("early"), draws=Draws(start=-5 * (at(1) - at(0))))
    late = replace(engaged("late"), draws=Draws(start=5 * (at(1) - at(0))))
    assert [c.begun for c in claims(early, late, now=6)] == [True, False]
    assert [c.begun for c in claims(early, late, now=4)] == [False, False]
    assert [c.begun for c in claims(early, late, now=11)] == [True, True]


@pytest.mark.row("sep2:12")
def test_a_day_of_five_minute_limits_is_one_piece_each() -> None:
    day = [engaged(f"c{n:03}", 5 * n, 5 * n + 5) for n in range(288)]
    placement = place(claims(*day), at(0), resume=False)
    assert placement.losses == []
    pieces = sorted(
        (minute(start), minute(end)) for hold in placement.holds for start, end in hold.pieces
    )
    assert pieces == [(5 * n, 5 * n + 5) for n in range(288)]
