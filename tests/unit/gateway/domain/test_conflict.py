from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain import conflict
from gateway.domain.conflict import Contender, Fit, fit, own_part, rivals, strongest_first
from gateway.domain.dispatch import DispatchPlan, plan
from gateway.domain.event import GridEvent, Opt
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.program import Program, Rules
from gateway.domain.program.joining import Beside, Exclusivity
from gateway.domain.program.paying import CapacityPay
from gateway.domain.timeline import Claim, holds

T0 = datetime(2026, 3, 4, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SITES = ("a", "b", "c")
pytestmark = pytest.mark.row("portfolio:A9")


def program(name: str, *rules: Exclusivity, firm: bool = False, **changes: object) -> Program:
    pay = (CapacityPay(),) if firm else ()
    made = Program(
        program_id=name,
        name=name.upper(),
        utility_id="u",
        rules=Rules(exclusivity=rules, capacity_pay=pay),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's shorthand


def contender(
    of: Program,
    name: str = "e",
    start: float = 0,
    end: float | None = 120,
    told: float = 0,
    sites: frozenset[str] = frozenset(SITES),
    **changes: object,
) -> Contender:
    event = GridEvent(
        utility_id="u",
        event_id=f"{of.program_id}-{name}",
        modification=0,
        program_id=of.program_id,
        created_at=T0 + told * MINUTE,
        window=Interval(start=T0 + start * MINUTE, end=None if end is None else T0 + end * MINUTE),
        signals=(),
    )
    event = replace(event, **changes)  # type: ignore[arg-type]  # a test's shorthand
    claim = Claim(event=event, opt=Opt.IN, sites=sites)
    return Contender(claim=claim, program=of, told_at=T0 + told * MINUTE)


EMERGENCY = program("bip", firm=True, emergency=True)
VOLUNTARY_EMERGENCY = program("elrp", emergency=True)
CAPACITY = program("cbp", firm=True)
ENERGY = program("dfs")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (contender(VOLUNTARY_EMERGENCY, told=9), contender(CAPACITY)),
        (contender(EMERGENCY, told=9), contender(VOLUNTARY_EMERGENCY)),
        (contender(CAPACITY, told=9), contender(ENERGY, priority=1)),
        (contender(program("x", precedence=5), told=9), contender(ENERGY)),
        (contender(program("x"), told=9, priority=1), contender(ENERGY, priority=2)),
        (contender(program("x"), told=9, priority=3), contender(ENERGY)),
        (contender(program("x"), told=1), contender(ENERGY, told=2)),
        # Within a program the newest goes first, and keeps the place of what it replaces.
        (contender(ENERGY, "new", told=9), contender(ENERGY, "old", told=1)),
    ],
)
def test_who_goes_first(first: Contender, second: Contender) -> None:
    assert strongest_first([second, first]) == (first, second)


def test_a_program_keeps_its_place_only_through_events_that_replace_one_another() -> None:
    other = contender(program("x"), told=5)
    replaced, by = contender(ENERGY, "old", told=1), contender(ENERGY, "new", told=9)
    assert strongest_first([other, replaced, by]) == (by, replaced, other)
    tomorrow = contender(ENERGY, "old", start=1440, end=1500, told=1)
    assert strongest_first([other, tomorrow, by])[1:] == (other, by)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), Fit.TOGETHER),
        ((Exclusivity(beside=Beside.NOT, others=("x",)),), Fit.TOGETHER),
        ((Exclusivity(beside=Beside.NOT, others=("dfs",)),), Fit.NOT),
        ((Exclusivity(beside=Beside.NOT, others=("DFS",)),), Fit.NOT),
        ((Exclusivity(beside=Beside.ALLOWED, others=("dfs",), first_refusal=True),), Fit.TOGETHER),
        ((Exclusivity(beside=Beside.SAME_AGGREGATOR, others=("dfs",)),), Fit.TOGETHER),
        ((Exclusivity(beside=Beside.EXPORT_ONLY, others=("dfs",)),), Fit.EXPORT_ONLY),
        (
            (
                Exclusivity(beside=Beside.EXPORT_ONLY, others=("dfs",)),
                Exclusivity(beside=Beside.NOT, others=("dfs",)),
            ),
            Fit.NOT,
        ),
    ],
)
def test_what_goes_together(rules: tuple[Exclusivity, ...], expected: Fit) -> None:
    mine = program("p", *rules)
    assert fit(mine, ENERGY) is fit(ENERGY, mine) is expected


