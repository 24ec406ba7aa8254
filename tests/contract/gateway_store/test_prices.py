"""What price sources have said is there after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.price.timeline import Quality
from gateway.store.database import Database
from gateway.store.prices import SqlPrices
from support.prices import step, timeline


async def test_prices_come_back_exactly_as_they_went_in(database: Database) -> None:
    prices = SqlPrices(database)
    said = timeline(step(0, 1, "0.05437"), step(1, 2, "-0.0123", quality=Quality.CARRIED_OVER))
    assert await prices.load() == {}
    await prices.save("nl", said)
    await prices.save("caiso", timeline(area="TH_NP15", currency="USD"))
    assert await prices.load() == {
        "nl": said,
        "caiso": timeline(area="TH_NP15", currency="USD"),
    }


async def test_a_source_has_one_row_the_newest(database: Database) -> None:
    prices = SqlPrices(database)
    await prices.save("nl", timeline(step(0, 1, "0.1")))
    await prices.save("nl", timeline(step(0, 1, "0.2")))
    assert await prices.load() == {"nl": timeline(step(0, 1, "0.2"))}


@pytest.mark.row("portfolio:U8")
async def test_prices_are_there_after_a_restart(place: Path | str) -> None:
    first = Database.open(place)
    await SqlPrices(first).save("nl", timeline(step(0, 1, "0.1")))
    again = Database.open(place)  # without a close: as after kill -9
    assert await SqlPrices(again).load() == {"nl": timeline(step(0, 1, "0.1"))}
    again.close()
    first.close()
