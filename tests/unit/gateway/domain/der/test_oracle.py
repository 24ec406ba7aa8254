"""The engine against the rules as plain loops, for controls that come, change and go over time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.der.control import ControlStatus, DerControl, Known
from gateway.domain.der.draw import Draws
from gateway.domain.der.engine import Step
from support.der import EMPTY, MINUTE, codes, control, default, known, look, restored, value
from support.der_oracle import Oracle, Side

UNTIL = 45
MODES = ("W", "X")
PROGRAMS = {"sp": 1, "sy": 2}


@st.composite
def sides(draw: st.DrawFn, *, random: bool, arrivals: bool, cancels: bool) -> list[Side]:
    drawn: list[Side] = []
    for n in range(draw(st.integers(1, 5))):
        program = draw(st.sampled_from(sorted(PROGRAMS)))
        start = draw(st.integers(0, 24))
        arrives = draw(st.integers(0, 20)) if arrivals else 0
        cancelled = draw(st.none() | st.integers(0, 30)) if cancels else None
        drawn.append(
            Side(
                mrid=f"c{n}",
                primacy=PROGRAMS[program],
                program=program,
                created=draw(st.integers(-3, 0)),
                start=start,
                end=start + draw(st.integers(1, 12)),
                modes=draw(st.sampled_from([("W",), ("X",), ("W", "X")])),
                arrives=arrives,
                draws=(
                    (
                        draw(st.integers(-3, 3)),
                        draw(st.integers(-3, 3)),
                        draw(st.integers(0, 3)),
                    )
                    if random
                    else (0, 0, 0)
                ),
                cancelled=None if cancelled is None else max(cancelled, arrives + 1),
                tail=draw(st.booleans()),
            )
        )
    return drawn


@contextmanager
def loaded_dice(drawn: list[Side]) -> Iterator[None]:
    """The draws the sides say, instead of random ones."""
    by_mrid = {side.mrid: side.draws for side in drawn}

    def thrown(mrid: str, lfdi: str, **bounds: Any) -> Draws:
        start, duration, cancel = by_mrid[mrid]
        return Draws(start=start * MINUTE, duration=duration * MINUTE, cancel=cancel * MINUTE)

    with patch("gateway.domain.der.intake.draw", thrown):
        yield


def listed(drawn: list[Side], now: int) -> Known[float]:
    """What the server lists at a minute."""
    return known(
        *(as_control(side, now) for side in drawn if side.arrives <= now),
        programs=PROGRAMS,
        defaults=(default("sp", W=-1.0, X=-1.0),),
    )


def as_control(side: Side, now: int) -> DerControl[float]:
    off = ControlStatus.CANCELLED_RANDOMLY if side.tail else ControlStatus.CANCELLED
    gone = side.cancelled is not None and side.cancelled <= now
    return control(
        side.mrid,
        side.start,
        side.end,
        of=side.program,
        created=side.created,
        modes=dict.fromkeys(side.modes, float(side.mrid[1:])),
        status=off if gone else ControlStatus.SCHEDULED,
    )


def check(drawn: list[Side], looks: list[int], *, restart: bool, reverse: bool) -> None:
    """Look at these minutes and whenever something new is listed; compare all the others too."""
    news = {side.arrives for side in drawn} | {
        side.cancelled for side in drawn if side.cancelled is not None
    }
    minutes = sorted({0, UNTIL - 1, *looks, *(n for n in news if n < UNTIL)})
    oracle = Oracle(drawn, UNTIL)
    state, told = EMPTY, list[str]()
    with loaded_dice(drawn):
        for index, now in enumerate(minutes):
            seen = listed(drawn, now)
            if reverse:
                seen = Known(
                    programs=seen.programs[::-1],
                    controls=seen.controls[::-1],
                    defaults=seen.defaults,
                )
            step = look(state, seen if now in {0, *news} or now % 2 else None, now)
            told += codes(step)
            until = next((m for m in minutes[index + 1 :] if m in news), UNTIL)
            compare(step, oracle, range(now, until))
            state = restored(step.state) if restart else step.state
    assert sorted(told) == sorted(answers(drawn))


def compare(step: Step[float], oracle: Oracle, minutes: range) -> None:
    for minute in minutes:
        for mode in MODES:
            holder = oracle.holder[minute].get(mode)
            expected = -1.0 if holder is None else float(holder[1:])
            assert value(step, mode, minute) == expected, f"{mode} at {minute}"


def answers(drawn: list[Side]) -> Iterator[str]:
    for side in drawn:
        if side.outcome != 254:
            yield f"{side.arrives} {side.mrid} 1"
        if side.started_at is not None:
            yield f"{side.started_at} {side.mrid} 2"
        assert side.outcome is not None
        yield f"{side.outcome_at} {side.mrid} {side.outcome}"


LOOKS = st.lists(st.integers(0, UNTIL - 1), max_size=6)


@pytest.mark.row("sep2:28")
@given(drawn=sides(random=False, arrivals=False, cancels=False), looks=LOOKS)
def test_known_from_the_beginning(drawn: list[Side], looks: list[int]) -> None:
    check(drawn, looks, restart=False, reverse=False)


@given(
    drawn=sides(random=False, arrivals=True, cancels=True),
    looks=LOOKS,
    restart=st.booleans(),
    reverse=st.booleans(),
)
def test_arriving_and_cancelled_over_time(
    drawn: list[Side], looks: list[int], restart: bool, reverse: bool
) -> None:
    check(drawn, looks, restart=restart, reverse=reverse)


@given(
    drawn=sides(random=True, arrivals=True, cancels=True),
    looks=LOOKS,
    restart=st.booleans(),
    reverse=st.booleans(),
)
def test_randomised(drawn: list[Side], looks: list[int], restart: bool, reverse: bool) -> None:
    check(drawn, looks, restart=restart, reverse=reverse)
