"""Who is served when not all can be: the rule by example, its latch, and an independent judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.decide.servable import Capacity, Stays, servable, stays_of
from site_agent.domain.decide.triage import Bottleneck, Outlook, Triage, triage
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay
from support.site import NOON, need

POWER_W = 10_000.0


def outlook(*watts: float, hours: float = 1.0, row: dict[str, float] | None = None) -> Outlook:
    """So much for everybody, each for so many hours; `row`: what hangs below a board of 10 kW."""
    names = {f"{letter}{n}": 1.0 for letter in "abc" for n in range(20)}
    limits = [Bottleneck(cause="the contract", capacity=watts, weights=names, elsewhere=1.0)]
    if row is not None:
        limits.append(Bottleneck(cause="the board", capacity=[10_000.0] * len(watts), weights=row))
    starts = [NOON + n * timedelta(hours=hours) for n in range(len(watts))]
    return Outlook(starts=starts, bottlenecks=limits)


def want(name: str, wh: float, hours: float, rank: int = 0) -> VehicleNeed:
    return need(name, wh=wh, hours=hours, max_w=POWER_W, rank=rank)


def stay(
    name: str, wh: float, hours: tuple[float, float], probability: float = 1.0
) -> ExpectedStay:
    arrives, departs = (NOON + timedelta(hours=hour) for hour in hours)
    return ExpectedStay(
        vehicle_id=f"van-{name}",
        arrives=arrives,
        departs=departs,
        required_wh=wh,
        max_power_w=POWER_W,
        evse_id=name,
        probability=probability,
    )


def given_up(made: Triage) -> set[str]:
    return set(made.given_up)


@pytest.mark.row("site:E2")
class TestRule:
    def test_while_all_can_be_ready_nobody_is_given_up(self) -> None:
        made = triage(NOON, [want("a1", 9_000, 1), want("a2", 9_000, 2)], [], outlook(10_000.0))
        assert made.given_up == {}
        assert made.served == {"a1", "a2"}

    def test_as_many_as_possible_are_ready_so_the_largest_need_goes(self) -> None:
        needs = [want("a1", 10_000, 2), want("a2", 5_000, 2), want("a3", 6_000, 2)]
        made = triage(NOON, needs, [], outlook(8_000.0))
        assert given_up(made) == {"a1"}
        assert "others need less" in made.given_up["a1"].cause

    def test_rank_goes_before_number(self) -> None:
        needs = [want("a1", 10_000, 2), want("a2", 5_000, 2, 1), want("a3", 6_000, 2, 1)]
        assert given_up(triage(NOON, needs, [], outlook(8_000.0))) == {"a2", "a3"}

    def test_who_cannot_be_ready_anyway_takes_nobodys_place(self) -> None:
        needs = [want("a1", 30_000, 1), want("a2", 7_000, 1)]
        made = triage(NOON, needs, [], outlook(10_000.0))
        assert given_up(made) == {"a1"}
        assert made.given_up["a1"].cause == "cannot be ready even at full power"

    def test_who_is_late_for_itself_alone_is_served_as_far_as_possible(self) -> None:
        made = triage(NOON, [want("a1", 30_000, 1), want("a2", 2_000, 9)], [], outlook(12_000.0))
        assert given_up(made) == set()

    def test_an_arrival_of_the_roster_is_counted_on(self) -> None:
        needs, coming = [want("a1", 19_000, 3)], [stay("a2", 7_000, (2, 3))]
        assert given_up(triage(NOON, needs, coming, outlook(8_000.0))) == {"a1"}
        unlikely = [replace(coming[0], probability=0.3)]
        assert given_up(triage(NOON, needs, unlikely, outlook(8_000.0))) == set()

    def test_capacity_that_is_to_come_counts_from_when_it_comes(self) -> None:
        needs = [want("a1", 9_000, 1.9), want("a2", 9_000, 1.9)]
        assert given_up(triage(NOON, needs, [], outlook(2_000.0, 20_000.0))) == set()
        assert len(given_up(triage(NOON, needs, [], outlook(2_000.0, 10_000.0)))) == 1

    def test_a_short_board_costs_only_who_hangs_on_it(self) -> None:
        needs = [want("a1", 9_000, 1), want("a2", 8_000, 1), want("b1", 9_000, 1)]
        made = triage(NOON, needs, [], outlook(90_000.0, row={"a1": 1.0, "a2": 1.0}))
        assert given_up(made) == {"a1"}

    def test_two_strangers_are_two(self) -> None:
        strangers = [replace(want(n, 8_000, 1), vehicle_id="?", known=False) for n in ("a1", "a2")]
        assert len(given_up(triage(NOON, strangers, [], outlook(10_000.0)))) == 1

    def test_nobody_is_there(self) -> None:
        assert triage(NOON, [], [], outlook(8_000.0)).verdicts == ()


@pytest.mark.row("site:E2")
class TestLatch:
    NEEDS = (want("a1", 10_000, 2), want("a2", 9_900, 2))

    def test_a_decision_does_not_flip_when_the_other_becomes_a_little_smaller(self) -> None:
        first = triage(NOON, self.NEEDS, [], outlook(8_000.0))
        later = [self.NEEDS[0], want("a2", 10_100, 2)]
        again = triage(NOON + timedelta(seconds=1), later, [], outlook(8_000.0), first)
        assert given_up(first) == given_up(again) == {"a1"}
        assert again.given_up["a1"].since == NOON

    def test_the_clearly_smaller_takes_the_place_of_the_larger(self) -> None:
        first = triage(NOON, self.NEEDS, [], outlook(8_000.0))
        more = [*self.NEEDS, want("a3", 5_000, 2)]
        assert given_up(triage(NOON, more, [], outlook(8_000.0), first)) == {"a1", "a2"}

    def test_it_is_released_when_there_is_clearly_enough_and_not_by_a_hair(self) -> None:
        first = triage(NOON, self.NEEDS, [], outlook(8_000.0))
        hair = triage(NOON, self.NEEDS, [], outlook(10_400.0), first)
        enough = triage(NOON, self.NEEDS, [], outlook(12_000.0), hair)
        assert given_up(hair) == {"a1"}
        assert given_up(enough) == set()

    def test_a_vehicle_of_the_roster_keeps_its_verdict_when_it_arrives(self) -> None:
        coming = [stay("a2", 9_900, (0.1, 2))]
        first = triage(NOON, [self.NEEDS[0]], coming, outlook(8_000.0))
        assert given_up(first) == {"a1"}
        arrived = triage(NOON, self.NEEDS, [], outlook(8_000.0), first)
        assert arrived.served == {"a2"}
        assert arrived.by_name["van-a2"].since == NOON


@st.composite
def sites(draw: st.DrawFn) -> tuple[Stays, Capacity]:
    count = draw(st.integers(1, 7))
    rows = []
    for _ in range(count):
        arrives, length = draw(st.sampled_from((0.0, 0.0, 0.5, 2.0))), draw(st.floats(0.2, 6.0))
        power_w = draw(st.floats(2_000.0, 20_000.0))
        share = draw(st.floats(0.05, 1.0))
        rows.append((arrives, arrives + length, power_w * length * share, power_w))
    pieces = draw(st.integers(1, 3))
    values = draw(st.lists(st.floats(0.0, 60_000.0), min_size=2 * pieces, max_size=2 * pieces))
    below = [float(draw(st.booleans())) for _ in range(count)]
    capacity = Capacity(
        starts_h=np.arange(pieces, dtype=np.float64) * 1.5,
        values=np.array(values).reshape(2, pieces),
        weights=np.array([[1.0] * count, below]),
    )
    return stays_of(rows), capacity


def possible(stays: Stays, capacity: Capacity, keep: float = 1.0) -> bool:
    """Whether a linear program finds a way (an independent judge)."""
    last = float(stays.departs_h.max())
    known = np.concatenate([stays.arrives_h, stays.departs_h, capacity.starts_h, [0.0]])
    edges = np.unique(known[known <= last])
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its stubs leave it open
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)  # as everywhere: HiGHS has one pool a process
    energy: dict[tuple[int, int], int] = {}
    for n in range(len(stays.required_wh)):
        for k, (start, end) in enumerate(pairwise(edges)):
            if stays.arrives_h[n] <= start and end <= stays.departs_h[n]:
                energy[n, k] = len(energy)
                solver.addVar(0.0, stays.power_w[n] * (end - start))
        mine = [column for (m, _), column in energy.items() if m == n]
        solver.addRow(
            stays.required_wh[n] * keep - 1.0, highspy.kHighsInf, len(mine), mine, [1.0] * len(mine)
        )
    for k, (start, end) in enumerate(pairwise(edges)):
        piece = int(np.searchsorted(capacity.starts_h, start, side="right")) - 1
        for limit, weights in zip(capacity.values[:, piece], capacity.weights, strict=True):
            here = [(c, weights[n]) for (n, m), c in energy.items() if m == k and weights[n] > 0]
            columns, factors = [c for c, _ in here], [w for _, w in here]
            solver.addRow(-highspy.kHighsInf, limit * (end - start), len(here), columns, factors)
    solver.run()
    return solver.getModelStatus() == highspy.HighsModelStatus.kOptimal


@given(sites())
@settings(max_examples=60, deadline=None)
def test_what_is_said_to_be_servable_is(site: tuple[Stays, Capacity]) -> None:
    if servable(*site):
        assert possible(*site)


@given(sites())
@settings(max_examples=60, deadline=None)
def test_with_one_limit_and_all_present_what_is_clearly_possible_is_found(
    site: tuple[Stays, Capacity],
) -> None:
    stays, capacity = site
    length = stays.departs_h - stays.arrives_h
    stays = replace(stays, arrives_h=np.zeros_like(length), departs_h=length)
    alone = replace(capacity, values=capacity.values[:1], weights=capacity.weights[:1])
    if possible(stays, alone, keep=1.15):
        assert servable(stays, alone)


@given(
    st.lists(
        st.tuples(st.floats(100, 40_000), st.floats(0.1, 9), st.integers(0, 2)),
        min_size=1,
        max_size=12,
    ),
    st.floats(0, 40_000),
)
@settings(max_examples=60, deadline=None)
def test_asked_again_nothing_changes(
    wishes: Sequence[tuple[float, float, int]], watts: float
) -> None:
    needs = [want(f"a{n}", wh, hours, rank) for n, (wh, hours, rank) in enumerate(wishes)]
    first = triage(NOON, needs, [], outlook(watts))
    again = triage(NOON, needs[::-1], [], outlook(watts), first)
    third = triage(NOON, needs, [], outlook(watts), again)
    assert given_up(first) == given_up(again) == given_up(third)
