from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.site_link.codec import decode, encode
from contracts.time import Interval
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent
from gateway.flows.sites.instructions import differs, instruction, wire_name

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Event = Callable[..., GridEvent]


def allocation(*steps: tuple[int, int, float], cause: str = "fair share") -> SiteAllocation:
    return SiteAllocation(
        site_id="depot-1",
        steps=tuple(
            AllocatedStep(
                interval=Interval(start=T0 + a * MINUTE, end=T0 + b * MINUTE),
                reduction_w=1e3,
                limit_w=limit_w,
            )
            for a, b, limit_w in steps
        ),
        cause=cause,
    )


def plan_of(part: SiteAllocation, revision: int = 1, event_key: str = "u1/e1") -> DispatchPlan:
    return DispatchPlan(
        event_key=event_key,
        modification=0,
        revision=revision,
        created_at=T0,
        reason="new event",
        target=StepSeries(),
        allocations=(part,),
        shortfall=StepSeries(),
    )


def test_what_is_over_is_left_out_and_equal_steps_are_one(event: Event) -> None:
    part = allocation((0, 5, 10.0), (5, 10, 20.0), (10, 15, 20.0), (20, 25, 20.0))
    made = instruction(
        plan_of(part), part, event(), now=T0 + 7 * MINUTE, expires_at=T0 + 60 * MINUTE
    )
    steps = [
        ((s.start - T0) // MINUTE, (s.end - T0) // MINUTE, s.import_limit_w) for s in made.steps
    ]
    assert steps == [(7, 15, 20.0), (20, 25, 20.0)]
    assert (made.start, made.issued_at) == (T0 + 7 * MINUTE, T0 + 7 * MINUTE)
    assert (made.fallback.import_limit_w, made.fallback.export_limit_w) == (None, None)


def test_every_revision_has_a_name_of_its_own_and_always_the_same(event: Event) -> None:
    part = allocation((0, 5, 10.0))
    ids = {
        instruction(plan_of(part, n), part, event(), now=T0, expires_at=T0).instruction_id
        for n in (1, 2, 1, 2)
    }
    assert len(ids) == 2


def test_names_and_words_of_any_length_pass_the_wire(event: Event) -> None:
    long = replace(event(), event_id="e" * 300, program_id="http://" + "p" * 200)
    part = allocation((0, 5, 10.0), cause="because " * 100)
    made = instruction(
        plan_of(part, event_key=long.key), part, long, now=T0, expires_at=T0 + MINUTE
    )
    assert decode(encode(made)) == made


@given(st.text(min_size=1, max_size=400), st.text(min_size=1, max_size=400))
def test_wire_names_fit_and_stay_apart(one: str, other: str) -> None:
    assert 1 <= len(wire_name(one)) <= 120
    assert (wire_name(one) == wire_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("before", "after", "now", "expected"),
    [
        ([(0, 10, 100.0)], [(0, 10, 140.0)], 0, False),
        ([(0, 10, 100.0)], [(0, 10, 151.0)], 0, True),
        ([(0, 10, 100.0)], [(0, 12, 100.0)], 0, True),
        ([(0, 10, 100.0)], [], 0, True),
        ([(0, 10, 100.0)], [], 10, False),
        ([(0, 5, 900.0), (5, 10, 100.0)], [(5, 10, 100.0)], 5, False),
        ([(0, 10, 100.0)], [(0, 4, 110.0), (4, 10, 90.0)], 0, False),
        ([], [], 0, False),
    ],
)
def test_what_is_worth_a_new_instruction(
    event: Event,
    before: list[tuple[int, int, float]],
    after: list[tuple[int, int, float]],
    now: int,
    expected: bool,
) -> None:
    old, new = (
        instruction(plan_of(part), part, event(), now=T0, expires_at=T0 + 60 * MINUTE)
        for part in (allocation(*before), allocation(*after))
    )
    assert differs(old, new, T0 + now * MINUTE, 50.0) is expected
