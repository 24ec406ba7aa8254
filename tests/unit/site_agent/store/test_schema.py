"""The site's file: identity, versions, and files it must not touch."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import ConfigError
from contracts.reading import Quality
from site_agent.store import schema
from site_agent.store.sqlite import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_epoch_belongs_to_the_file(tmp_path: Path) -> None:
    first = open_store(tmp_path / "a.db", NOW)
    again = open_store(tmp_path / "a.db", NOW)
    other = open_store(tmp_path / "b.db", NOW)
    assert first.outbox.epoch == again.outbox.epoch != other.outbox.epoch
    for store in (first, again, other):
        store.close()


async def test_a_new_file_gives_transaction_ids_above_those_of_a_lost_one(tmp_path: Path) -> None:
    first = open_store(tmp_path / "a.db", NOW)
    lost = await first.sessions.start("a", None, NOW, 0.0, None)
    second = open_store(tmp_path / "b.db", datetime(2026, 3, 2, tzinfo=UTC))
    given = await second.sessions.start("a", None, NOW, 0.0, None)
    assert lost < given < 2**31
    first.close()
    second.close()


async def test_an_old_copy_of_a_file_gives_no_id_twice(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    open_store(path, NOW).close()
    copy.write_bytes(path.read_bytes())
    lived = open_store(path, NOW)
    given = [await lived.sessions.start("a", None, NOW, 0.0, None) for _ in range(5)]
    lived.close()
    restored = open_store(copy, NOW + timedelta(hours=1))
    assert await restored.sessions.start("a", None, NOW, 0.0, None) > max(given)
    restored.close()


async def test_a_clock_far_in_the_future_uses_no_ids_up(tmp_path: Path) -> None:
    given = []
    for now in (NOW, datetime(2099, 1, 1, tzinfo=UTC)):
        store = open_store(tmp_path / "site.db", now)
        given.append(await store.sessions.start("a", None, NOW, 0.0, None))
        store.close()
    assert given[1] == given[0] + 1


async def test_files_made_by_a_clock_that_was_never_set_keep_their_ids_apart(
    tmp_path: Path,
) -> None:
    given = []
    for name in "abc":
        store = open_store(tmp_path / name, datetime(1970, 1, 1, tzinfo=UTC))
        given.append(await store.sessions.start("a", None, NOW, 0.0, None))
        store.close()
    assert len(set(given)) == 3
    assert all(0 < number < 2**31 for number in given)


async def test_sessions_of_the_first_version_keep_their_energy_and_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        for statement in schema.MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO identity VALUES ('e', ?)", (NOW.isoformat(),))
        connection.executemany(
            "INSERT INTO charging_transaction VALUES (?, 'a', 'TAG', ?, ?, 100.0, ?, ?, ?)",
            [
                (500, f"{NOW} 100 TAG", NOW.isoformat(), NOW.isoformat(), 250.0, "Local"),
                (501, "0b1c-uuid", NOW.isoformat(), None, None, None),
            ],
        )  # fmt: skip
    connection.close()
    store = open_store(path, NOW + timedelta(hours=1))
    ended = await store.sessions.find("a", "500")
    assert ended is not None
    assert (ended.energy.energy_wh, ended.energy.quality) == (150.0, Quality.GOOD)
    running = await store.sessions.running("a")
    assert running is not None
    assert (running.transaction_id, running.ref, running.start_wh) == (501, "0b1c-uuid", 100.0)
    assert await store.sessions.start("a", None, NOW, 0.0, None) > 501
    store.close()


def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_store(path, NOW).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="newer release"):
        open_store(path, NOW)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(ConfigError, match=r"a\.db: file is not a database"):
        open_store(path, NOW)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unable to open database file"):
        open_store(tmp_path / "missing" / "a.db", NOW)


def test_an_older_file_gets_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    epoch = open_store(path, NOW).outbox.epoch
    added = (*schema.MIGRATIONS, ("ALTER TABLE identity ADD COLUMN note TEXT",))
    monkeypatch.setattr(schema, "MIGRATIONS", added)
    store = open_store(path, NOW)
    assert store.outbox.epoch == epoch
    version = store.database.run_now(lambda c: c.execute("PRAGMA user_version").fetchone())
    assert version == (len(added),)
    store.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    open_store(path, NOW).close()
    broken = ("CREATE TABLE extra (a TEXT)", "CREATE TABLE outbox (b TEXT)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    with pytest.raises(ConfigError, match="already exists"):
        open_store(path, NOW)
    monkeypatch.undo()
    store = open_store(path, NOW)
    names = store.database.run_now(lambda c: c.execute("SELECT name FROM sqlite_schema").fetchall())
    assert ("extra",) not in names
    store.close()
