"""The site's file: identity, versions, and files it must not touch."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.errors import ConfigError
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
    assert version == (2,)
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
