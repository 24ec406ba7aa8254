"""A schedule's life: what is in force, which changes are due, and nothing after its expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.site_link.messages import InstructionState
from site_agent.domain.instruction import (
    FINISHED,
    Progress,
    SiteInstruction,
    applied,
    current,
    in_force,
    next_change,
    transitions,
)
from site_agent.flows.orders.acceptance import in_domain_words
from support.site import NOON, instruction

STORED = InstructionState.STORED
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


def held(*limits_w: float | None, seq: int = 1, **facts: object) -> SiteInstruction:
    """Half-hour steps of these limits from noon."""
    return in_domain_words(instruction(*limits_w, seq=seq, **facts), STORED)  # type: ignore[arg-type]  # a test's shorthand


def limit_at(one: SiteInstruction, minutes: float) -> float | None:
    (asked,) = in_force([one], at(minutes)) or (None,)
    return asked.bounds.import_w if asked else None


def due(one: SiteInstruction, minutes: float) -> list[Progress]:
    return [step.to for step in transitions([one], at(minutes))]


class TestInForce:
    @pytest.mark.parametrize(
        ("minutes", "limit_w"),
        [
            (-0.1, None),
            (0, 1.0),
            (29.9, 1.0),
            (30, 2.0),
            (59.9, 2.0),
            (60, 9.0),
            (89.9, 9.0),
            (90, None),
        ],
    )
    def test_steps_then_the_fallback_then_nothing(
        self, minutes: float, limit_w: float | None
    ) -> None:
        one = held(1.0, 2.0, fallback_w=9.0, expires_at=at(90))
        assert limit_at(one, minutes) == limit_w

    def test_only_the_fallback_says_so(self) -> None:
        one = held(1.0, fallback_w=9.0, expires_at=at(60))
        assert [in_force([one], at(m))[0].fallback for m in (10, 40)] == [False, True]

    @pytest.mark.parametrize(
        "asked",
        [
            {"export_w": 0.0},
            {"load_w": 0.0},
            {"generation_w": 0.0},
            {"storage_w": 0.0},
            {"energize": False},
            {"energize": True},
        ],
        ids=str,
    )
    def test_whatever_a_step_asks_for_it_is_in_force(self, asked: dict[str, object]) -> None:
        (one,) = in_force([held(None, **asked)], at(10))  # type: ignore[arg-type]  # a test's shorthand
        assert {name: getattr(one.bounds, name) for name in asked} == asked

    def test_an_open_step_binds_nothing(self) -> None:
        assert in_force([held(1.0, None)], at(40)) == ()

    def test_events_bind_together_and_the_newest_of_each_counts(self) -> None:
        both = [held(1.0, seq=1), held(2.0, seq=2), held(3.0, seq=3, event_id="e2")]
        assert [one.bounds.import_w for one in in_force(both, at(1))] == [2.0, 3.0]

    def test_a_withdrawn_event_binds_nothing_not_even_its_fallback(self) -> None:
        withdrawn = held(seq=2, fallback_w=9.0, expires_at=at(60))
        assert in_force([held(1.0), withdrawn], at(1)) == ()

    @given(
        st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=4),
        st.integers(-30, 200),
        st.one_of(st.none(), st.floats(0, 1e6)),
        st.integers(1, 150),
    )
    def test_nothing_is_held_before_the_start_or_after_the_expiry(
        self, limits_w: list[float | None], minutes: int, fallback_w: float | None, length: int
    ) -> None:
        one = held(*limits_w, fallback_w=fallback_w, expires_at=at(length))
        inside = 0 <= minutes < length
        assert inside or in_force([one], at(minutes)) == ()


class TestTransitions:
    def test_it_starts_with_its_first_step(self) -> None:
        one = held(1.0)
        assert due(one, -1) == []
        assert due(one, 0) == [Progress.STARTED]

    @pytest.mark.parametrize("reached", [Progress.STARTED, Progress.APPLIED])
    def test_it_completes_when_nothing_remains_to_be_held(self, reached: Progress) -> None:
        one = replace(held(1.0), progress=reached)
        assert due(one, 29.9) == []
        assert due(one, 30) == [Progress.COMPLETED]

    def test_with_a_fallback_it_completes_at_its_expiry(self) -> None:
        one = replace(held(1.0, fallback_w=9.0, expires_at=at(60)), progress=Progress.APPLIED)
        assert due(one, 45) == []
        assert due(one, 60) == [Progress.COMPLETED]

    def test_without_a_fallback_an_expiry_later_than_the_steps_changes_nothing(self) -> None:
        one = replace(held(1.0, expires_at=at(600)), progress=Progress.APPLIED)
        assert due(one, 30) == [Progress.COMPLETED]

    def test_what_was_never_started_expires(self) -> None:
        assert due(held(1.0), 30) == [Progress.EXPIRED]

    def test_a_late_start_in_the_fallback_says_so(self) -> None:
        (step,) = transitions([held(1.0, fallback_w=9.0, expires_at=at(60))], at(40))
        assert (step.to, step.reason) == (Progress.STARTED, "in force in its fallback")

    def test_an_end_that_no_device_ever_accepted_says_so(self) -> None:
        (step,) = transitions([replace(held(1.0), progress=Progress.STARTED)], at(30))
        assert step.reason == "ended; not every device had accepted"

    def test_a_newer_one_ends_the_older_at_once(self) -> None:
        old = replace(held(1.0), progress=Progress.APPLIED)
        steps = transitions([old, held(2.0, seq=2, start=at(60))], at(10))
        assert [(s.instruction.instruction_id, s.to) for s in steps] == [
            ("i1", Progress.SUPERSEDED)
        ]
        assert steps[0].reason == "replaced by i2"

    def test_a_withdrawal_ends_the_older_and_then_itself(self) -> None:
        steps = transitions([held(seq=2), replace(held(1.0), progress=Progress.STARTED)], at(10))
        assert [(s.instruction.instruction_id, s.to) for s in steps] == [
            ("i1", Progress.SUPERSEDED),
            ("i2", Progress.COMPLETED),
        ]

    def test_what_is_finished_stays_so(self) -> None:
        for progress in FINISHED:
            assert due(replace(held(1.0), progress=progress), 40) == []


class TestApplied:
    def test_a_started_one_that_was_in_force_when_all_accepted(self) -> None:
        started = replace(held(1.0), progress=Progress.STARTED)
        assert [step.to for step in applied([started], at(1))] == [Progress.APPLIED]

    @pytest.mark.parametrize("progress", [Progress.STORED, Progress.APPLIED])
    def test_only_once_and_only_when_started(self, progress: Progress) -> None:
        assert applied([replace(held(1.0), progress=progress)], at(1)) == []

    def test_not_for_a_decision_made_before_it(self) -> None:
        assert applied([replace(held(1.0), progress=Progress.STARTED)], at(-1)) == []


class TestNextChange:
    @pytest.mark.parametrize(
        ("minutes", "change"), [(-5, 0), (0, 30), (30, 60), (60, 90), (90, None)]
    )
    def test_every_edge_of_the_schedule(self, minutes: float, change: float | None) -> None:
        one = held(1.0, 2.0, fallback_w=9.0, expires_at=at(90))
        assert next_change([one], at(minutes)) == (None if change is None else at(change))

    def test_nothing_is_due_of_nothing(self) -> None:
        assert next_change([], NOON) is None


def test_current_is_the_newest_of_each_event_in_order() -> None:
    three = [held(3.0, seq=3, event_id="e2"), held(1.0, seq=1), held(2.0, seq=2)]
    assert [one.site_seq for one in current(three)] == [2, 3]
