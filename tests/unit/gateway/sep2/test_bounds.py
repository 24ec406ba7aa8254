"""The tightest of several bounds, and a site's exact part of a common one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    if a.storage_power_w == b.storage_power_w:
        assert at_least_as_tight(both, a)
        assert at_least_as_tight(both, b)
    assert at_least_as_tight(a, FREE) == (a.storage_power_w is None)


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


def test_nothing_bound_is_no_step() -> None:
    assert combined([]) == ()
    assert combined([piece(0, None, "a")]) == ()
