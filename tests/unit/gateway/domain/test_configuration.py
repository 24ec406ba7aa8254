"""Waves of settings: what may go when, and what a site's word means for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.configuration import (
    OPEN,
    Pushed,
    SiteWord,
    Stage,
    before,
    heard,
    moved,
    released,
    waves,
)

pytestmark = pytest.mark.row("portfolio:L5")
T = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
SILENT = SiteWord(running="", trial=False, staged="", last="", outcome="", reason="")


def pushed(stage: Stage, *, site: str = "a", wave: int = 0, revision: int = 1) -> Pushed:
    return Pushed(
        site_id=site,
        revision=revision,
        rollout="r",
        wave=wave,
        text=f"telemetry_s: {revision}",
        pushed_at=T,
        by="op",
        cause="",
        stage=stage,
    )


H, W, S, R, A, X, B, U, P = (
    Stage.HELD,
    Stage.WAITING,
    Stage.STAGED,
    Stage.TRIAL,
    Stage.APPLIED,
    Stage.REFUSED,
    Stage.ROLLED_BACK,
    Stage.SUPERSEDED,
    Stage.STOPPED,
)


@pytest.mark.parametrize(
    ("first", "rest", "after"),
    [
        ([W, W], [H, H], [W, W, H, H]),
        ([S, R], [H, H], [S, R, H, H]),
        ([A, R], [H, H], [A, R, H, H]),  # one of them has not proved itself yet
        ([A, A], [H, H], [A, A, W, W]),
        ([A, X], [H, H], [A, X, P, P]),
        ([B, W], [H, H], [B, P, P, P]),  # not even the other first one is sent any more
        ([B, S], [H], [B, S, P]),  # what a site has already goes its own way
        ([U, A], [H], [U, A, P]),
        ([A, A], [W, X], [A, A, P, X]),  # also in the second wave the first failure stops
        ([A, A], [A, A], [A, A, A, A]),
        ([W, A], [], [W, A]),
    ],
)
def test_the_second_wave_goes_when_the_first_runs_well(
    first: list[Stage], rest: list[Stage], after: list[Stage]
) -> None:
    rollout = [pushed(one, site=f"f{k}") for k, one in enumerate(first)]
    rollout += [pushed(one, site=f"r{k}", wave=1) for k, one in enumerate(rest)]
    new = {one.site_id: one for one in rollout} | {
        one.site_id: one for one in released(rollout, LATER)
    }
    assert [one.stage for one in new.values()] == after


@given(st.lists(st.tuples(st.sampled_from(Stage), st.integers(0, 1)), min_size=1, max_size=8))
def test_a_failure_leaves_nothing_to_be_sent_and_a_hold_needs_a_first_one_to_wait_for(
    stages: list[tuple[Stage, int]],
) -> None:
    rollout = [pushed(one, site=str(k), wave=wave) for k, (one, wave) in enumerate(stages)]
    after = {one.site_id: one for one in rollout} | {
        one.site_id: one for one in released(rollout, LATER)
    }
    left = {one.stage for one in after.values()}
    if {stage for stage, _ in stages} & {X, B, U, P}:
        assert not left & {H, W}
    elif all(one.stage is A for one in rollout if one.wave == 0):
        assert H not in left
    assert released(list(after.values()), LATER) == ()  # once is enough


@pytest.mark.parametrize(
    ("stage", "word", "greeting", "after"),
    [
        (W, {"staged": "a-1"}, False, S),  # its answer was lost
        (S, {"running": "a-1", "trial": True}, False, R),
        (R, {"running": "a-1"}, False, A),
        (S, {"running": "a-1"}, False, A),  # all the rest was missed
        (R, {"last": "a-1", "outcome": "rolled_back", "reason": "no"}, False, B),
        (R, {"last": "a-1", "outcome": "applied", "running": "a-1"}, True, A),
        (S, {}, False, S),  # an old word, still on its way
        (S, {}, True, W),  # the site has lost its disk: it gets it again
        (R, {}, True, W),
        (H, {}, True, H),
        (H, {"running": "a-1"}, True, H),
        (A, {"running": ""}, True, A),
        (X, {"staged": "a-1"}, True, X),
        (R, {"last": "a-1", "outcome": "melted"}, False, R),  # of a later agent
    ],
)
def test_what_a_site_says_moves_it_on(
    stage: Stage, word: dict[str, object], greeting: bool, after: Stage
) -> None:
    said = replace(SILENT, **word)  # type: ignore[arg-type]  # fields of it
    found = heard(pushed(stage), said, LATER, greeting=greeting)
    assert found.stage is after
    assert found.changed_at == (LATER if after is not stage else None)


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ([], ""),
        ([A], ""),
        ([A, A], "telemetry_s: 1"),
        ([A, A, B], "telemetry_s: 1"),
        ([A, S], "telemetry_s: 1"),
        ([A, A, R], "telemetry_s: 2"),
        ([S], ""),
        ([X], ""),
    ],
)
def test_what_is_gone_back_to(history: list[Stage], text: str) -> None:
    assert before([pushed(one, revision=k + 1) for k, one in enumerate(history)]) == text


def test_waves_and_states() -> None:
    assert waves(["a", "b", "c"], 1) == {"a": 0, "b": 1, "c": 1}
    assert waves(["a", "b"], None) == {"a": 0, "b": 0}
    assert waves(["a", "b"], 5) == {"a": 0, "b": 0}
    one = pushed(W)
    assert moved(one, W, LATER) is one
    assert {H, W, S, R} == OPEN
