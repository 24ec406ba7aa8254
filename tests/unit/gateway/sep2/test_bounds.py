"""The tightest of several bounds, and a site's exact part of a common one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.inverter import (
    FixedPowerFactor,
    FixedVar,
    InverterFunction,
    Inverters,
    Reference,
    slot,
)
from contracts.time import Interval
from gateway.domain.operating_envelope import FREE, SiteBounds
from gateway.utility.sep2.bounds import Piece, at_least_as_tight, combined, share_of, tightest

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)

watts = st.integers(0, 10**9).map(lambda mw: mw / 1000)
negative = watts.map(lambda w: 0.0 - w)
some_bounds = st.builds(
    SiteBounds,
    import_limit_w=st.none() | watts,
    export_limit_w=st.none() | negative,
    load_limit_w=st.none() | watts,
    generation_limit_w=st.none() | negative,
    storage_power_w=st.none() | watts | negative,
    energize=st.none() | st.booleans(),
    inverter_functions=st.lists(
        st.builds(
            FixedVar,
            percent=st.sampled_from([10.0, 20.0]),
            reference=st.just(Reference.MAX_VAR),
            on=st.sampled_from(Inverters),
        )
        | st.builds(FixedVar, var=st.sampled_from([-5.0, 5.0]), on=st.sampled_from(Inverters))
        | st.builds(
            FixedPowerFactor,
            power_factor=st.sampled_from([0.9, 1.0]),
            absorbs_var=st.booleans(),
            while_=st.sampled_from(["injecting", "absorbing"]),
            on=st.sampled_from(Inverters),
        ),
        max_size=1,
    ).map(tuple),
)


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ({"import_limit_w": 5.0}, {"import_limit_w": 3.0}, {"import_limit_w": 3.0}),
        ({"export_limit_w": -5.0}, {"export_limit_w": -3.0}, {"export_limit_w": -3.0}),
        (
            {"load_limit_w": 5.0},
            {"import_limit_w": 3.0},
            {"load_limit_w": 5.0, "import_limit_w": 3.0},
        ),
        ({"generation_limit_w": -5.0}, {"generation_limit_w": 0.0}, {"generation_limit_w": 0.0}),
        ({"storage_power_w": -5.0}, {"storage_power_w": -3.0}, {"storage_power_w": -3.0}),
        ({"storage_power_w": 5.0}, {"storage_power_w": -3.0}, {"storage_power_w": 0.0}),
        ({"storage_power_w": 5.0}, {"storage_power_w": 0.0}, {"storage_power_w": 0.0}),
        ({"energize": True}, {"energize": False}, {"energize": False}),
        ({"energize": True}, {}, {"energize": True}),
    ],
)
def test_the_tighter_of_two(
    a: dict[str, float], b: dict[str, float], both: dict[str, float]
) -> None:
    first, second = SiteBounds(**a), SiteBounds(**b)  # type: ignore[arg-type]
    assert tightest((first, second)) == SiteBounds(**both)  # type: ignore[arg-type]
    assert tightest((second, first)) == tightest((first, second))


@settings(deadline=None)
@given(some_bounds, some_bounds)
def test_the_tightest_keeps_both(a: SiteBounds, b: SiteBounds) -> None:
    both = tightest((a, b))
    alike = both.inverter_functions == a.inverter_functions == b.inverter_functions
    if a.storage_power_w == b.storage_power_w and alike:
        assert at_least_as_tight(both, a)
        assert at_least_as_tight(both, b)
    compares = a.storage_power_w is None and not a.inverter_functions
    assert at_least_as_tight(a, FREE) == compares


@settings(deadline=None)
@given(st.lists(some_bounds, max_size=5), st.randoms(use_true_random=False))
def test_at_most_one_function_of_a_kind_for_each_inverter_whatever_the_order(
    bounds: list[SiteBounds], random: Random
) -> None:
    found = tightest(bounds).inverter_functions
    shuffled = bounds.copy()
    random.shuffle(shuffled)
    assert tightest(shuffled).inverter_functions == found
    assert tightest([SiteBounds(inverter_functions=found)]).inverter_functions == found
    places = [(slot(one), part) for one in found for part in parts(one)]
    assert len(places) == len(set(places))
    asked = [one for each in bounds for one in each.inverter_functions]
    assert set(places) == {(slot(one), part) for one in asked for part in parts(one)}
    assert {replace(one, on=Inverters.ALL) for one in found} <= {
        replace(one, on=Inverters.ALL) for one in asked
    }


def parts(one: InverterFunction) -> tuple[Inverters, ...]:
    both = (Inverters.GENERATION, Inverters.STORAGE)
    return both if one.on is Inverters.ALL else (one.on,)


def fixed(var: float, on: Inverters = Inverters.ALL) -> SiteBounds:
    return SiteBounds(inverter_functions=(FixedVar(var=var, on=on),))


ALL, GENERATION, STORAGE = Inverters.ALL, Inverters.GENERATION, Inverters.STORAGE


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ([(1.0, ALL)], [(1.0, ALL)]),
        ([(1.0, ALL), (1.0, ALL)], [(1.0, ALL)]),
        ([(1.0, ALL), (2.0, STORAGE)], [(1.0, GENERATION), (2.0, STORAGE)]),
        ([(1.0, ALL), (1.0, STORAGE)], [(1.0, ALL)]),
        ([(3.0, GENERATION), (2.0, STORAGE)], [(3.0, GENERATION), (2.0, STORAGE)]),
        ([(3.0, GENERATION), (2.0, STORAGE), (1.0, ALL)], [(3.0, GENERATION), (2.0, STORAGE)]),
        ([(2.0, ALL), (1.0, ALL)], [(1.0, ALL)]),
    ],
)
def test_functions_side_by_side(
    asked: list[tuple[float, Inverters]], held: list[tuple[float, Inverters]]
) -> None:
    wanted = tuple(FixedVar(var=var, on=on) for var, on in held)
    for order in (asked, asked[::-1]):
        found = tightest(fixed(var, on) for var, on in order)
        assert found == SiteBounds(inverter_functions=wanted)


def test_different_functions_do_not_compare() -> None:
    assert at_least_as_tight(fixed(1.0), fixed(1.0))
    assert not at_least_as_tight(fixed(1.0), fixed(2.0))
    assert not at_least_as_tight(fixed(1.0), FREE)


def test_of_functions_only_var_is_shared() -> None:
    factor = FixedPowerFactor(power_factor=0.9, absorbs_var=True, while_="injecting")
    percent = FixedVar(percent=10.0, reference=Reference.MAX_VAR)
    whole = SiteBounds(inverter_functions=(factor, percent, FixedVar(var=-9.0)))
    part = share_of(whole, "b", {"a": 1.0, "b": 2.0})
    assert part.inverter_functions == (factor, percent, FixedVar(var=-6.0))


@pytest.mark.row("sep2:3")
@settings(deadline=None)
@given(
    some_bounds,
    st.lists(st.floats(0.001, 1e6), min_size=1, max_size=12),
)
def test_parts_add_up_exactly_and_follow_the_weights(
    whole: SiteBounds, weights: list[float]
) -> None:
    shares = {f"s{n}": weight / sum(weights) for n, weight in enumerate(weights)}
    parts = [share_of(whole, site, shares) for site in shares]
    for name in ("import_limit_w", "export_limit_w", "load_limit_w", "storage_power_w"):
        value = getattr(whole, name)
        found = [getattr(part, name) for part in parts]
        if value is None:
            assert found == [None] * len(parts)
            continue
        assert sum(round(part * 1000) for part in found) == round(value * 1000)
        for part, share in zip(found, shares.values(), strict=True):
            assert part == pytest.approx(value * share, abs=0.002, rel=1e-9)
            assert part * value >= 0
    assert {part.energize for part in parts} == {whole.energize}


def test_equal_parts() -> None:
    shares = {"a": 0.5, "b": 0.5}
    assert share_of(SiteBounds(import_limit_w=9.0), "b", shares) == SiteBounds(import_limit_w=4.5)


def piece(start: int, end: int | None, why: str, **bounds: float) -> Piece:
    until = None if end is None else T0 + timedelta(minutes=end)
    return Piece(
        interval=Interval(start=T0 + timedelta(minutes=start), end=until),
        bounds=SiteBounds(**bounds),  # type: ignore[arg-type]
        what=next(iter(bounds), "nothing"),
        why=why,
    )


def test_pieces_become_steps() -> None:
    steps = combined(
        [
            piece(0, 10, "a", import_limit_w=10.0),
            piece(10, None, "default", import_limit_w=20.0),
            piece(5, 15, "b", export_limit_w=-1.0),
            piece(12, 14, "c", import_limit_w=15.0),
            piece(0, None, "ramps"),
        ]
    )
    told = [
        (
            (s.interval.start - T0) // timedelta(minutes=1),
            s.interval.end and (s.interval.end - T0) // timedelta(minutes=1),
            s.bounds.import_limit_w,
            s.bounds.export_limit_w,
            s.cause,
        )
        for s in steps
    ]
    default = "import_limit_w: default"
    assert told == [
        (0, 5, 10.0, None, "import_limit_w: a"),
        (5, 10, 10.0, -1.0, "import_limit_w: a; export_limit_w: b"),
        (10, 12, 20.0, -1.0, f"{default}; export_limit_w: b"),
        (12, 14, 15.0, -1.0, f"{default}; export_limit_w: b; import_limit_w: c"),
        (14, 15, 20.0, -1.0, f"{default}; export_limit_w: b"),
        (15, None, 20.0, None, default),
    ]


def test_equal_neighbours_become_one_and_gaps_stay() -> None:
    steps = combined(
        [
            piece(0, 5, "a", import_limit_w=1.0),
            piece(5, 9, "a", import_limit_w=1.0),
            piece(20, 30, "a", import_limit_w=1.0),
        ]
    )
    assert [s.interval for s in steps] == [piece(0, 9, "").interval, piece(20, 30, "").interval]


def test_a_function_alone_is_a_step() -> None:
    curved = replace(piece(0, None, "a"), bounds=fixed(1.0))
    (step,) = combined([curved, piece(0, None, "nothing")])
    assert step.bounds == fixed(1.0)
    assert not step.bounds.free


def test_nothing_bound_is_no_step() -> None:
    assert combined([]) == ()
    assert combined([piece(0, None, "a")]) == ()
