"""Prices that a utility sends as events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.series import StepSeries
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.prices.events import EventSource
from gateway.prices.settings import EventSettings
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from support.prices import T0, hours

pytestmark = pytest.mark.row("portfolio:U8")


def event(event_id: str, first: float, last: float, price: float) -> GridEvent:
    window = hours(first, last)
    return GridEvent(
        utility_id="pacific",
        event_id=event_id,
        modification=0,
        program_id="BEV2",
        created_at=T0,
        window=window,
        signals=(Signal(kind=SignalKind.PRICE, series=StepSeries.of([(window, price)])),),
    )


@pytest.fixture
async def ledger() -> AsyncIterator[SqlLedger]:
    database = Database.in_memory()
    yield SqlLedger(database)
    database.close()


async def prices(
    ledger: SqlLedger, *events: GridEvent, opt: Opt = Opt.IN, target: str | None = None
) -> list[tuple[float, float, str]]:
    for one in events:
        decision = OptDecision(
            event_key=one.key, modification=one.modification, opt=opt, cause="prices ask nothing"
        )
        await ledger.put_event(one, decision, T0)
    settings = EventSettings.model_validate(
        {
            "kind": "events",
            "source_id": "bev",
            "utility_id": "pacific",
            "program_id": "BEV2",
            "target": target,
            "currency": "USD",
            "time_zone": "America/Los_Angeles",
        }
    )
    said = await EventSource(settings, ledger).fetch(hours(0, 24))
    assert said is not None
    assert said.whole
    assert said.prices.currency == "USD"
    hour = timedelta(hours=1)
    return [
        ((one.start - T0) / hour, (one.end - T0) / hour, str(one.per_kwh)) for one in said.prices
    ]


async def test_events_follow_each_other(ledger: SqlLedger) -> None:
    found = await prices(ledger, event("a", 1, 2, 0.1), event("b", 3, 4, -0.25))
    assert found == [(1, 2, "0.1"), (3, 4, "-0.25")]


async def test_the_higher_priority_then_the_newer_holds(ledger: SqlLedger) -> None:
    usual = event("usual", 0, 6, 0.1)
    newer = replace(event("newer", 2, 4, 0.2), created_at=T0 + timedelta(hours=1))
    first = replace(event("first", 3, 5, 0.9), priority=1)
    assert await prices(ledger, usual, newer, first) == [
        (0, 2, "0.1"),
        (2, 3, "0.2"),
        (3, 5, "0.9"),
        (5, 6, "0.1"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"cancelled": True},
        {"test": True},
        {"utility_id": "another"},
        {"program_id": "another"},
        {"targets": ("harbor",)},
    ],
    ids=["cancelled", "a test", "of another utility", "of another program", "for others"],
)
async def test_an_event_that_is_not_for_us(ledger: SqlLedger, change: dict[str, object]) -> None:
    other = replace(event("b", 0, 1, 0.5), **change)  # type: ignore[arg-type] # a table of fields
    assert await prices(ledger, event("a", 2, 3, 0.1), other) == [(2, 3, "0.1")]


async def test_events_for_a_group_are_for_those_who_name_it(ledger: SqlLedger) -> None:
    addressed = replace(event("a", 0, 1, 0.5), targets=("harbor",))
    assert await prices(ledger, addressed, target="harbor") == [(0, 1, "0.5")]


async def test_an_event_we_opted_out_of_has_no_price(ledger: SqlLedger) -> None:
    assert await prices(ledger, event("a", 0, 1, 0.5), opt=Opt.OUT) == []


async def test_a_price_without_sense_is_left_out(ledger: SqlLedger) -> None:
    assert await prices(ledger, event("a", 0, 1, 1e9), event("b", 1, 2, 0.1)) == [(1, 2, "0.1")]
