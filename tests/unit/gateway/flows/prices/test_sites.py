"""Prices to sites: sent when they are other ones, again when they did not arrive, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.site_link.messages import Batch, FlexibilityOffer, NumberedRow, OfferedSlot
from gateway.domain.price.answer import Basis
from gateway.domain.price.markup import Markup
from gateway.flows.prices.desk import expected_w
from gateway.store.telemetry import SqlTelemetry
from support.price_bench import HOUR, MORNING, Bench

pytestmark = pytest.mark.row("portfolio:A13")


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(bench.watch.run()), group.create_task(bench.prices.run())]
        await bench.clock.advance(1)
        yield
        for task in tasks:
            task.cancel()


async def test_a_site_is_sent_what_it_pays_and_once() -> None:
    bench = Bench(markup=Markup(adder_per_kwh=Decimal("0.10"), tax_pct=Decimal(21)))
    bench.connect()
    async with running(bench):
        await bench.clock.advance(3600)
        (sent,) = bench.site.taken
        assert {one.per_kwh for one in sent.steps} == {0.242}
        assert (sent.currency, sent.area, len(sent.steps)) == ("EUR", "NL", 24)
        assert sent.expires_at == sent.steps[-1].end
        (entry,) = await bench.ledger.journal("depot-1")
        assert entry.action == "prices stored by the site"


async def test_a_site_that_returns_with_the_same_prices_is_sent_none() -> None:
    bench = Bench()
    bench.connect()
    async with running(bench):
        (sent,) = bench.site.taken
        bench.connect(holds=sent.prices_id)
        await bench.clock.advance(120)
        assert len(bench.site.taken) == 1
        bench.connect(holds="older ones")
        await bench.clock.advance(1)
        assert [one.prices_id for one in bench.site.taken] == [sent.prices_id] * 2


async def test_new_prices_are_sent_at_once() -> None:
    bench = Bench()
    bench.connect()
    async with running(bench):
        bench.sources[0].known_until += timedelta(days=1)
        await bench.clock.advance(3.75 * 3600)
        first, second = bench.site.taken
        assert len(second.steps) == 48
        assert second.issued_at > first.issued_at
        assert second.prices_id != first.prices_id


async def test_what_did_not_arrive_is_sent_again() -> None:
    bench = Bench()
    bench.site.silent = True
    bench.connect()
    async with running(bench):
        assert bench.prices.state("depot-1").holds == ""
        bench.site.silent = False
        await bench.clock.advance(60)
        assert len(bench.site.taken) == 1


async def test_an_agent_that_knows_no_prices_is_sent_none() -> None:
    bench = Bench()
    bench.connect(holds=None)
    async with running(bench):
        await bench.clock.advance(3600)
    assert bench.site.taken == []


async def test_a_refusal_is_kept_and_not_argued_with() -> None:
    bench = Bench()
    bench.site.refuses = "prices in EUR, but the tariff is in SEK"
    bench.connect()
    async with running(bench):
        await bench.clock.advance(3600)
        assert len(bench.site.taken) == 1
        assert bench.prices.state("depot-1").reason == bench.site.refuses
        (entry,) = await bench.ledger.journal("depot-1")
        assert (entry.action, entry.cause) == ("prices refused", bench.site.refuses)


async def test_where_the_market_has_no_price_the_next_source_has() -> None:
    bench = Bench("nl", "tariff")
    market, tariff = bench.sources
    market.known_until = MORNING + 2 * HOUR
    tariff.price = Decimal("0.30")
    async with running(bench):
        prices = bench.prices.timeline("depot-1")
    assert prices is not None
    series = prices.series()
    assert (series.value_at(MORNING), series.value_at(MORNING + 3 * HOUR)) == (0.10, 0.30)
    assert {one.source_id for one in prices} == {"nl", "tariff"}


async def test_without_any_price_what_was_sent_is_withdrawn() -> None:
    bench = Bench()
    bench.sources[0].known_until = MORNING - HOUR * 24
    bench.connect(holds="from yesterday")
    async with running(bench):
        (sent,) = bench.site.taken
        assert sent.steps == ()
        await bench.clock.advance(600)
        assert len(bench.site.taken) == 1


async def test_a_site_that_follows_no_longer_is_told_so() -> None:
    bench = Bench()
    bench.connect(holds="from before", site_id="depot-9")
    async with running(bench):
        (sent,) = bench.site.taken
        assert (sent.site_id, sent.steps) == ("depot-9", ())


async def test_sources_in_two_currencies_send_nothing() -> None:
    bench = Bench("nl", "tariff")
    bench.sources[1].currency = "USD"
    bench.connect()
    async with running(bench):
        await bench.clock.advance(600)
    assert bench.site.taken == []


# --- the answer -----------------------------------------------------------------------------------


async def offered(bench: Bench, prices_id: str, *watts: float) -> None:
    """As agents do: the first slot begins when the offer is made, the others on the hour."""
    slots = tuple(
        OfferedSlot(
            start=max(MORNING + place * HOUR, bench.clock.now()),
            expected_w=power,
            down_w=0,
            down_sure_w=0,
            lasts_s=0,
            up_w=0,
            rebound_w=0,
            rebound_wh=0,
        )
        for place, power in enumerate(watts)
    )
    row = FlexibilityOffer(
        at=bench.clock.now(),
        step_s=3600,
        notice_s=1,
        ramp_w_per_min=1,
        data_age_s=1,
        slots=slots,
        prices_id=prices_id,
    )
    batch = Batch(
        site_id="depot-1",
        epoch="e",
        rows=(NumberedRow(seq=1, row=row),),
        sent_at=bench.clock.now(),
    )
    telemetry = SqlTelemetry(bench.database, max_hold=HOUR)
    await telemetry.ingest(batch, bench.clock.now())


@pytest.mark.parametrize(
    ("known", "basis", "expected"),
    [(True, Basis.THESE, [2000.0, 6000.0]), (False, Basis.OLDER, [])],
)
async def test_the_answer_is_what_sites_expect_with_these_prices(
    known: bool, basis: Basis, expected: list[float]
) -> None:
    bench = Bench()
    bench.connect()
    async with running(bench):
        prices_id = bench.site.taken[0].prices_id if known else "older"
        await offered(bench, prices_id, 2000.0, 6000.0)
        found = await bench.desk.answer()
        assert [one.basis for one in found.sites] == [basis]
        assert [one.value for one in found.expected_w] == expected
        assert found.answering == int(known)
        if known:  # what is left of this hour, and the next one
            assert [one.interval.end for one in found.expected_w] == [
                MORNING + HOUR,
                MORNING + 2 * HOUR,
            ]
        await bench.clock.advance(3601)
        assert [one.basis for one in (await bench.desk.answer()).sites] == [Basis.NONE]


async def test_an_offer_whose_slots_make_no_sense_says_what_it_can() -> None:
    bench = Bench()
    bench.connect()
    async with running(bench):
        await offered(bench, bench.site.taken[0].prices_id, 1000.0, 2000.0)
        offer = await bench.ledger.offer("depot-1")
        assert offer is not None
        first, second = offer.slots
        shuffled = replace(offer, slots=(second, first, second))
        assert [one.value for one in expected_w(shuffled)] == [1000.0, 2000.0]
