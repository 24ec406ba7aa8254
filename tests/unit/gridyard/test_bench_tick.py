"""The bench of a decision: a mixed site, and a floor that splits all there is."""

from __future__ import annotations

import gc

import pytest

from gridyard.bench.tick import decision, proportional, site
from site_agent.domain.decide.control import decide
from site_agent.domain.protect.envelope import combine
from site_agent.domain.protect.estimate import Role, role
from site_agent.domain.protect.limits import limits_at


def test_the_site_has_every_role_and_needs_to_share() -> None:
    picture = site(60, seed=1)
    assert {role(one) for one in picture.chargers} == set(Role)
    limits = combine(limits_at(picture.model, (), picture.at))
    made = decide(picture, limits)
    assert any(one.bound_by for one in made.chargers)
    assert site(60, seed=1) == picture


def test_the_floor_splits_what_the_building_leaves() -> None:
    picture = site(60, seed=1)
    limits = combine(limits_at(picture.model, (), picture.at))
    split = proportional(picture, limits)
    given_w = sum(
        split[one.spec.evse_id] * one.spec.voltage_v * len(one.spec.phases)
        for one in picture.chargers
    )
    drawn_w = sum(one.power_w.value or 0.0 for one in picture.chargers)
    left_w = limits.import_w.value - (picture.pcc.power_w.value or 0.0) + drawn_w
    assert given_w == pytest.approx(left_w)


def test_a_row_compares_with_its_bar_and_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    assert decision(6, 1e6, rounds=1).holds
    assert not decision(6, 1e-6, rounds=1).holds
    assert gc.get_threshold() == before