def test_events_of_one_program_never_share_a_site() -> None:
    assert fit(ENERGY, replace(ENERGY, version="2")) is Fit.NOT


@pytest.mark.parametrize(
    ("given_w", "asked_w", "beside_w", "expected_w"),
    [(60, 20, 40, 20), (40, 20, 40, 20), (15, 20, 40, 15), (70, 20, 40, 30), (-5, 20, 40, -5)],
)
def test_what_came_is_counted_once(
    given_w: float, asked_w: float, beside_w: float, expected_w: float
) -> None:
    assert own_part(given_w, asked_w, beside_w) == expected_w


def site(site_id: str, baseline_w: float = 100_000, floor_w: float = 40_000) -> SiteFlexibility:
    window = Interval(start=T0, end=T0 + 240 * MINUTE)
    return SiteFlexibility(
        site_id=site_id,
        baseline=StepSeries.of([(window, baseline_w)]),
        down_w=baseline_w - floor_w,
        as_of=T0,
        available=True,
        floor_w=floor_w,
    )


def planned(
    contenders: tuple[Contender, ...],
    offers: tuple[SiteFlexibility, ...],
    targets_w: dict[str, float],
) -> dict[str, DispatchPlan]:
    """Every event planned in turn, as dispatch does it."""
    ordered = strongest_first(contenders)
    entries = conflict.in_force(ordered)
    made: dict[str, DispatchPlan] = {}
    for one in ordered:
        stronger, _ = rivals(ordered, one.event.key)
        given = {
            key: {a.site_id: a.reduction for a in done.allocations} for key, done in made.items()
        }
        left = []
        for offer in offers:
            taken = tuple(conflict.promises(offer.site_id, one.program, stronger, entries, given))
            mine = StepSeries.of(
                (step.interval, step.value)
                for interval in holds(entries, one.event.key, offer.site_id)
                for step in offer.baseline.clip(interval)
            )
            why = conflict.words(offer, taken, stronger, one.program, entries)
            left.append(replace(offer.against(conflict.left_of(mine, taken)), reason=why))
        target = StepSeries.of([(one.event.window, targets_w[one.event.key])])
        made[one.event.key] = plan(one.event, target, left, created_at=T0, revision=1, reason="")
    return made


def test_a_weaker_event_gets_what_the_stronger_leaves_and_says_so() -> None:
    strong, weak = contender(EMERGENCY), contender(ENERGY, end=240)
    made = planned((weak, strong), (site("a"),), {"u/bip-e": 20_000.0, "u/dfs-e": 50_000.0})
    (given,) = made["u/bip-e"].allocation("a").steps  # type: ignore[union-attr]
    assert (given.reduction_w, given.limit_w) == (20_000, 80_000)
    part = made["u/dfs-e"].allocation("a")
    assert part is not None
    assert [s.reduction_w for s in part.steps] == pytest.approx([40_000, 50_000])
    assert [s.limit_w for s in part.steps] == pytest.approx([40_000, 50_000])
    assert "20 of 60.0 kW are promised to BIP until 18:00" in part.cause
    assert [step.value for step in made["u/dfs-e"].shortfall] == [pytest.approx(10_000)]


