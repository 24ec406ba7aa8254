"""Why a site gave less than was planned of it, from what the gateway has been told of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import Measurement, Notice, Severity, VehicleReadiness
from gateway.domain.event import GridEvent
from gateway.domain.measure.report import ParticipationReport, SiteResult
from gateway.domain.measure.shortfall import Cause
from gateway.flows.report.build import participation_report
from gateway.flows.report.evidence import Evidence

World = Any
"""See conftest."""
Event = Callable[..., GridEvent]
DRAWN_W = 92_000.0
"""By depot-2, told to keep under 80 kW of a baseline of 100, and it has no more to give."""
MINUTE = timedelta(minutes=1)


async def start(world: World, event: Event) -> None:
    """Up to the event, which all follow at once but depot-2."""
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(40)
    for site_id in ("depot-1", "depot-3"):
        world.sites[site_id].obeys = 1.0
    world.sites["depot-2"].power_w, world.sites["depot-2"].flex_down_w = DRAWN_W, 0.0
    await world.everyone_reports()


async def tell(world: World, site_id: str, **values: float) -> None:
    """A site's points by name, now."""
    names = {name.lower(): getattr(points, name) for name in dir(points) if name.isupper()}
    rows = [
        Measurement(
            at=world.clock.now(),
            point=names.get(name, name.replace("__", "/")),
            value=value,
            quality=Quality.GOOD,
        )
        for name, value in values.items()
    ]
    await world.sites[site_id].send(*rows)


def warned(world: World, code: str, subject: str) -> Notice:
    return Notice(
        at=world.clock.now(),
        code=code,
        subject=subject,
        severity=Severity.ALARM,
        raised=True,
        text=f"{code} at {subject}",
    )


async def over(world: World, minutes: int = 30, **values: float) -> Evidence:
    """The rest of the event, while depot-2 tells this each minute."""
    for _ in range(minutes):
        if values:
            await tell(world, "depot-2", **values)
        await world.pass_time(1)
    await world.pass_time(11)
    stored = await world.ledger.event("u1/e1")
    found: Evidence = await world.settlement.evidence(stored, world.portfolio.programs[0])
    return found


def report_of(world: World, found: Evidence) -> ParticipationReport:
    return participation_report(found, created_at=world.clock.now(), final=False)


def second(report: ParticipationReport) -> SiteResult:
    site = report.sites[1]
    assert site.site_id == "depot-2"
    return site


def causes(site: SiteResult) -> dict[Cause, float]:
    return {part.cause: part.mean_w for part in site.shortfall.parts} if site.shortfall else {}


def told(report: ParticipationReport) -> dict[str, str]:
    return {one.site_id: one.text for one in report.exceptions if one.kind == "short"}


@pytest.mark.row("mv:M3")
async def test_nothing_known_is_unexplained_with_what_else_was_reported(
    world: World, event: Event
) -> None:
    await start(world, event)
    await world.sites["depot-2"].send(warned(world, "charger-offline", "N3"))
    report = report_of(world, await over(world))
    assert list(told(report)) == ["depot-2"]
    assert told(report)["depot-2"].endswith("unexplained; also reported: charger-offline")
    site = second(report)
    assert site.shortfall
    assert list(causes(site)) == [Cause.UNEXPLAINED]
    assert site.shortfall.mean_w == pytest.approx(12_000, rel=0.1)


@pytest.mark.row("mv:M3")
async def test_chargers_that_were_offline_explain_their_share(world: World, event: Event) -> None:
    await start(world, event)
    await world.sites["depot-2"].send(warned(world, "charger-offline", "N3"))
    report = report_of(world, await over(world, chargers_online=3, chargers_total=4))
    site = second(report)
    assert causes(site)[Cause.CHARGER_OFFLINE] == pytest.approx(5_000, rel=0.1)  # of 20 kW
    assert site.shortfall
    part = next(p for p in site.shortfall.parts if p.cause is Cause.CHARGER_OFFLINE)
    assert part.about == ("N3",)
    assert sum(causes(site).values()) == pytest.approx(site.shortfall.mean_w)
    assert "5.0 kW chargers offline" in told(report)["depot-2"]


