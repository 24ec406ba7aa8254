"""What price sources have said is there after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.price.timeline import Quality
from gateway.store.database import Database
from gateway.store.prices import SqlPrices
from support.prices import HOUR, T0, hours, step, timeline


async def test_prices_come_back_exactly_as_they_went_in(database: Database) -> None:
    prices = SqlPrices(database)
    said = timeline(step(0, 1, "0.05437"), step(1, 2, "-0.0123", quality=Quality.CARRIED_OVER))
    assert await prices.load() == {}
    await prices.save("nl", said, T0)
    await prices.save("caiso", timeline(area="TH_NP15", currency="USD"), T0)
    assert await prices.load() == {
        "nl": said,
        "caiso": timeline(area="TH_NP15", currency="USD"),
    }


async def test_a_source_has_one_row_the_newest(database: Database) -> None:
    prices = SqlPrices(database)
    await prices.save("nl", timeline(step(0, 1, "0.1")), T0)
    await prices.save("nl", timeline(step(0, 1, "0.2")), T0)
    assert await prices.load() == {"nl": timeline(step(0, 1, "0.2"))}


@pytest.mark.row("portfolio:U8")
async def test_prices_are_there_after_a_restart(place: Path | str) -> None:
    first = Database.open(place)
    await SqlPrices(first).save("nl", timeline(step(0, 1, "0.1")), T0)
    again = Database.open(place)  # without a close: as after kill -9
    assert await SqlPrices(again).load() == {"nl": timeline(step(0, 1, "0.1"))}
    again.close()
    first.close()


# --- the past -------------------------------------------------------------------------------------


async def test_the_last_word_on_the_past_stays_when_it_is_forgotten(database: Database) -> None:
    prices = SqlPrices(database)
    await prices.save("nl", timeline(step(0, 1, "0.1"), step(1, 2, "0.2"), step(2, 3, "0.3")), T0)
    corrected = step(1, 2, "0.25", as_of=T0 + HOUR)
    await prices.save("nl", timeline(corrected), T0 + HOUR)  # and the third is withdrawn
    assert await prices.history("nl", hours(0, 9)) == [timeline(step(0, 1, "0.1"), corrected)]
    assert await prices.history("nl", hours(0.5, 1)) == [timeline(step(0.5, 1, "0.1"))]
    assert await prices.history("other", hours(0, 9)) == []


async def test_an_area_that_was_followed_before_is_a_timeline_of_its_own(
    database: Database,
) -> None:
    prices = SqlPrices(database)
    await prices.save("nl", timeline(step(0, 1, "0.1")), T0)
    await prices.save("nl", timeline(step(1, 2, "9"), area="SE3", currency="SEK"), T0 + HOUR)
    assert await prices.history("nl", hours(0, 9)) == [
        timeline(step(0, 1, "0.1")),
        timeline(step(1, 2, "9"), area="SE3", currency="SEK"),
    ]