def test_programs_that_exclude_each_other_take_turns_and_it_is_said() -> None:
    rule = Exclusivity(beside=Beside.NOT, others=("cbp",))
    strong, weak = contender(program("bip", rule, emergency=True)), contender(CAPACITY, end=240)
    made = planned((weak, strong), (site("a"),), {"u/bip-e": 20_000.0, "u/cbp-e": 30_000.0})
    part = made["u/cbp-e"].allocation("a")
    assert part is not None
    assert [s.interval.start for s in part.steps] == [T0 + 120 * MINUTE]
    assert "event bip-e of BIP has it until 18:00" in part.cause


def test_beside_an_export_only_program_only_what_goes_below_zero_counts() -> None:
    rule = Exclusivity(beside=Beside.EXPORT_ONLY, others=("dfs",))
    strong = contender(program("bip", rule, emergency=True))
    offers = (site("a", baseline_w=50_000, floor_w=-30_000),)
    targets_w = {"u/bip-e": 20_000.0, "u/dfs-e": 60_000.0}
    made = planned((contender(ENERGY), strong), offers, targets_w)
    part = made["u/dfs-e"].allocation("a")
    assert part is not None
    assert [(s.reduction_w, s.limit_w) for s in part.steps] == [(30_000, -30_000)]
    assert "only for exports" in part.cause


@st.composite
def crowds(draw: st.DrawFn) -> tuple[tuple[Contender, ...], dict[str, float]]:
    """A few events of a few programs, some of which exclude one another."""
    kinds = [Beside.NOT, Beside.EXPORT_ONLY, Beside.ALLOWED]
    programs = [
        program(
            name,
            *(
                Exclusivity(beside=draw(st.sampled_from(kinds)), others=(other,))
                for other in draw(st.sets(st.sampled_from("pqr"), max_size=1))
            ),
            firm=draw(st.booleans()),
            emergency=draw(st.booleans()),
        )
        for name in "pqr"
    ]
    found = []
    for number in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, 8)) * 15
        found.append(
            contender(
                draw(st.sampled_from(programs)),
                str(number),
                start,
                start + draw(st.integers(1, 8)) * 15,
                told=draw(st.integers(0, 3)),
                sites=frozenset(draw(st.sets(st.sampled_from(SITES), min_size=1))),
                priority=draw(st.integers(0, 2)),
            )
        )
    watts = st.floats(0, 200_000)
    return tuple(found), {one.event.key: draw(watts) for one in found}


def instants() -> Iterator[datetime]:
    return (T0 + (15 * n + 7) * MINUTE for n in range(16))


@settings(max_examples=60)
@given(crowd=crowds(), floors=st.lists(st.integers(-30_000, 100_000), min_size=3, max_size=3))
def test_no_kilowatt_is_promised_twice_and_every_target_is_met_or_reported(
    crowd: tuple[tuple[Contender, ...], dict[str, float]], floors: list[int]
) -> None:
    contenders, targets_w = crowd
    offers = tuple(site(s, floor_w=w) for s, w in zip(SITES, floors, strict=True))
    made = planned(contenders, offers, targets_w)
    value: Callable[[StepSeries, datetime], float] = lambda s, at: s.value_at(at) or 0.0  # noqa: E731
    for at in instants():
        for offer in offers:
            parts = [p.allocation(offer.site_id) for p in made.values()]
            given_w = sum(value(part.reduction, at) for part in parts if part)
            assert given_w <= offer.down_w + 1e-3
            limits = [part.limit.value_at(at) for part in parts if part]
            lowest = min((w for w in limits if w is not None), default=100_000.0)
            # The lowest limit at the site brings about all that was promised, and no more when
            # nothing had to lie below zero.
            assert 100_000.0 - lowest >= given_w - 1e-3
        for done in made.values():
            asked = sum(value(part.reduction, at) for part in done.allocations)
            assert asked + value(done.shortfall, at) == pytest.approx(
                value(done.target, at), abs=1.5
            )


@given(crowd=crowds())
def test_the_order_of_arrival_in_a_list_does_not_matter(
    crowd: tuple[tuple[Contender, ...], dict[str, float]],
) -> None:
    contenders, _ = crowd
    assert strongest_first(contenders) == strongest_first(contenders[::-1])
