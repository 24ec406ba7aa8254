"""The office's event of 2013-09-23, 14-16 h: every method beside a second implementation."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.series import StepSeries
from gateway.domain.measure.baseline import BaselineInputs, BaselineRun, run_baseline
from gateway.domain.measure.baseline_run import Control
from gateway.domain.measure.performance import measure
from gateway.domain.measure.presets import PRESETS, preset
from gateway.domain.program.measuring import Point
from gateway.domain.program.method import BaselineKind
from support.office import EVENT, HOLIDAYS, QUARTER, ZONE, series
from support.plain_baselines import Case, Loads, Rule, answer, office

DAY, FIRST, LAST = date(2013, 9, 23), 56, 64
LEVEL_KW = 6.5
AHEAD = (16, 4)
"""Four hours to one hour before the event, in quarters."""
RULES = {
    "10-in-10-type": Rule(before=AHEAD, adjust="ratio", low=0.8, high=1.2),
    "10-in-10-unadjusted-type": Rule(),
    "5-in-10-type": Rule(x=5, before=(16, 8), after=(8, 16), adjust="ratio", low=1 / 1.4, high=1.4),
    "3-plus-2-type": Rule(of="own", before=AHEAD, after=(4, 12)),
    "match-day-type": Rule(of="alike", x=3, y=45),
    "high-4-of-5-additive-type": Rule(x=4, y=5, before=AHEAD, adjust="additive"),
    "high-5-of-10-type": Rule(x=5),
    "high-5-of-10-adjusted-type": Rule(x=5, before=(16, 8), adjust="ratio", low=0.8, high=1.2),
    "high-5-of-10-additive-type": Rule(x=5, before=AHEAD, adjust="additive"),
    "high-3-of-10-type": Rule(x=3),
    "middle-8-of-10-type": Rule(x=8, rank="middle", before=(12, 0), adjust="additive"),
    "nearest-20-type": Rule(x=20, y=20, rank="newest"),
    "weighted-10-of-10-type": Rule(weights=[10.0 - n for n in range(10)]),
    "meter-before-type": Rule(of="own", before=(4, 0)),
    "meter-before-meter-after-type": Rule(of="own", before=(1, 0)),
    "10-weekdays-notification-type": Rule(
        rank="newest", days="business", before=(1, 0), adjust="additive"
    ),
    "10-of-10-business-type": Rule(
        days="business", before=AHEAD, adjust="ratio", low=0.8, high=1.2
    ),
    "10-of-10-all-days-type": Rule(days="any", before=AHEAD, adjust="ratio", low=0.8, high=1.2),
    "evse-10-in-10-type": Rule(),
    "generator-output-type": Rule(of="nothing"),
    "battery-usual-output-type": Rule(rank="newest"),
    "firm-level-type": Rule(of="level", level=LEVEL_KW),
    "flat-type": Rule(of="level", level=LEVEL_KW),
}


def inputs(name: str, loads: Loads, **changes: object) -> BaselineInputs:
    method = preset(name).method
    if preset(name).needs == "level_w":
        method = replace(method, level_w=1000 * LEVEL_KW)
    base = BaselineInputs(
        method=method,
        zone=ZONE,
        event=EVENT,
        span=EVENT,
        resolution=QUARTER,
        history=series(loads),
        holidays=HOLIDAYS,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test's shorthand


def kw(run: BaselineRun) -> list[float]:
    return [step.value / 1000 for step in run.series]


@pytest.mark.row("mv:M2")
@pytest.mark.parametrize("name", RULES)
def test_the_second_implementation_says_the_same(name: str) -> None:
    loads = office()
    run = run_baseline(inputs(name, loads))
    plain = answer(RULES[name], Case(loads, DAY, FIRST, LAST, holidays=HOLIDAYS))
    assert len(plain.values) == LAST - FIRST
    assert kw(run) == pytest.approx(plain.values, rel=1e-9, abs=1e-9)
    assert list(run.days_used) == plain.used
    assert (run.adjustment.value is None) == (plain.moved is None)
    if plain.moved is not None and run.adjustment.value is not None:
        scale = 1 if RULES[name].adjust == "ratio" else 1000
        assert run.adjustment.value / scale == pytest.approx(plain.moved, rel=1e-9, abs=1e-9)
    assert not run.gaps
    assert not run.thin


def test_every_preset_is_checked_here() -> None:
    others = {"control-group-type"}  # needs other sites: below
    assert set(RULES) | others == set(PRESETS)


def test_a_control_group_is_the_mean_of_its_sites_scaled_before_the_event() -> None:
    loads = office()
    factors = (0.5, 0.9, 1.4, 1.0)
    groups = [
        {(day, q): load * factor + q / 50 for (day, q), load in loads.items()} for factor in factors
    ]
    controls = tuple(
        Control(name=f"site-{n}", load=series(group), events=(EVENT,) if n == 3 else ())
        for n, group in enumerate(groups)
    )
    run = run_baseline(inputs("control-group-type", loads, controls=controls))
    assert [one.reason for one in run.controls] == ["", "", "", "it took part in an event"]
    means = {q: sum(group[DAY, q] for group in groups[:3]) / 3 for q in range(FIRST - 16, LAST)}
    before = range(FIRST - 16, FIRST - 4)
    scale = sum(loads[DAY, q] for q in before) / sum(means[q] for q in before)
    assert kw(run) == pytest.approx([scale * means[q] for q in range(FIRST, LAST)], rel=1e-9)
    too_few = run_baseline(inputs("control-group-type", loads, controls=controls[:2]))
    assert too_few.problem == "2 usable sites in the control group, at least 3 needed"
    assert len(too_few.gaps) == LAST - FIRST


def test_days_without_data_are_named_and_never_used() -> None:
    run = run_baseline(inputs("10-in-10-type", office()))
    reasons = {day.day.isoformat(): day.reason for day in run.days}
    assert reasons["2013-09-13"] == "no data"
    assert reasons["2013-09-22"] == "other type of day"
    assert [day.isoformat() for day in run.days_used][:4] == [
        "2013-09-20",
        "2013-09-19",
        "2013-09-18",
        "2013-09-17",
    ]


def test_a_gap_on_a_day_that_is_used_makes_the_mean_thin_and_is_told() -> None:
    loads = office()
    del loads[date(2013, 9, 20), FIRST + 2]
    strict = run_baseline(inputs("10-in-10-unadjusted-type", loads))
    rejected = {day.day: day.reason for day in strict.days_rejected}
    assert rejected[date(2013, 9, 20)] == "data for only 88 % of the event's hours"
    method = replace(preset("10-in-10-unadjusted-type").method, min_coverage=0.85)
    run = run_baseline(inputs("10-in-10-unadjusted-type", loads, method=method))
    assert date(2013, 9, 20) in run.days_used
    assert [one.start for one in run.thin] == [EVENT.start + 2 * QUARTER]
    others = [loads[day, FIRST + 2] for day in run.days_used if day != date(2013, 9, 20)]
    assert kw(run)[2] == pytest.approx(sum(others) / 9, rel=1e-9)


def test_a_quarter_that_no_day_knows_stays_a_gap() -> None:
    loads = {key: load for key, load in office().items() if key[1] != FIRST + 2}
    method = replace(preset("10-in-10-unadjusted-type").method, min_coverage=0.85)
    run = run_baseline(inputs("10-in-10-unadjusted-type", loads, method=method))
    assert [one.start for one in run.gaps] == [EVENT.start + 2 * QUARTER]
    assert len(run.series) == LAST - FIRST - 1


def test_hours_of_the_own_day_that_were_not_measured_leave_no_baseline() -> None:
    loads = office()
    for quarter in (FIRST - 16, FIRST - 15, FIRST - 14):
        del loads[DAY, quarter]
    run = run_baseline(inputs("3-plus-2-type", loads))
    assert run.problem == "data for only 85 % of the hours that stand for the event's"
    assert not answer(RULES["3-plus-2-type"], Case(loads, DAY, FIRST, LAST)).values
    adjusted = run_baseline(inputs("10-in-10-type", loads))
    assert adjusted.adjustment.reason == "data for only 75 % of the adjustment window"


def test_the_choice_of_method_turns_one_event_from_loss_to_gain() -> None:
    """Delivery, kW, by method: why the report names it."""
    loads = office()
    delivered = {
        name: measure(
            event=EVENT,
            resolution=QUARTER,
            observe_after=QUARTER,
            baseline=run_baseline(inputs(name, loads)).series,
            actual=series(loads),
            asked=StepSeries(),
        ).delivered_mean_w
        for name in RULES
        if PRESETS[name].point is Point.SITE and RULES[name].of in ("days", "own", "alike")
    }
    known = {name: watts / 1000 for name, watts in delivered.items() if watts is not None}
    assert len(known) == len(delivered)
    lowest, highest = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    assert (lowest, round(known[lowest], 1)) == ("3-plus-2-type", -2.6)
    assert (highest, round(known[highest], 1)) == ("high-3-of-10-type", 4.6)


def test_a_method_that_nothing_is_computed_for_says_so() -> None:
    method = replace(preset("10-in-10-type").method, kind=BaselineKind.ASSIGNED)
    run = run_baseline(inputs("10-in-10-type", office(), method=method))
    assert run.problem == "the method is assigned: nothing is computed from the site's load"
    level = inputs("firm-level-type", office(), method=preset("firm-level-type").method)
    assert run_baseline(level).problem == "the method needs a level: give level_w"