@pytest.mark.row("mv:M3")
async def test_a_charger_that_does_not_obey_is_measured(world: World, event: Event) -> None:
    await start(world, event)
    await world.sites["depot-2"].send(warned(world, "limit-not-obeyed", "N1"))
    found = await over(world, evse__N1__power_w=11_000, evse__N1__limit_w=4_000)
    assert causes(second(report_of(world, found)))[Cause.NOT_OBEYED] == pytest.approx(7_000)


@pytest.mark.row("mv:M3")
async def test_a_battery_that_ran_empty_lacks_what_it_gave_before(
    world: World, event: Event
) -> None:
    await start(world, event)
    for _ in range(10):
        await tell(world, "depot-2", battery_power_w=-9_000, battery_soc_pct=30)
        await world.pass_time(1)
    found = await over(world, 20, battery_power_w=0, battery_soc_pct=10)
    lost = causes(second(report_of(world, found)))[Cause.BATTERY_EMPTY]
    assert lost == pytest.approx(6_000, rel=0.1)  # 9 kW for two thirds of the event


@pytest.mark.row("mv:M3")
async def test_a_vehicle_that_had_to_be_charged(world: World, event: Event) -> None:
    await start(world, event)
    word = VehicleReadiness(
        at=world.clock.now(),
        vehicle_id="van-7",
        evse_id="N1",
        soc_pct=40.0,
        required_wh=9_000.0,
        departure=world.clock.now() + 45 * MINUTE,
        on_track=True,
    )
    await world.sites["depot-2"].send(word)
    site = second(report_of(world, await over(world, evse__N1__power_w=7_400)))
    assert causes(site)[Cause.VEHICLE_DUE] == pytest.approx(7_400)
    assert site.shortfall
    assert {"van-7"} == {name for part in site.shortfall.parts for name in part.about}


@pytest.mark.row("mv:M3")
async def test_less_load_than_planned_keeps_to_its_limit_and_still_gives_less(
    world: World, event: Event
) -> None:
    """Settled on a baseline that is 12 kW lower than the one it was planned with."""
    await start(world, event)
    world.sites["depot-2"].power_w, world.sites["depot-2"].obeys = 100_000.0, 1.0
    world.sites["depot-2"].flex_down_w = 60_000.0
    found = await over(world)
    first = found.sites[1]
    lower = tuple(
        replace(one, baseline_w=88_000.0, delivered_w=8_000.0) for one in first.performance.during
    )
    changed = replace(first, performance=replace(first.performance, during=lower))
    report = report_of(world, replace(found, sites=(found.sites[0], changed, found.sites[2])))
    known = causes(second(report))
    assert known[Cause.FORECAST] == pytest.approx(12_000, rel=0.05)
    assert "less load there than planned" in told(report)["depot-2"]


@pytest.mark.row("mv:M3")
async def test_who_left_is_told_by_cause_and_the_rest_made_up_for_it(
    world: World, event: Event
) -> None:
    await start(world, event)
    world.sites["depot-2"].power_w = 100_000.0
    await world.intake.opt_out_site("u1/e1", "depot-2", "vans are needed")
    report = report_of(world, await over(world))
    site = second(report)
    assert causes(site)[Cause.OPT_OUT] == pytest.approx(20_000, rel=0.05)
    assert told(report) == {}  # its opt-out is told already
    whole = report.figures.shortfall
    assert whole is None or whole.mean_w < 3_000


@pytest.mark.row("mv:M3")
async def test_what_was_still_there_and_how_fast_it_came(world: World, event: Event) -> None:
    await start(world, event)
    report = report_of(world, await over(world))
    first, second_one, figures = report.sites[0], report.sites[1], report.figures
    assert first.delivered_mean_w is not None
    assert first.availability.still_w == pytest.approx(60_000 - first.delivered_mean_w, rel=0.02)
    assert first.availability.there_share == 1.0  # of the 30 kW promised
    assert (second_one.availability.still_w, second_one.availability.there_share) == (0.0, 0.0)
    assert figures.availability.there_share == 1.0  # the others hold more than enough
    assert figures.availability.known_share == 1.0
    assert first.response.first_s == first.response.full_s
    assert (first.rebound_wh, figures.rebound_wh) == (0.0, 0.0)
