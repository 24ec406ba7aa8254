"""What was offered and nominated is kept, and only ever added to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.time import Interval
from gateway.domain.nomination.history import HOUR, Offered
from gateway.domain.nomination.nomination import Decision, Status, decided
from gateway.ports import NominationBook
from gateway.store.database import Database
from gateway.store.nominations import SqlNominations
from support.gateway_store import T0
from support.nominations import NOW, nomination

H0 = T0.replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def book(database: Database) -> NominationBook:
    return SqlNominations(database)


def offered(site_id: str = "depot-1", hour: int = 0, down_w: float = 40_000.0) -> Offered:
    return Offered(
        site_id=site_id,
        start=H0 + hour * HOUR,
        down_w=down_w,
        sure_w=30_000.0,
        expected_w=-12_000.5,
        out="" if down_w else "it is offline",
    )


@pytest.mark.row("portfolio:A3")
async def test_hours_are_found_again_and_the_first_word_stands(book: NominationBook) -> None:
    await book.record([])
    await book.record([offered("depot-2"), offered(), offered(hour=1, down_w=0.0)])
    await book.record([offered(down_w=99.0), offered(hour=2)])
    assert await book.offered([H0 + HOUR, H0]) == [
        offered(),
        offered("depot-2"),
        offered(hour=1, down_w=0.0),
    ]
    assert await book.offered([]) == []
    many = [H0 + n * HOUR for n in range(2000)]
    assert len(await book.offered(many)) == 4
    assert await book.forget(H0 + HOUR) == 2
    assert [one.start for one in await book.offered(many)] == [H0 + HOUR, H0 + 2 * HOUR]


async def test_a_nomination_is_as_it_was_added_and_there_once(book: NominationBook) -> None:
    one = nomination()
    assert await book.add(one, "key")
    assert not await book.add(replace(one, revision=7))
    assert not await book.add(replace(one, nomination_id="another"), "key")
    assert await book.nomination(one.nomination_id) == one
    assert await book.requested("key") == one
    assert await book.nomination("another") is None
    assert await book.requested("other") is None


async def test_steps_are_added_to_all_or_none(book: NominationBook) -> None:
    first, second = nomination(), nomination(nomination_id="2026-07-r2", revision=2)
    await book.add(first)
    await book.add(second)
    out = Decision(at=NOW, status=Status.SUPERSEDED, by="Ann", cause="a newer revision")
    accepted = Decision(at=NOW, status=Status.ACCEPTED, by="Ann", cause="fits")
    await book.decide([(first.nomination_id, out), (second.nomination_id, accepted)])
    assert await book.nomination(first.nomination_id) == decided(first, out)
    assert await book.nomination(second.nomination_id) == decided(second, accepted)


async def test_they_are_found_by_program_and_window(book: NominationBook) -> None:
    july = nomination()
    again = nomination(nomination_id="2026-07-r2", revision=2)
    august = Interval.lasting(july.period.end or NOW, timedelta(days=31))
    later = nomination(nomination_id="2026-08-r1", period=august, label="2026-08")
    other = nomination(nomination_id="other", program_id="bip")
    for one in (july, again, later, other):
        await book.add(one)
    assert await book.nominations() == [later, other, again, july]
    assert await book.nominations("cbp") == [later, again, july]
    assert await book.nominations("cbp", august) == [later]
    assert await book.nominations("cbp", Interval.lasting(NOW, HOUR)) == []
    assert await book.nominations("cbp", Interval(start=NOW, end=None)) == [later, again, july]
    assert await book.nominations("none") == []


async def test_a_restart_finds_it(place: Path | str) -> None:
    first = Database.open(place)
    await SqlNominations(first).add(nomination(status=Status.ACCEPTED))
    await SqlNominations(first).record([offered()])
    again = Database.open(place)  # no close: as after kill -9
    assert await SqlNominations(again).nominations() == [nomination(status=Status.ACCEPTED)]
    assert await SqlNominations(again).offered([H0]) == [offered()]
    again.close()
    first.close()
