"""Events settled on revenue meters: nothing of the agents' readings in it, nothing made up."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import nan
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.reading import Quality
from gateway.domain.event import GridEvent
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.metering.interval import MeterInterval
from gateway.domain.metering.issuing import Told
from gateway.domain.program.measuring import MeasuredBy
from gateway.domain.program.performing import Absent, Performance
from gateway.domain.program.rules import Rules
from gateway.flows.replay.desk import ReplayDesk
from gateway.flows.replay.otherwise import Otherwise
from gateway.reports.document import load
from gateway.store.database import Database

World = Any
"""See conftest."""
Event = Callable[..., GridEvent]
QUARTER, MINUTE, DAY = timedelta(minutes=15), timedelta(minutes=1), timedelta(days=1)
SITES = ("depot-1", "depot-2", "depot-3")
USUAL_WH, DURING_WH = 25_000.0, 21_250.0
"""100 kW, and 85 kW where the agents say 80."""
WAIT = timedelta(hours=4)


def told(
    start: datetime, energy_wh: float | None, quality: Quality = Quality.GOOD, **changes: Any
) -> Told:
    one = MeterInterval(
        start=start, length=QUARTER, energy_wh=energy_wh, quality=quality, issued_at=start + QUARTER
    )
    return Told(interval=replace(one, **changes), dated=bool(changes.get("issued_at")))


def quarters(noon: datetime, first: int, last: int, energy_wh: float) -> list[Told]:
    """By their number from noon; the last is not included."""
    return [told(noon + n * QUARTER, energy_wh) for n in range(first, last)]


@pytest.fixture
async def metered(
    make_world: Callable[..., World], world: World, event: Event
) -> AsyncIterator[World]:
    """An event is over and watched; of the meters the past days are known, and nothing of today."""
    database = Database.in_memory()
    rules = Rules(performance=(Performance(missing=Absent.ZERO),))
    program = replace(
        world.program,
        measured_by=MeasuredBy.REVENUE_METER,
        measurement_interval=QUARTER,
        meter_wait=WAIT,
        rules=rules,
    )
    async with make_world(database, program=program).running() as made:
        await past_days(made, event().window.start)
        await made.ready()
        await made.intake.receive([event()])
        await made.pass_time(40)
        for site in made.sites.values():
            site.power_w = 80_000.0
        await made.pass_time(41)
        yield made
    database.close()


async def past_days(world: World, noon: datetime) -> None:
    days = [one for n in range(1, 13) for one in quarters(noon - n * DAY, -8, 12, USUAL_WH)]
    for site_id in SITES:
        assert (await world.meter_desk.deliver(site_id, "grid", days)).stored == len(days)
    await world.reruns.catch_up()


async def today(
    world: World, noon: datetime, sites: Sequence[str] = SITES, during_wh: float = DURING_WH
) -> None:
    rows = quarters(noon, -8, 0, USUAL_WH) + quarters(noon, 0, 2, during_wh)
    for site_id in sites:
        await world.meter_desk.deliver(site_id, "grid", rows + quarters(noon, 2, 4, USUAL_WH))


async def report(world: World, version: int | None = None) -> ParticipationReport:
    data = await world.ledger.report("u1/e1", version)
    assert data is not None
    return load(data)


@pytest.mark.row("mv:M3")
async def test_while_nothing_came_the_report_says_so_and_takes_nothing_from_the_agents(
    metered: World,
) -> None:
    assert await metered.settlement.settle("u1/e1", final=True) == 1
    made = await report(metered)
    assert not made.final
    assert made.measured_by == "intervals of the sites' revenue meters"
    assert made.figures.delivered_mean_w is None
    assert made.figures.coverage == 0.0
    assert made.waits_until == made.header.window.end + WAIT  # type: ignore[operator]
    missing = [(one.site_id, one.part, one.intervals) for one in made.data]
    assert missing == [
        (site_id, part, 2 if part != "the time after it" else 1)
        for site_id in SITES
        for part in ("the event", "the time after it", "what the baseline is adjusted by")
    ]
    assert {(one.what, one.reason) for one in made.data} == {("missing", "nothing was delivered")}


async def test_all_loads_are_the_meters_and_the_report_is_final_once_they_are_complete(
    metered: World, event: Event
) -> None:
    noon = event().window.start
    await metered.settlement.settle("u1/e1", final=False)
    await metered.clock.advance(7200)
    await today(metered, noon, SITES[:2])
    assert await metered.reruns.catch_up() == ["u1/e1"]
    partly = await report(metered)
    assert (partly.version, partly.final) == (2, False)
    assert {one.site_id for one in partly.data} == {"depot-3"}
    assert partly.figures.delivered_mean_w == pytest.approx(30_000)
    await today(metered, noon, SITES[2:])
    await metered.reruns.catch_up()
    whole = await report(metered)
    assert (whole.version, whole.final, whole.data) == (3, True, ())
    assert whole.figures.delivered_mean_w == pytest.approx(45_000)
    assert whole.figures.reduced_wh == pytest.approx(22_500)
    assert whole.curves.actual.mean(whole.header.window) == pytest.approx(255_000)
    assert [one.history_label for one in whole.sites] == [None] * 3
    assert ("portfolio", "delivered, mean") in {(c.where, c.what) for c in whole.changes}
    assert await metered.reruns.catch_up() == ()
    assert await metered.meters.unsettled() == []


async def test_a_delivery_that_says_nothing_new_makes_no_version(
    metered: World, event: Event
) -> None:
    noon = event().window.start
    await today(metered, noon)
    await metered.settlement.settle("u1/e1", final=False)
    await metered.reruns.catch_up()
    versions = (await report(metered)).version
    await today(metered, noon)
    assert await metered.reruns.catch_up() == ()
    # another day, long before what is looked at
    old = quarters(noon - 14 * DAY, 0, 1, 1.0)
    await metered.meter_desk.deliver("depot-1", "grid", old)
    assert await metered.reruns.catch_up() == ["u1/e1"]
    assert (await report(metered)).version == versions


@pytest.mark.row("mv:M4")
async def test_a_correction_makes_a_new_version_and_the_old_one_can_be_made_again(
    metered: World, event: Event
) -> None:
    noon = event().window.start
    await metered.clock.advance(7200)
    await today(metered, noon)
    await metered.settlement.settle("u1/e1", final=True)
    await metered.reruns.catch_up()
    first = await report(metered)
    assert (first.version, first.final, first.changes) == (1, True, ())
    await metered.clock.advance(5_400)
    fixed = told(noon, 20_000.0, issued_at=metered.clock.now())
    await metered.meter_desk.deliver("depot-2", "grid", [fixed])
    assert await metered.reruns.catch_up() == ["u1/e1"]
    second = await report(metered)
    assert (second.version, second.final) == (2, True)
    changes = {(c.where, c.what): (c.before, c.after) for c in second.changes}
    assert changes["depot-2", "meter data"] == ("nothing to remark", "1 corrected")
    before, after = changes["depot-2", "delivered, mean"]
    assert before == pytest.approx(15_000)
    assert after == pytest.approx(17_500)
    assert ("depot-1", "delivered, mean") not in changes
    assert await report(metered, 1) == first
    stored = await metered.ledger.event("u1/e1")
    evidence = await metered.settlement.evidence(stored, metered.program, first.created_at)
    again = {one.site.site_id: one for one in evidence.sites}
    for one in first.sites:
        assert again[one.site_id].baseline.inputs_hash == one.inputs_hash
        assert again[one.site_id].performance.delivered_mean_w == one.delivered_mean_w


async def test_when_the_wait_is_over_the_programs_rule_for_missing_data_holds(
    metered: World, event: Event
) -> None:
    await today(metered, event().window.start, SITES[:2])
    await metered.lifecycle.tick()
    await metered.clock.advance(5_400)
    await metered.lifecycle.tick()
    assert not (await report(metered)).final
    await metered.clock.advance(4 * 3600)
    await metered.lifecycle.tick()
    made = await report(metered)
    assert (made.final, made.waits_until) == (True, None)
    assert "counts as nothing delivered" in made.missing_rule
    sites = {one.site_id: one for one in made.sites}
    assert sites["depot-3"].performance_pct == 0.0
    assert sites["depot-1"].performance_pct == pytest.approx(75, abs=0.1)
    versions = made.version
    await metered.lifecycle.tick()
    assert (await report(metered)).version == versions


@pytest.mark.parametrize(
    ("energy_wh", "quality", "what", "reason"),
    [
        (nan, Quality.GOOD, "not valid", "not a number"),
        (-5_000.0, Quality.GOOD, "not valid", "negative on a register of import"),
        (None, Quality.GOOD, "not valid", "no value"),
        (DURING_WH, Quality.INVALID, "not valid", "its source says so"),
        (DURING_WH, Quality.ESTIMATED, "estimated", "its source says so"),
        (260_000.0, Quality.GOOD, "noteworthy", "a jump: before at most 25000 Wh"),
    ],
)
@pytest.mark.row("mv:M1")
async def test_what_is_wrong_with_the_data_of_an_event_stands_in_its_report(
    metered: World,
    event: Event,
    energy_wh: float | None,
    quality: Quality,
    what: str,
    reason: str,
) -> None:
    noon = event().window.start
    await today(metered, noon, SITES[:2])
    rows = quarters(noon, -8, 1, USUAL_WH) + quarters(noon, 2, 4, USUAL_WH)
    await metered.meter_desk.deliver("depot-3", "grid", rows)
    await metered.meter_desk.deliver("depot-3", "grid", [told(noon + QUARTER, energy_wh, quality)])
    await metered.settlement.settle("u1/e1", final=False)
    made = await report(metered)
    (remark,) = made.data
    assert (remark.site_id, remark.meter, remark.part) == ("depot-3", "grid", "the event")
    assert (remark.what, remark.reason, remark.intervals) == (what, reason, 1)
    assert (made.waits_until is None) == (what != "not valid")
    site = made.sites[2]
    assert site.coverage == (0.5 if what == "not valid" else 1.0)


async def test_kwh_told_as_wh_and_a_wrong_clock_stand_in_the_report(
    metered: World, event: Event
) -> None:
    noon = event().window.start
    await today(metered, noon, SITES[:2])
    small = [told(noon + n * QUARTER, 25.0) for n in range(-8, 3)]
    done = await metered.meter_desk.deliver("depot-3", "grid", small)
    assert (done.stored, done.flagged) == (11, 11)
    ahead = told(noon + 40 * QUARTER, USUAL_WH)
    refused = await metered.meter_desk.deliver("depot-1", "grid", [ahead])
    assert "a wrong clock" in refused.refused[0].reason
    await metered.settlement.settle("u1/e1", final=False)
    made = await report(metered)
    assert {(one.site_id, one.what) for one in made.data} == {("depot-3", "not valid")}
    assert all("a wrong unit" in one.reason for one in made.data)
    journal = [entry.cause for entry in await metered.ledger.journal("depot-1")]
    assert any("a wrong clock" in cause for cause in journal)


async def test_a_past_day_without_data_is_rejected_and_told(metered: World, event: Event) -> None:
    noon = event().window.start
    await today(metered, noon)
    lost = noon - 3 * DAY
    gone = [told(lost + n * QUARTER, None, issued_at=metered.clock.now()) for n in range(-8, 12)]
    await metered.meter_desk.deliver("depot-1", "grid", gone)
    await metered.settlement.settle("u1/e1", final=False)
    made = await report(metered)
    days = {one.day: one for one in made.sites[0].days}
    assert days[lost.date()].reason == "no data"
    assert {(one.site_id, one.part) for one in made.data} == {
        ("depot-1", f"baseline day {lost.date()}, not used")
    }
    assert made.waits_until is not None


async def test_an_event_can_be_measured_again_as_it_was_known_or_on_the_other_loads(
    metered: World, event: Event
) -> None:
    noon = event().window.start
    await metered.clock.advance(7200)
    await today(metered, noon)
    then = metered.clock.now()
    await metered.clock.advance(3600)
    fixed = told(noon, 20_000.0, issued_at=metered.clock.now())
    await metered.meter_desk.deliver("depot-2", "grid", [fixed])
    desk = ReplayDesk(metered.portfolio, metered.ledger, metered.settlement, metered.clock)
    before = await desk.event("u1/e1", Otherwise(known_at=then))
    assert before.before.figures.delivered_mean_w == pytest.approx(47_500)
    assert before.after.figures.delivered_mean_w == pytest.approx(45_000)
    agents = await desk.event("u1/e1", Otherwise(loads=MeasuredBy.SITE_AGENT))
    assert agents.after.figures.delivered_mean_w == pytest.approx(58_000)
    assert "measured by" in {one.what for one in agents.changes}
    with pytest.raises(PermanentError, match="measure by revenue_meter"):
        await desk.event("u1/e1", Otherwise(known_at=then, loads=MeasuredBy.SITE_AGENT))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1, 2, 0)])
async def test_the_order_of_deliveries_and_repeats_change_no_figure(
    metered: World, event: Event, order: Sequence[int]
) -> None:
    noon = event().window.start
    await today(metered, noon, SITES[:2])
    late = metered.clock.now()
    parts = [
        quarters(noon, -8, 0, USUAL_WH),
        quarters(noon, 0, 3, DURING_WH),
        [told(noon, 24_000.0, issued_at=late), told(noon + QUARTER, nan, issued_at=late)],
        [told(noon + QUARTER, 20_000.0, issued_at=late + MINUTE)],
    ]
    dated = [[replace(one, dated=True) if not one.dated else one for one in part] for part in parts]
    for number in order:
        await metered.meter_desk.deliver("depot-3", "grid", dated[number])
        await metered.reruns.catch_up()
    await metered.settlement.settle("u1/e1", final=False)
    made = await report(metered)
    assert made.sites[2].delivered_mean_w == pytest.approx((4_000 + 20_000) / 2)
    assert {one.what for one in made.data} <= {"corrected"}
    assert made.waits_until is None
