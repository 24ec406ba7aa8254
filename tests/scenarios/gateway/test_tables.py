"""Decision tables of the gateway's domain: each case of the YAML files beside this one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from _pytest.mark import ParameterSet

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.dispatch import plan
from gateway.domain.event import GridEvent, Opt
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.measure.baseline import BaselineInputs, run_baseline
from gateway.domain.program import Adjustment, BaselineMethod, DayType
from gateway.domain.timeline import Claim
from support.timelines import held_by, one_at_a_time

Case = dict[str, Any]

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
HOUR = Interval.lasting(NOON, timedelta(hours=1))
BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)


def cases(table: str) -> list[ParameterSet]:
    text = (Path(__file__).parent / f"{table}.yaml").read_text(encoding="utf-8")
    return [pytest.param(case, id=case["name"]) for case in yaml.safe_load(text)]


def grid_event(name: str, window: Interval, **fields: Any) -> GridEvent:
    base: dict[str, Any] = {"modification": 0, "program_id": "p", "created_at": NOON, "signals": ()}
    return GridEvent(utility_id="u", event_id=name, window=window, **{**base, **fields})


@pytest.mark.parametrize("case", cases("dispatch"))
def test_dispatch(case: Case) -> None:
    sites = [offer(name, *row) for name, row in case["sites"].items()]
    made = plan(
        grid_event("e", HOUR),
        StepSeries.of([(HOUR, case["target"] * 1e3)]),
        sites,
        created_at=NOON,
        revision=1,
        reason="table",
    )
    found = {a.site_id: (a.reduction.mean(HOUR) or 0.0) / 1e3 for a in made.allocations}
    found["short"] = (made.shortfall.mean(HOUR) or 0.0) / 1e3
    assert found == pytest.approx(case["expect"])
    for allocation in made.allocations:
        words = case.get("words", {}).get(allocation.site_id, "")
        assert allocation.cause.startswith(words)
        if allocation.site_id in case.get("limit", {}):
            limit_kw = case["limit"][allocation.site_id]
            assert allocation.limit.mean(HOUR) == pytest.approx(limit_kw * 1e3)


def offer(
    name: str,
    baseline_kw: float | None,
    down_kw: float,
    floor_kw: float | None = None,
    off: str = "",
) -> SiteFlexibility:
    known = [] if baseline_kw is None else [(HOUR, baseline_kw * 1e3)]
    return SiteFlexibility(
        site_id=name,
        baseline=StepSeries.of(known),
        down_w=down_kw * 1e3,
        as_of=NOON,
        available=not off,
        reason=off.removeprefix("off: "),
        floor_w=None if floor_kw is None else floor_kw * 1e3,
    )


@pytest.mark.parametrize("case", cases("timeline"))
def test_timeline(case: Case) -> None:
    entries = one_at_a_time(claim(name, *row) for name, row in case["events"].items())
    for site, minutes in case["expect"].items():
        for minute, name in minutes.items():
            found = held_by(entries, site, NOON + timedelta(minutes=minute))
            assert (found.event_id if found else None) == name, f"{site} at minute {minute}"


def claim(
    name: str, start: int, end: int | None, priority: int, age: int, sites: str, state: str = ""
) -> Claim:
    window = Interval(
        start=NOON + timedelta(minutes=start),
        end=None if end is None else NOON + timedelta(minutes=end),
    )
    event = grid_event(
        name,
        window,
        priority=priority,
        created_at=NOON - timedelta(minutes=age),
        cancelled=state == "cancelled",
    )
    opt = Opt.OUT if state == "optOut" else Opt.IN
    return Claim(event=event, opt=opt, sites=frozenset(sites))


@pytest.mark.parametrize("case", cases("baseline"))
def test_baseline(case: Case) -> None:
    day, event = NOON.date(), Interval(start=wall(0, 14), end=wall(0, 16))
    run = run_baseline(
        BaselineInputs(
            method=baseline_method(**case["method"]),
            zone=BERLIN,
            event=event,
            span=event,
            resolution=QUARTER,
            history=past_loads(case["loads"], case.get("today")),
            other_events=tuple(
                Interval(start=wall(back, 9), end=wall(back, 10)) for back in case.get("events", ())
            ),
            holidays=frozenset(day - timedelta(back) for back in case.get("holidays", ())),
        )
    )
    expect = case["expect"]
    assert [(day - used).days for used in run.days_used] == expect["used"]
    mean_w = run.series.mean(event)
    assert (mean_w is None) == (expect["kw"] is None)
    assert mean_w is None or mean_w == pytest.approx(expect["kw"] * 1e3)
    if "reasons" in expect:
        found = {(day - d.day).days: d.reason for d in run.days_rejected}
        assert found == expect["reasons"]
    if "ratio" in expect:
        assert run.adjustment.value == pytest.approx(expect["ratio"])
        assert run.adjustment.capped is expect.get("capped", False)


def baseline_method(
    *, adjustment: str, day_type: str = "same", look_back_days: int = 14, **numbers: int
) -> BaselineMethod:
    return BaselineMethod(
        adjustment=Adjustment(adjustment),
        day_type=DayType(day_type),
        look_back=timedelta(days=look_back_days),
        **numbers,  # type: ignore[arg-type]  # from the table
    )


def past_loads(loads: list[Any], today: float | None) -> StepSeries:
    steps: list[tuple[Interval, float]] = []
    for back, load in enumerate(loads, start=1):
        if load == "half":
            steps.append((Interval(start=wall(back, 14), end=wall(back, 15)), 5e3))
        elif load is not None:
            steps.append((Interval(start=wall(back, 0), end=wall(back - 1, 0)), load * 1e3))
    if today is not None:
        steps.append((Interval(start=wall(0, 0), end=wall(0, 13)), today * 1e3))
    return StepSeries.of(steps)


def wall(days_back: int, hour: float) -> datetime:
    """Berlin wall time, so many days before the event."""
    day: date = NOON.date() - timedelta(days=days_back)
    at = datetime(day.year, day.month, day.day, tzinfo=BERLIN) + timedelta(hours=hour)
    return at.astimezone(UTC)
