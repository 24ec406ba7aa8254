"""One suite for the decision journal: SQLite on a file, and the in-memory twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from site_agent.domain.journal import Entry, Kind
from site_agent.domain.why.answer import Answer, Step, Subject
from site_agent.ports import JournalStore
from site_agent.store.journal import OTHERS_KEPT, SETPOINTS_KEPT, MemoryJournal, SqliteJournal
from site_agent.store.sqlite import open_store
from support.site import NOON

FEW = 5
"""As many as the small journals of these tests hold."""


@pytest.fixture(params=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalStore]:
    if request.param == "memory":
        yield MemoryJournal(most=FEW)
        return
    store = open_store(tmp_path / "site.db", NOON)
    yield SqliteJournal(store.database, most=FEW)
    store.close()


def entry(
    minute: float, subject: str = "a", kind: Kind = Kind.SETPOINT, *, answered: bool = True
) -> Entry:
    at = NOON + timedelta(minutes=minute)
    answer = Answer(
        of=Subject.CHARGER,
        name=subject,
        at=at,
        sentence=f"{subject} charges – since minute {minute:g}",
        binding="the fuse",
        steps=(Step(what="limit", text="the fuse"), Step(what="lease", text="6 A")),
    )
    return Entry(
        at=at,
        kind=kind,
        subject=subject,
        text=answer.sentence,
        answer=answer if answered else None,
    )


def minute(value: float) -> datetime:
    return NOON + timedelta(minutes=value)


async def test_entries_come_back_as_they_went_newest_first(journal: JournalStore) -> None:
    told = [entry(0), entry(1, "b", Kind.VEHICLE), entry(2, "site", Kind.MODE, answered=False)]
    await journal.add(told)
    assert await journal.page(None, minute(3), 10) == told[::-1]
    assert await journal.page(None, minute(2), 10) == told[1::-1]
    assert await journal.page("b", minute(3), 10) == [told[1]]
    assert await journal.page(None, minute(3), 1) == [told[2]]


async def test_what_held_at_an_instant_is_the_newest_answer_before(journal: JournalStore) -> None:
    told = [entry(0), entry(10), entry(11, answered=False), entry(20), entry(5, "b")]
    await journal.add(told)
    at: Callable[[float], datetime] = minute
    assert await journal.answered("a", at(-1)) is None
    assert await journal.answered("a", at(0)) == told[0]
    assert await journal.answered("a", at(9.9)) == told[0]
    assert await journal.answered("a", at(15)) == told[1]
    assert await journal.answered("a", at(1_000)) == told[3]
    assert await journal.answered("c", at(1_000)) is None


async def test_setpoints_go_sooner_than_the_rest(journal: JournalStore) -> None:
    told = [entry(0), entry(0, "van", Kind.VEHICLE)]
    await journal.add(told)
    assert await journal.prune(NOON + SETPOINTS_KEPT) == 0
    assert await journal.prune(NOON + SETPOINTS_KEPT + timedelta(seconds=1)) == 1
    assert await journal.page(None, minute(1), 10) == [told[1]]
    assert await journal.prune(NOON + OTHERS_KEPT + timedelta(seconds=1)) == 1
    assert await journal.page(None, minute(1), 10) == []


async def test_too_many_lose_the_oldest_setpoints_first(journal: JournalStore) -> None:
    told = [entry(0, "van", Kind.VEHICLE), *(entry(n) for n in range(1, FEW + 2))]
    await journal.add(told)
    assert await journal.prune(minute(10)) == 2
    assert await journal.page(None, minute(10), 10) == [*told[:2:-1], told[0]]
    assert await journal.prune(minute(10)) == 0
