from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.site_link.messages import (
    InstructionState,
    Notice,
    Severity,
    VehicleReadiness,
)
from gateway.domain.event import GridEvent
from gateway.domain.measure.shortfall import Cause

World = Any
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)


async def run_through(world: World, event: Event, minutes: float = 30) -> None:
    """Some waiting, an event that everybody obeys at once, and ten minutes after."""
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(40)
    for site in world.sites.values():
        site.power_w, site.flex_down_w = 80_000.0, 40_000.0
        await site.send(site.says(InstructionState.STARTED))
    await world.clock.advance(1.5)
    for site in world.sites.values():
        await site.send(site.says(InstructionState.APPLIED))
    await world.everyone_reports()
    await world.pass_time(minutes)


async def after(world: World) -> None:
    for site in world.sites.values():
        site.power_w = 110_000.0
    await world.everyone_reports()
    await world.pass_time(11)


async def test_the_report_of_a_plain_event(world: World, event: Event) -> None:
    await run_through(world, event)
    await after(world)
    assert await world.settlement.settle("u1/e1", final=False) == 1
    report = await world.report()
    head, figures = report.header, report.figures
    assert head.signal == "reduce by 60.0 kW against baseline"
    assert (head.program_name, head.opt, head.simulated) == ("Peak relief", "optIn", True)
    assert head.notified_at == event().window.start - 40 * MINUTE
    assert head.first_response_at == event().window.start
    assert head.all_applied_s == pytest.approx(1.5)
    assert figures.performance_pct == pytest.approx(100, abs=0.2)
    assert figures.delivered_mean_w == pytest.approx(60_000, rel=2e-3)
    assert figures.reduced_wh == pytest.approx(30_000, rel=2e-3)
    assert figures.target_mean_w == pytest.approx(60_000)
    assert figures.nominated_w == 90_000
    assert figures.rebound_w == pytest.approx(30_000, rel=0.02)
    assert figures.coverage == pytest.approx(1.0)
    assert report.estimated_intervals == 0
    assert report.exceptions == ()
    assert (report.version, report.final) == (1, False)
    assert "ratio adjustment" in report.method


async def test_each_site_is_shown_with_its_days_and_curves(world: World, event: Event) -> None:
    await run_through(world, event)
    await after(world)
    await world.settlement.settle("u1/e1", final=False)
    report = await world.report()
    assert [site.site_id for site in report.sites] == ["depot-1", "depot-2", "depot-3"]
    site = report.sites[0]
    assert site.delivered_mean_w == pytest.approx(20_000, rel=2e-3)
    assert sum(day.used for day in site.days) == 10
    assert site.adjustment == pytest.approx(1.0, rel=1e-6)
    assert (site.history_label, len(site.inputs_hash)) == ("synthetic", 64)
    window, span = event().window, site.curves.span
    assert span.start == window.start - 10 * MINUTE
    assert site.curves.baseline.mean(span) == pytest.approx(100_000)
    assert site.curves.target.mean(window) == pytest.approx(80_000)
    assert site.curves.actual.mean(window) == pytest.approx(80_000, rel=2e-3)
    assert report.curves.actual.mean(window) == pytest.approx(240_000, rel=2e-3)
    assert report.curves.target.mean(window) == pytest.approx(240_000)


async def test_exceptions_tell_who_when_and_why(world: World, event: Event) -> None:
    await run_through(world, event, minutes=10)
    one, two = world.sites["depot-1"], world.sites["depot-2"]
    notice = Notice(
        at=world.clock.now(),
        code="charger-offline",
        subject="N3",
        severity=Severity.ALARM,
        raised=True,
        text="no answer from N3",
    )
    cleared = replace(notice, at=notice.at + MINUTE, raised=False)
    old = replace(notice, at=notice.at - 60 * MINUTE, subject="N4")
    old_cleared = replace(old, at=old.at + MINUTE, raised=False)
    hint = replace(notice, severity=Severity.INFO, subject="N5")
    short = VehicleReadiness(
        at=world.clock.now(),
        vehicle_id="van-7",
        evse_id="N1",
        soc_pct=40.0,
        required_wh=9_000.0,
        departure=world.clock.now() + timedelta(hours=2),
        on_track=False,
        reason="leaves 9 kWh short",
    )
    fine = replace(short, vehicle_id="van-8", on_track=True)
    gone = replace(short, vehicle_id="van-9", departure=event().window.start - MINUTE)
    await one.send(notice, cleared, old, old_cleared, hint, short, fine, gone)
    await world.intake.opt_out_site("u1/e1", "depot-3", "vans are needed")
    world.sites["depot-3"].power_w = 100_000.0
    two.vanish()
    await world.pass_time(21, ["depot-1", "depot-3"])
    await after(world)
    await world.settlement.settle("u1/e1", final=False)
    report = await world.report()
    found = {(e.site_id, e.kind, e.subject) for e in report.exceptions}
    lost = {one for one in found if one[1] == "link-lost"}
    assert [site_id for site_id, _, _ in lost] == ["depot-2"]  # it was asked for more when 3 left
    assert found - lost == {
        ("depot-1", "charger-offline", "N3"),
        ("depot-1", "vehicle-short", "van-7"),
        ("depot-1", "short", "depot-1"),  # asked for more when depot-3 left
        ("depot-3", "opt-out", "depot-3"),
        ("depot-2", "short", "depot-2"),  # of what it was never told, and left out then
        ("depot-2", "data-gap", "depot-2"),
    }
    missing = {site.site_id: site.shortfall for site in report.sites}["depot-2"]
    assert missing
    assert missing.parts[0].cause is Cause.LINK_LOST
    assert missing.parts[0].mean_w > 0.9 * missing.mean_w
    sites = {site.site_id: site for site in report.sites}
    assert (sites["depot-1"].vehicles_ready, sites["depot-1"].vehicles_total) == (1, 2)
    assert sites["depot-3"].opted_out
    assert sites["depot-2"].coverage < 0.5
    assert report.estimated_intervals > 0
    assert sites["depot-3"].performance_pct == pytest.approx(100, abs=1)  # while it took part


async def test_the_same_report_is_made_once_and_versions_stay(world: World, event: Event) -> None:
    await run_through(world, event)
    await after(world)
    assert await world.settlement.settle("u1/e1", final=False) == 1
    assert await world.settlement.settle("u1/e1", final=False) == 1
    assert await world.settlement.settle("u1/e1", final=True) == 2
    first, second = await world.ledger.report("u1/e1", 1), await world.ledger.report("u1/e1", 2)
    assert (first["final"], second["final"]) == (False, True)
    assert first["figures"] == second["figures"]
    assert [s["inputs_hash"] for s in first["sites"]] == [s["inputs_hash"] for s in second["sites"]]


async def test_without_a_baseline_delivery_is_unknown_and_said(world: World, event: Event) -> None:
    for site in world.sites.values():
        await site.connect()
    await world.pass_time(20)
    await world.intake.receive([event()])
    await world.pass_time(62)
    await world.settlement.settle("u1/e1", final=False)
    report = await world.report()
    assert report.figures.performance_pct is None
    assert {e.kind for e in report.exceptions} == {"no-baseline"}
    assert not report.header.simulated


async def test_what_cannot_be_settled_is_refused(world: World) -> None:
    with pytest.raises(PermanentError, match="cannot be settled"):
        await world.settlement.settle("u1/nothing", final=False)
