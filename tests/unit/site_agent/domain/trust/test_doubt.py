"""What an unproven meter must show, and how little is granted on its word until then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from site_agent.domain.policy import TrustPolicy
from site_agent.domain.protect.estimate import Span
from site_agent.domain.trust.belief import Granted
from site_agent.domain.trust.doubt import Doubt, Missing
from site_agent.domain.trust.told import Told
from site_agent.domain.trust.witness import Sight
from support.site import NOON, model

pytestmark = pytest.mark.row("truth:V3")
CONTRACT_W, BUILDING_W = 100_000.0, 20_000.0
POLICY = TrustPolicy()
CONFIRMED = timedelta(seconds=10)
NOTHING = Granted(power_w=0.0, phases_a=(0.0, 0.0, 0.0))
LEVEL_S = 9
"""Longer than devices must contradict a meter to be sure."""


def sight(at_s: float, drawn_w: float) -> Sight:
    """Devices draw so much, and the meter shows it."""
    amps = drawn_w / 690.0
    span = Span(low=amps, high=amps)
    told = Told(
        drawn_w=Span(low=drawn_w, high=drawn_w),
        drawn_a=(span, span, span),
        sure_w=drawn_w,
        sure_a=(amps, amps, amps),
        made_w=0.0,
        watts={"van": drawn_w},
        blind_w=0.0,
        sampled={},
    )
    at = NOON + timedelta(seconds=at_s)
    return Sight(at=at, power_w=BUILDING_W / 2 + drawn_w, current_a=(None,) * 3, told=told)


def doubted(missing: Missing = Missing.STEP_OR_LEVEL) -> Doubt:
    site = model(contract_w=CONTRACT_W, max_building_w=BUILDING_W)
    return Doubt(site, timedelta(seconds=3), POLICY, missing)


def look(
    doubt: Doubt, at_s: float, drawn_w: float, *, fell: bool = False, sound: bool = True
) -> float | None:
    """What may be granted after one more reading, W; None: anything."""
    one = sight(at_s, drawn_w)
    doubt.weigh(one, still=False, fell=fell, sound=sound)
    doubt.bound(one, CONFIRMED, lambda: NOTHING, sound=sound)
    return None if doubt.most is None else doubt.most.power_w


def test_in_doubt_there_is_one_step_more_at_a_time_and_none_against_a_contradiction() -> None:
    doubt = doubted(Missing.STEP)
    step_w = POLICY.step_share * CONTRACT_W
    assert look(doubt, 0, 0.0) == step_w
    assert look(doubt, 9, 30_000.0) == step_w
    assert look(doubt, 10, 30_000.0, sound=False) == step_w
    assert look(doubt, 20, 30_000.0) == 30_000.0 + step_w, "what is drawn is not taken back"
    doubt.end()
    assert look(doubt, 21, 30_000.0) is None


def test_a_large_load_shown_for_a_while_is_proof() -> None:
    doubt = doubted()
    for at_s in range(LEVEL_S):
        assert look(doubt, at_s, 30_000.0) is not None
    assert look(doubt, LEVEL_S, 30_000.0) is None


def test_a_load_shown_before_the_doubt_is_none() -> None:
    doubt = doubted()
    assert look(doubt, 0, 30_000.0) is not None
    doubt.end()  # a step has shown
    assert look(doubt, 1, 30_000.0) is None
    assert look(doubt, 100, 30_000.0, fell=True) is not None
    for at_s in range(101, 101 + LEVEL_S):
        assert look(doubt, at_s, 30_000.0) is not None, "not on the word of long ago"
    assert look(doubt, 101 + LEVEL_S, 30_000.0) is None


def test_a_missing_step_is_not_made_up_for_by_a_load() -> None:
    doubt = doubted(Missing.STEP)
    assert all(look(doubt, at_s, 30_000.0) is not None for at_s in range(60))


def test_a_meter_that_must_show_a_step_is_given_time_after_every_move_of_the_devices() -> None:
    doubt, step_w = doubted(Missing.STEP), POLICY.step_share * CONTRACT_W
    assert look(doubt, 0, 0.0) == step_w
    assert look(doubt, 8, 30_000.0) == step_w, "the devices have moved"
    assert look(doubt, 12, 30_000.0) == step_w, "and nothing can have contradicted them yet"
    assert look(doubt, 18, 30_000.0) == 30_000.0 + step_w
    assert look(doubt, 27, 30_000.0) == 30_000.0 + step_w
    assert look(doubt, 28, 30_000.0) == 30_000.0 + step_w, "granted again, not raised by waiting"
