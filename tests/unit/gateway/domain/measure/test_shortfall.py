"""Why less was given than planned: the decision table, and that the parts are the whole."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.measure.shortfall import (
    Cause,
    Shortfall,
    SlotFacts,
    SlotShort,
    apportioned,
    of_the_whole,
    over_event,
)

PLANNED = SlotFacts(planned_w=60_000, expected_w=100_000, baseline_w=100_000, actual_w=40_000)
"""60 kW of 100 planned, told to keep under 40, and kept."""
ABOVE = replace(PLANNED, actual_w=70_000)
"""30 kW above what it was told."""
LESS = replace(PLANNED, baseline_w=80_000)
"""It kept to what it was told, but 20 kW of the load were not there."""

TABLE = {
    "gave all": (PLANNED, {}),
    "gave more": (replace(PLANNED, actual_w=10_000), {}),
    "no word of why": (ABOVE, {Cause.UNEXPLAINED: 30_000}),
    "opted out all the time": (replace(ABOVE, out_share=1.0), {Cause.OPT_OUT: 30_000}),
    "opted out for a quarter": (
        replace(ABOVE, out_share=0.25),
        {Cause.OPT_OUT: 15_000, Cause.UNEXPLAINED: 15_000},
    ),
    "refused": (replace(ABOVE, refused_share=1.0), {Cause.REFUSED: 30_000}),
    "never told": (replace(ABOVE, unheard_w=60_000), {Cause.LINK_LOST: 30_000}),
    "not told of the last 10 kW": (
        replace(ABOVE, unheard_w=10_000),
        {Cause.LINK_LOST: 10_000, Cause.UNEXPLAINED: 20_000},
    ),
    "less load there": (LESS, {Cause.FORECAST: 20_000}),
    "less load there, for no vehicle charged": (
        replace(LESS, vehicles_before=0.0),
        {Cause.NO_VEHICLES: 20_000},
    ),
    "vehicles charged, but less": (
        replace(LESS, vehicles_before=3.0),
        {Cause.FORECAST: 20_000},
    ),
    "an operator held it to 80 kW": (replace(LESS, held_w=80_000), {Cause.LIMIT: 20_000}),
    "an operator held it to 92 kW": (
        replace(LESS, held_w=92_000),
        {Cause.LIMIT: 8_000, Cause.FORECAST: 12_000},
    ),
    "a limit above what was expected holds nothing": (
        replace(LESS, held_w=150_000),
        {Cause.FORECAST: 20_000},
    ),
    "a charger did not obey": (
        replace(ABOVE, not_obeyed_w=22_000),
        {Cause.NOT_OBEYED: 22_000, Cause.UNEXPLAINED: 8_000},
    ),
    "the battery ran empty": (
        replace(ABOVE, battery_lost_w=30_000),
        {Cause.BATTERY_EMPTY: 30_000},
    ),
    "a quarter of the chargers offline": (
        replace(ABOVE, offline_share=0.25),
        {Cause.CHARGER_OFFLINE: 15_000, Cause.UNEXPLAINED: 15_000},
    ),
    "a vehicle was due": (
        replace(ABOVE, due_w=11_000),
        {Cause.VEHICLE_DUE: 11_000, Cause.UNEXPLAINED: 19_000},
    ),
    "the export limit held the battery": (replace(ABOVE, at_floor=True), {Cause.LIMIT: 30_000}),
    "the site said that too much else was drawn": (
        replace(ABOVE, unmet=True),
        {Cause.FORECAST: 30_000},
    ),
    "nothing was heard of it any more": (
        replace(ABOVE, offline_share=0.1, left_out=True),
        {Cause.CHARGER_OFFLINE: 6_000, Cause.LINK_LOST: 24_000},
    ),
    "what was measured counts before what is inferred": (
        replace(ABOVE, not_obeyed_w=20_000, battery_lost_w=20_000, offline_share=1.0),
        {Cause.NOT_OBEYED: 20_000, Cause.BATTERY_EMPTY: 10_000},
    ),
    "less load, and above the limit besides": (
        replace(LESS, actual_w=50_000, offline_share=0.1),
        {Cause.FORECAST: 20_000, Cause.CHARGER_OFFLINE: 6_000, Cause.UNEXPLAINED: 4_000},
    ),
    "less load is no excuse for more than is missing": (
        replace(LESS, actual_w=30_000),
        {Cause.FORECAST: 10_000},
    ),
}


@pytest.mark.row("mv:M3")
@pytest.mark.parametrize(("facts", "parts"), TABLE.values(), ids=TABLE)
def test_what_is_missing_is_told_by_cause(facts: SlotFacts, parts: dict[Cause, float]) -> None:
    assert apportioned(facts) == pytest.approx(parts)


WATTS = st.floats(0, 5e5)
FACTS = st.builds(
    SlotFacts,
    planned_w=WATTS,
    baseline_w=st.floats(-5e5, 5e5),
    actual_w=st.floats(-5e5, 5e5),
    expected_w=st.none() | st.floats(-5e5, 5e5),
    out_share=st.floats(0, 1),
    refused_share=st.floats(0, 1),
    unheard_w=WATTS,
    vehicles_before=st.none() | st.floats(0, 9),
    held_w=st.none() | WATTS,
    not_obeyed_w=WATTS,
    battery_lost_w=WATTS,
    offline_share=st.floats(0, 1),
    due_w=WATTS,
    unmet=st.booleans(),
    at_floor=st.booleans(),
    left_out=st.booleans(),
)


@pytest.mark.row("mv:M3")
@given(FACTS)
def test_the_parts_sum_to_what_is_missing_whatever_was_seen(facts: SlotFacts) -> None:
    parts = apportioned(facts)
    assert sum(parts.values()) == pytest.approx(facts.short_w, abs=1e-6)
    assert all(w > 0 for w in parts.values())


@given(st.lists(st.tuples(st.floats(1, 3_600), FACTS), min_size=1, max_size=8))
def test_so_they_do_over_an_event(rows: list[tuple[float, SlotFacts]]) -> None:
    found = over_event(
        [SlotShort(seconds=s, planned_w=f.planned_w, parts=apportioned(f)) for s, f in rows]
    )
    mean_w = sum(s * f.short_w for s, f in rows) / sum(s for s, _ in rows)
    if found is None:
        assert mean_w < 1.001
    else:
        assert found.mean_w == pytest.approx(mean_w, rel=1e-9, abs=1e-6)
        assert sum(part.mean_w for part in found.parts) == pytest.approx(found.mean_w)


@given(WATTS, WATTS, st.lists(FACTS, max_size=5))
def test_so_they_do_for_the_whole_portfolio(
    short_w: float, not_offered_w: float, sites: list[SlotFacts]
) -> None:
    parts = of_the_whole(short_w, not_offered_w, [apportioned(one) for one in sites])
    assert sum(parts.values()) == pytest.approx(short_w, abs=1e-6)
    assert all(w > 0 for w in parts.values())


@pytest.mark.row("mv:M3")
@pytest.mark.parametrize(
    ("short_w", "not_offered_w", "expected"),
    [
        pytest.param(30e3, 0, {Cause.OPT_OUT: 20e3, Cause.FORECAST: 10e3}, id="as the sites"),
        pytest.param(15e3, 0, {Cause.OPT_OUT: 10e3, Cause.FORECAST: 5e3}, id="others made up"),
        pytest.param(0, 0, {}, id="others made up for all of it"),
        pytest.param(
            37e3,
            5e3,
            {
                Cause.OPT_OUT: 20e3,
                Cause.FORECAST: 10e3,
                Cause.NOT_OFFERED: 5e3,
                Cause.UNEXPLAINED: 2e3,
            },
            id="more than the sites",
        ),
    ],
)
def test_the_whole_misses_what_its_sites_missed_less_what_others_gave(
    short_w: float, not_offered_w: float, expected: dict[Cause, float]
) -> None:
    sites = [{Cause.OPT_OUT: 20e3}, {Cause.FORECAST: 10e3}]
    assert of_the_whole(short_w, not_offered_w, sites) == pytest.approx(expected)


def test_over_an_event_the_largest_cause_is_told_first_and_whom_it_is_about() -> None:
    parts = {Cause.FORECAST: 4e3, Cause.CHARGER_OFFLINE: 8e3}
    slots = [
        SlotShort(seconds=900, planned_w=60e3, parts=parts),
        SlotShort(seconds=2_700, planned_w=20e3, parts={}),
    ]
    found = over_event(slots, {Cause.CHARGER_OFFLINE: ("N3",)})
    assert isinstance(found, Shortfall)
    assert (found.mean_w, found.planned_mean_w) == (3e3, 30e3)
    assert [(p.cause, p.mean_w, p.about) for p in found.parts] == [
        (Cause.CHARGER_OFFLINE, 2e3, ("N3",)),
        (Cause.FORECAST, 1e3, ()),
    ]


def test_nothing_known_or_nothing_missing_is_no_shortfall() -> None:
    assert over_event([]) is None
    assert over_event([SlotShort(seconds=900, planned_w=60e3, parts={})]) is None


def test_a_cause_of_next_to_nothing_is_not_named() -> None:
    parts = {Cause.FORECAST: 0.4, Cause.OPT_OUT: 5e3}
    found = over_event([SlotShort(seconds=900, planned_w=60e3, parts=parts)])
    assert found is not None
    assert {p.cause: p.mean_w for p in found.parts} == {Cause.OPT_OUT: 5e3, Cause.UNEXPLAINED: 0.4}
    assert found.mean_w == pytest.approx(5_000.4)
