"""What stays true whatever a server lists, edits, marks, loses and brings back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import cycle, islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.der.control import ControlStatus, DerControl, Known, ResponseRequired
from gateway.domain.der.device import Device, Rejection
from gateway.domain.der.engagement import FOREVER, DeviceState, Fate
from gateway.domain.der.engine import Step
from gateway.domain.der.responses import CSIP, Edition, ResponseCode, ResponseProfile
from support.der import EMPTY, control, default, known, look, program, restored, value

PROFILE = replace(CSIP, remember=timedelta(days=1))
few = settings(max_examples=25)
MODES = ("W", "X")
PROGRAMS = ("p", "q")
NOTHING, INSTANT = timedelta(0), timedelta(microseconds=1)
OVER = 200
"""A minute by which every control that may be drawn is over."""
BEGINNINGS = {
    ResponseCode.RECEIVED,
    ResponseCode.STARTED,
    ResponseCode.OPT_OUT,
    ResponseCode.OPT_IN,
}
OUT: list[Mapping[str, tuple[str, ...]]] = [
    {},
    {},
    {"a": ("x", "y")},
    {"b": ("x", "y")},
    {"a": ("x",)},
]
"""Who may have opted out of what."""
CHOICES = (ResponseCode.OPT_OUT, ResponseCode.OPT_IN)
"""In the order in which they are told, again and again."""


def _refuse(mode: str, set_to: object) -> Rejection | None:
    """Modes the tests' device cannot follow: `X` above 3."""
    if mode == "X" and isinstance(set_to, float) and set_to > 3:
        return Rejection(code=ResponseCode.INVALID, reason="too much")
    return None


DEVICE = Device(lfdi="00", categories=4, applicable=_refuse, parts=("x", "y"))


@dataclass(frozen=True)
class Look:
    """One look at the server: what it lists then (None: out of reach), what the user wants."""

    minute: int
    seen: Known[float] | None
    opted_out: Mapping[str, tuple[str, ...]]


@st.composite
def controls(draw: st.DrawFn) -> DerControl[float]:
    start = draw(st.integers(0, 60))
    modes = draw(st.dictionaries(st.sampled_from(MODES), st.sampled_from([1.0, 2.0, 4.0])))
    return control(
        draw(st.sampled_from(["a", "b", "c", "d"])),
        start,
        start + draw(st.integers(0, 40)),
        of=draw(st.sampled_from(PROGRAMS)),
        modes=modes,
        created=draw(st.integers(-3, 0)),
        random=(draw(st.integers(-9, 9)), draw(st.integers(-9, 9))),
        status=draw(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])),
        category=draw(st.sampled_from([None, None, 4, 2])),
    )


@st.composite
def looks(draw: st.DrawFn) -> list[Look]:
    """A server that keeps to no rule, looked at for a while and then long after."""
    drawn: list[Look] = []
    for minute in sorted(draw(st.sets(st.integers(0, 110), min_size=1, max_size=5))):
        seen = known(
            *draw(st.lists(controls(), max_size=4)),
            programs=draw(
                st.sampled_from([{"p": 1, "q": 2}, {"p": 2, "q": 1}, {"p": 1, "q": 1}, {"p": 1}])
            ),
            defaults=(default("p", W=9.0), default("q", W=8.0, X=8.0)),
        )
        out = draw(st.sampled_from(OUT))
        drawn.append(
            Look(
                minute=minute,
                seen=seen,
                opted_out=out,
            )
        )
    return [*drawn, Look(minute=OVER, seen=None, opted_out={})]


@st.composite
def profiles(draw: st.DrawFn) -> ResponseProfile:
    return ResponseProfile(
        edition=draw(st.sampled_from(Edition)),
        displaced_before_start=draw(
            st.sampled_from([ResponseCode.SUPERSEDED, ResponseCode.ABORTED_FOR_PROGRAM])
        ),
        resume=draw(st.booleans()),
        remember=timedelta(days=1),
    )


def run(
    story: list[Look],
    profile: ResponseProfile,
    between: Callable[[DeviceState[float]], DeviceState[float]] = lambda state: state,
) -> list[Step[float]]:
    state, steps = EMPTY, list[Step[float]]()
    for one in story:
        step = look(
            state,
            one.seen,
            one.minute,
            device=DEVICE,
            profile=profile,
            opted_out=one.opted_out,
        )
        steps.append(step)
        state = between(step.state)
    return steps


