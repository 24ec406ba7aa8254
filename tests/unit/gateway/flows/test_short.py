"""Why a site gave less than it was asked, in the report."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts.site_link.messages import Notice, Severity
from gateway.domain.event import GridEvent
from gateway.flows.report.evidence import Evidence
from gateway.flows.report.exceptions import exceptions

World = Any
"""See conftest."""
Event = Callable[..., GridEvent]
DRAWN_W = {"depot-1": 70_000.0, "depot-2": 92_000.0, "depot-3": 70_000.0}
"""Each is told to keep under some 80 kW of a baseline of 100."""


async def evidence(world: World, event: Event) -> Evidence:
    await world.ready()
    asked = event()
    await world.intake.receive([asked])
    await world.pass_time(40)
    for site_id, drawn_w in DRAWN_W.items():
        world.sites[site_id].power_w = drawn_w
    offline = Notice(
        at=world.clock.now(),
        code="charger-offline",
        subject="N3",
        severity=Severity.ALARM,
        raised=True,
        text="no answer from N3",
    )
    await world.sites["depot-2"].send(offline)
    await world.everyone_reports()
    await world.pass_time(45)
    stored = await world.ledger.event(asked.key)
    found: Evidence = await world.settlement.evidence(stored, world.portfolio.programs[0])
    return found


@pytest.mark.row("mv:M3")
async def test_one_that_drew_more_than_it_was_told_and_what_else_was_told(
    world: World, event: Event
) -> None:
    short = {
        one.site_id: one.text
        for one in exceptions(await evidence(world, event))
        if one.kind == "above-limit"
    }
    assert list(short) == ["depot-2"]
    assert short["depot-2"].startswith("gave 8.0 kW of the ")
    assert short["depot-2"].endswith(
        " kW more than it was told to keep under; charger-offline (N3)"
    )


@pytest.mark.row("mv:M3")
async def test_one_that_kept_to_what_it_was_told_had_less_to_give(
    world: World, event: Event
) -> None:
    """Settled on a baseline that is 22 kW lower than the one it was planned with."""
    found = await evidence(world, event)
    first = found.sites[0]
    lower = tuple(
        replace(one, delivered_w=(one.delivered_w or 0.0) - 22_000.0)
        for one in first.performance.during
    )
    changed = replace(first, performance=replace(first.performance, during=lower))
    kinds = {
        (one.site_id, one.kind): one.text
        for one in exceptions(replace(found, sites=(changed, *found.sites[1:])))
    }
    text = kinds["depot-1", "less-to-give"]
    assert text.startswith("gave 8.0 kW of the ")
    assert text.endswith(": it kept to what it was told, but its baseline is lower than planned")
    assert ("depot-3", "less-to-give") not in kinds


async def test_one_that_left_or_whose_delivery_is_not_known_is_not_called_short(
    world: World, event: Event
) -> None:
    found = await evidence(world, event)
    left = replace(found.stored, opted_out_sites=frozenset({"depot-2"}))
    told = exceptions(replace(found, stored=left))
    assert not [one for one in told if one.kind in ("above-limit", "less-to-give")]
