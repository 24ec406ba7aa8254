"""Sharing currents: properties over random depots, and the rule by example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.decide.allocate import Constraint, Demand, Share, allocate
from support.site import NOON

PHASE_SETS = ((1, 2, 3), (1, 2, 3), (1,), (2,), (3,))
NODES = {"pcc": None, "row-1": "pcc", "row-2": "pcc", "board": "row-2"}
EPSILON = 1e-6


def demand(
    name: str = "a",
    *,
    need_a: float = 10.0,
    laxity_h: float = 1.0,
    hours: float = 4.0,
    rank: int = 0,
    max_a: float = 32.0,
    wanted_a: float | None = None,
    ceiling_a: float | None = None,
) -> Demand:
    ceiling = max_a if ceiling_a is None else ceiling_a
    return Demand(
        evse_id=name,
        min_a=6.0,
        max_a=max_a,
        ceiling_a=ceiling,
        wanted_a=min(ceiling, max_a if wanted_a is None else wanted_a),
        need_a=need_a,
        laxity_h=laxity_h,
        departure=NOON + timedelta(hours=hours),
        rank=rank,
    )


def budget(capacity: float, *names: str) -> Constraint:
    return Constraint(capacity=capacity, cause="the fuse", weights=dict.fromkeys(names, 1.0))


def amps(shares: dict[str, Share]) -> dict[str, float]:
    return {name: share.limit_a for name, share in shares.items()}


class TestRule:
    def test_everyone_gets_all_there_is_enough_for(self) -> None:
        shares = allocate([demand("a"), demand("b")], [budget(100, "a", "b")])
        assert amps(shares) == {"a": 32.0, "b": 32.0}
        assert shares["a"].cause == "all it can take"
        assert shares["a"].bound_by == ""

    def test_equal_vehicles_share_equally(self) -> None:
        shares = allocate([demand("a"), demand("b")], [budget(30, "a", "b")])
        assert amps(shares) == {"a": 15.0, "b": 15.0}
        assert shares["a"].cause == "shares the fuse"
        assert shares["a"].bound_by == "the fuse"

    def test_while_all_can_make_it_the_least_lax_gets_more(self) -> None:
        tight = demand("a", need_a=20, laxity_h=0.1)
        lax = demand("b", need_a=6, laxity_h=5.0)
        assert amps(allocate([tight, lax], [budget(34, "a", "b")])) == {"a": 28.0, "b": 6.0}

    def test_the_need_of_the_tight_comes_before_the_minimum_of_the_lax(self) -> None:
        tight = demand("a", need_a=25, laxity_h=0.1)
        lax = demand("b", need_a=1, laxity_h=5.0)
        shares = allocate([tight, lax], [budget(30, "a", "b")])
        assert amps(shares) == {"a": 30.0, "b": 0.0}
        assert shares["b"].cause == "paused: the fuse leaves less than its 6 A"

    def test_when_not_all_can_make_it_rank_then_departure_decide(self) -> None:
        demands = [
            demand("late", need_a=20, hours=8, rank=1),
            demand("early", need_a=20, hours=2, rank=1),
            demand("first", need_a=20, hours=9, rank=0),
        ]
        shares = allocate(demands, [budget(50, "late", "early", "first")])
        assert amps(shares) == {"first": 32.0, "early": 18.0, "late": 0.0}
        assert shares["early"].cause == "not all can be ready: takes what the fuse leaves"

    def test_a_hair_too_little_is_shared(self) -> None:
        names = [f"c{n}" for n in range(4)]
        demands = [demand(name, need_a=10, laxity_h=1) for name in names]
        shares = allocate(demands, [budget(39.6, *names)])
        assert min(amps(shares).values()) == 9.6

    def test_a_short_board_is_triaged_without_touching_the_rest(self) -> None:
        demands = [demand("x", need_a=20), demand("y", need_a=20), demand("z", need_a=20)]
        shares = allocate(demands, [budget(100, "x", "y", "z"), budget(25, "x", "y")])
        assert amps(shares) == {"x": 25.0, "y": 0.0, "z": 32.0}

    def test_who_needs_nothing_comes_last(self) -> None:
        full, hungry = demand("a", need_a=0, laxity_h=1e6), demand("b", need_a=10)
        assert amps(allocate([full, hungry], [budget(36, "a", "b")])) == {"a": 0.0, "b": 32.0}
        assert amps(allocate([full, hungry], [budget(40, "a", "b")])) == {"a": 8.0, "b": 32.0}

    def test_what_a_tapering_vehicle_leaves_goes_to_others_first(self) -> None:
        tapering, hungry = demand("a", wanted_a=8.0), demand("b")
        assert amps(allocate([tapering, hungry], [budget(40, "a", "b")])) == {"a": 8.0, "b": 32.0}
        assert amps(allocate([tapering, hungry], [budget(50, "a", "b")])) == {"a": 18.0, "b": 32.0}

    def test_a_held_limit_does_not_rise_and_takes_no_larger_share(self) -> None:
        held, free = demand("a", need_a=7, ceiling_a=8.0), demand("b", need_a=7)
        shares = allocate([held, free], [budget(100, "a", "b")])
        assert amps(shares) == {"a": 8.0, "b": 32.0}
        assert shares["a"].cause == "changed a moment ago: rises only after proof"
        assert amps(allocate([held, free], [budget(14, "a", "b")])) == {"a": 7.0, "b": 7.0}

    def test_less_than_a_minimum_is_not_given(self) -> None:
        assert amps(allocate([demand("a")], [budget(5.9, "a")])) == {"a": 0.0}
        assert amps(allocate([demand("a")], [budget(6.0, "a")])) == {"a": 6.0}

    def test_an_overloaded_node_stops_only_what_hangs_on_it(self) -> None:
        shares = allocate([demand("a"), demand("b")], [budget(-5, "a"), budget(60, "a", "b")])
        assert amps(shares) == {"a": 0.0, "b": 32.0}

    def test_limits_are_rounded_down_to_a_tenth(self) -> None:
        assert amps(allocate([demand("a")], [budget(10.199, "a")])) == {"a": 10.1}

    def test_nobody_asks(self) -> None:
        assert allocate([], [budget(10)]) == {}


@st.composite
def depots(draw: st.DrawFn) -> tuple[list[Demand], list[Constraint]]:
    """A tree of two rows and a board below one of them, per phase, and a power budget."""
    count = draw(st.integers(1, 12))
    current = st.floats(6.0, 63.0)
    demands, homes, phases = [], {}, {}
    for n in range(count):
        name = f"c{n}"
        most = draw(current)
        ceiling = draw(st.floats(6.0, most))
        demands.append(
            Demand(
                evse_id=name,
                min_a=6.0,
                max_a=most,
                ceiling_a=ceiling,
                wanted_a=draw(st.floats(6.0, ceiling)),
                need_a=draw(st.one_of(st.just(0.0), st.floats(0.01, 80.0))),
                laxity_h=draw(st.floats(-5.0, 50.0)),
                departure=NOON + timedelta(hours=draw(st.integers(-1, 24))),
                rank=draw(st.integers(0, 2)),
            )
        )
        homes[name] = draw(st.sampled_from(sorted(NODES)))
        phases[name] = draw(st.sampled_from(PHASE_SETS))
    return demands, _constraints(draw, homes, phases)


def _constraints(
    draw: st.DrawFn, homes: dict[str, str], phases: dict[str, tuple[int, ...]]
) -> list[Constraint]:
    power = Constraint(
        capacity=draw(st.floats(-5_000.0, 300_000.0)),
        cause="the contract",
        weights={name: 230.0 * len(used) for name, used in phases.items()},
    )
    limit = st.floats(-10.0, 200.0)
    return [power] + [
        Constraint(
            capacity=draw(limit),
            cause=f"the fuse of {node}",
            weights={
                name: 1.0
                for name, home in homes.items()
                if _below(home, node) and phase in phases[name]
            },
        )
        for node in NODES
        for phase in (1, 2, 3)
    ]


def _below(home: str, node: str) -> bool:
    here: str | None = home
    while here is not None:
        if here == node:
            return True
        here = NODES[here]
    return False


def _load(constraint: Constraint, shares: dict[str, Share]) -> float:
    return sum(w * shares[name].limit_a for name, w in constraint.weights.items())


def _room(name: str, constraints: Sequence[Constraint], shares: dict[str, Share]) -> float:
    return min(
        (c.capacity - _load(c, shares)) / c.weights[name] for c in constraints if name in c.weights
    )


class TestProperties:
    @given(depots())
    @settings(max_examples=150, deadline=None)
    def test_no_node_and_no_phase_is_over_its_limit(
        self, depot: tuple[list[Demand], list[Constraint]]
    ) -> None:
        demands, constraints = depot
        shares = allocate(demands, constraints)
        for constraint in constraints:
            load = _load(constraint, shares)
            assert load <= max(0.0, constraint.capacity) + EPSILON * max(1.0, load)

    @given(depots())
    @settings(max_examples=150, deadline=None)
    def test_every_value_is_legal(self, depot: tuple[list[Demand], list[Constraint]]) -> None:
        demands, constraints = depot
        shares = allocate(demands, constraints)
        for one in demands:
            limit_a = shares[one.evse_id].limit_a
            assert limit_a == 0 or one.min_a <= limit_a <= one.ceiling_a + EPSILON

    @given(depots())
    @settings(max_examples=150, deadline=None)
    def test_nobody_in_need_is_paused_while_its_minimum_is_free(
        self, depot: tuple[list[Demand], list[Constraint]]
    ) -> None:
        demands, constraints = depot
        shares = allocate(demands, constraints)
        rounding_a = 0.1 * (len(demands) + 1) * 3  # every other limit was rounded down
        for one in demands:
            if one.need_a > 0 and shares[one.evse_id].limit_a == 0:
                assert _room(one.evse_id, constraints, shares) < one.min_a + rounding_a

    @given(depots())
    @settings(max_examples=80, deadline=None)
    def test_the_order_of_the_question_does_not_matter(
        self, depot: tuple[list[Demand], list[Constraint]]
    ) -> None:
        demands, constraints = depot
        assert allocate(demands, constraints) == allocate(demands[::-1], constraints)

    @given(
        st.lists(st.tuples(st.floats(0.1, 32), st.floats(-2, 20)), min_size=1, max_size=12),
        st.floats(0, 300),
        st.floats(0, 100),
    )
    @settings(max_examples=150, deadline=None)
    def test_a_higher_limit_never_gives_equal_chargers_less_in_all(
        self, vehicles: list[tuple[float, float]], limit_a: float, more_a: float
    ) -> None:
        demands = [
            demand(f"c{n}", need_a=need_a, laxity_h=laxity_h)
            for n, (need_a, laxity_h) in enumerate(vehicles)
        ]
        names = [one.evse_id for one in demands]
        low, high = (
            sum(amps(allocate(demands, [budget(capacity, *names)])).values())
            for capacity in (limit_a, limit_a + more_a)
        )
        assert high >= low - 0.1 * len(demands)  # rounding

    @given(depots(), st.floats(1.0, 3.0))
    @settings(max_examples=80, deadline=None)
    def test_wider_limits_never_take_from_the_most_urgent(
        self, depot: tuple[list[Demand], list[Constraint]], factor: float
    ) -> None:
        demands, constraints = depot
        first = replace(demands[0], laxity_h=-9.0, rank=-1, need_a=80.0)
        demands = [first, *(replace(d, need_a=min(d.need_a, 1.0)) for d in demands[1:])]
        tight = [replace(c, capacity=max(0.0, c.capacity)) for c in constraints]
        wider = [replace(c, capacity=c.capacity * factor) for c in tight]
        drawn_a = min(allocate(demands, tight)[first.evse_id].limit_a, first.wanted_a)
        assert allocate(demands, wider)[first.evse_id].limit_a >= drawn_a - 0.1 - EPSILON