@pytest.mark.row("sep2:30")
@few
@given(story=looks(), profile=profiles())
def test_nothing_is_answered_twice_and_every_control_ends_in_one_way(
    story: list[Look], profile: ResponseProfile
) -> None:
    steps = run(story, profile)
    told = [(due.mrid, due.code) for step in steps for due in step.responses]
    once = Counter(one for one in told if one[1] not in CHOICES)
    assert max(once.values(), default=1) == 1
    for mrid in {mrid for mrid, _ in told}:
        choices = [code for one, code in told if one == mrid and code in CHOICES]
        assert choices == [*islice(cycle(CHOICES), len(choices))]
    ends = Counter(
        mrid
        for mrid, code in told
        if code not in BEGINNINGS | {ResponseCode.INVALID, ResponseCode.NOT_APPLICABLE}
    )
    refused = {mrid for mrid, code in told if code is ResponseCode.INVALID}
    assert max(ends.values(), default=1) == 1
    assert {mrid for mrid, _ in told} == ends.keys() | refused
    assert all(e.outcome is not None and e.ended_at for e in steps[-1].state.engagements)


@few
@given(story=looks(), profile=profiles())
def test_a_control_that_has_ended_is_not_heard_of_again(
    story: list[Look], profile: ResponseProfile
) -> None:
    over: set[str] = set()
    for step in run(story, profile):
        assert not over & {due.mrid for due in step.responses}
        over = {e.control.mrid for e in step.state.engagements if e.outcome is not None}
        for segments in step.schedule.modes.values():
            assert not over & {one.mrid for one in segments}


@few
@given(story=looks(), profile=profiles())
def test_responses_come_in_order_of_time(story: list[Look], profile: ResponseProfile) -> None:
    for step in run(story, profile):
        times = [due.at for due in step.responses]
        assert times == sorted(times)
        assert all(one <= step.schedule.start for one in times)
        first = {due.mrid: due.code for due in reversed(step.responses)}
        for due in step.responses:
            if due.code is ResponseCode.RECEIVED:
                assert first[due.mrid] is ResponseCode.RECEIVED


@few
@given(story=looks(), profile=profiles())
def test_a_restart_at_any_point_changes_nothing(
    story: list[Look], profile: ResponseProfile
) -> None:
    assert run(story, profile, between=restored) == run(story, profile)


@few
@given(story=looks(), profile=profiles())
def test_the_order_of_the_lists_does_not_matter(
    story: list[Look], profile: ResponseProfile
) -> None:
    once = [replace(one, seen=_each_once(one.seen)) for one in story]
    turned = [replace(one, seen=_turned(one.seen)) for one in once]
    assert run(turned, profile) == run(once, profile)


def _each_once(seen: Known[float] | None) -> Known[float] | None:
    if seen is None:
        return None
    return replace(seen, controls=tuple({c.mrid: c for c in seen.controls}.values()))


def _turned(seen: Known[float] | None) -> Known[float] | None:
    if seen is None:
        return None
    return Known(
        programs=seen.programs[::-1], controls=seen.controls[::-1], defaults=seen.defaults[::-1]
    )


@few
@given(story=looks(), profile=profiles())
def test_asked_twice_it_says_the_same_and_answers_nothing(
    story: list[Look], profile: ResponseProfile
) -> None:
    for one, step in zip(story, run(story, profile), strict=True):
        options = {"device": DEVICE, "profile": profile, "opted_out": one.opted_out}
        again = look(step.state, None, one.minute, **options)  # type: ignore[arg-type]
        assert again == replace(step, responses=())


@few
@given(story=looks(), profile=profiles(), data=st.data())
def test_looking_in_between_changes_nothing(
    story: list[Look], profile: ResponseProfile, data: st.DataObject
) -> None:
    """Whoever looks often, and whoever comes late to many steps at once, tells the same."""
    often = [
        replace(before, minute=minute, seen=None)
        for before, after in pairwise(story)
        for minute in data.draw(st.lists(st.integers(before.minute, after.minute - 1), max_size=3))
    ]
    dense = sorted([*story, *often], key=lambda one: (one.minute, one.seen is None))
    thin_steps, dense_steps = run(story, profile), run(dense, profile)
    assert dense_steps[-1].state == thin_steps[-1].state
    assert [due for step in dense_steps for due in step.responses] == [
        due for step in thin_steps for due in step.responses
    ]


