"""The last gap outlives its notice and the program: a person asks days later."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from contracts.site_link.messages import Notice
from site_agent.store.sqlite import SqliteStore, open_store
from support.site import NOON
from support.site_link import measurement


def opened(tmp_path: Path) -> SqliteStore:
    return open_store(tmp_path / "site.sqlite", NOON, max_rows=20)


async def test_the_last_gap_is_known_after_it_is_cleared_and_after_a_restart(
    tmp_path: Path,
) -> None:
    store = opened(tmp_path)
    assert (store.outbox.last_gap(), store.outbox.waiting()) == ("", 0)
    for minute in range(25):
        await store.outbox.append([measurement(minute, NOON + timedelta(minutes=minute))])
    rows = await store.outbox.unsent(0, 100)
    assert store.outbox.waiting() == len(rows)
    told = [one.row.text for one in rows if isinstance(one.row, Notice)][-1]
    assert store.outbox.last_gap() == told
    await store.outbox.delete_through(store.outbox.head())
    assert store.outbox.last_gap() == told
    store.close()
    again = opened(tmp_path)
    assert (again.outbox.last_gap(), again.outbox.waiting()) == (told, 1)  # that it has drained
    again.close()