@few
@given(story=looks(), profile=profiles())
def test_a_schedule_holds_until_something_new_is_heard(
    story: list[Look], profile: ResponseProfile
) -> None:
    for one, step in zip(story, run(story, profile), strict=True):
        options = {"device": DEVICE, "profile": profile, "opted_out": one.opted_out}
        for minute in range(one.minute, OVER, 3):
            later = look(step.state, None, minute, **options)  # type: ignore[arg-type]
            for mode in MODES:
                assert value(later, mode, minute) == value(step, mode, minute)
            if step.next_change is None or later.schedule.start < step.next_change:
                assert later.responses == ()


@few
@given(story=looks(), profile=profiles())
def test_segments_are_in_order_without_overlap_or_gap_over_a_default(
    story: list[Look], profile: ResponseProfile
) -> None:
    for step in run(story, profile):
        now = step.schedule.start
        assert step.next_change is None or now < step.next_change < FOREVER
        defaults = {
            mode
            for one in step.state.defaults
            if program(one.program_id).program_id in {p.program_id for p in step.state.programs}
            for mode in one.modes
        }
        assert defaults <= step.schedule.modes.keys()
        for mode, segments in step.schedule.modes.items():
            assert all(one.interval.start >= now for one in segments)
            assert all(one.began is None or one.began <= one.interval.start for one in segments)
            for before, after in pairwise(segments):
                assert before.interval.end is not None
                assert before.interval.end <= after.interval.start
                if mode in defaults:
                    assert before.interval.end == after.interval.start
            if mode in defaults:
                assert segments[0].interval.start == now
                assert segments[-1].interval.end is None


@few
@given(story=looks(), answers=st.integers(0, 7))
def test_only_what_is_wanted_is_answered(story: list[Look], answers: int) -> None:
    bits = ResponseRequired(answers)
    asked = [
        replace(
            one,
            seen=one.seen
            and replace(
                one.seen,
                controls=tuple(replace(c, response_required=bits) for c in one.seen.controls),
            ),
        )
        for one in story
    ]
    told = {(d.mrid, d.code, d.at) for step in run(asked, PROFILE) for d in step.responses}
    everything = {(d.mrid, d.code, d.at) for step in run(story, PROFILE) for d in step.responses}
    assert told <= everything
    if ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC in bits:
        assert told == everything
    if not bits:
        assert not told


@pytest.mark.row("csip:G13")
@few
@given(drawn=st.lists(controls(), max_size=5), primacies=st.permutations([1, 2]))
def test_the_strongest_control_of_a_mode_is_in_force_for_all_its_time(
    drawn: list[DerControl[float]], primacies: list[int]
) -> None:
    """Said without the rules of overlap: there is never a moment without the strongest limit."""
    plain = [
        replace(
            c,
            status=ControlStatus.SCHEDULED,
            randomize_start=NOTHING,
            randomize_duration=NOTHING,
            device_category=None,
        )
        for c in {c.mrid: c for c in drawn}.values()
    ]
    ranks = dict(zip(PROGRAMS, primacies, strict=True))
    step = look(EMPTY, known(*plain, programs=ranks), 0)
    for mode in MODES:
        having = [c for c in plain if mode in c.modes and c.window.duration]
        if not having:
            continue
        best = min(having, key=lambda c: (ranks[c.program_id], -c.created_at.timestamp(), c.mrid))
        assert best.window.end is not None
        for instant in (best.window.start, best.window.end - INSTANT):
            segment = step.schedule.at(mode, instant)
            assert segment is not None
            assert (segment.mrid, segment.value) == (best.mrid, best.modes[mode])


@few
@given(story=looks())
def test_a_running_limit_gives_way_only_to_another_control_its_end_or_its_cancellation(
    story: list[Look],
) -> None:
    for step in run(story, PROFILE):
        for engagement in step.state.engagements:
            for mode, standing in engagement.modes.items():
                if standing.held_from is None or engagement.opted_out:
                    continue
                if standing.fate is Fate.OPEN and standing.held_from <= step.schedule.start:
                    segment = step.schedule.at(mode, step.schedule.start)
                    assert segment is not None
                    assert segment.mrid is not None
                if standing.fate is Fate.DISPLACED:
                    assert standing.by is not None
