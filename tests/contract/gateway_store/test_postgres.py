"""What is PostgreSQL's alone: its address, its leader, its one writer, its dislikes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlmodel import Session

from contracts.errors import ConfigError, PermanentError, TransientError
from contracts.site_link.messages import Notice, Severity
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from support.gateway_store import HOLD, T0, WINDOW, batch
from support.postgres import Databases


@pytest.fixture
def address(postgres: Databases) -> Iterator[str]:
    with postgres.fresh() as made:
        yield made


def test_one_gateway_leads_a_database_until_it_is_closed(address: str) -> None:
    first, second = Database.open(address), Database.open(address)
    first.lead()
    first.lead()
    with pytest.raises(PermanentError, match="another gateway runs on this database"):
        second.lead()
    first.close()
    second.lead()
    second.close()


async def test_two_processes_that_read_and_then_write_lose_nothing(address: str) -> None:
    """Both count one up, at once, a hundred times: as on SQLite one waits for the other."""

    def count_up(session: Session) -> None:
        connection = session.connection()
        last = connection.exec_driver_sql("SELECT last FROM site_sequence").scalar_one()
        connection.exec_driver_sql(f"UPDATE site_sequence SET last = {last + 1}")

    databases = Database.open(address, threaded=False), Database.open(address, threaded=False)
    await databases[0].write(
        lambda s: s.connection().exec_driver_sql("INSERT INTO site_sequence VALUES ('s', 0)")
    )

    def count_fifty(database: Database) -> None:
        async def fifty() -> None:
            for _ in range(50):
                await database.write(count_up)

        asyncio.run(fifty())

    threads = [threading.Thread(target=count_fifty, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = await databases[0].read(
        lambda s: s.connection().exec_driver_sql("SELECT last FROM site_sequence").scalar_one()
    )
    assert last == 100
    for database in databases:
        database.close()


async def test_a_nul_that_a_site_sends_does_not_stop_its_batches(address: str) -> None:
    database = Database.open(address)
    notice = Notice(
        at=T0, code="odd", subject="a\x00b", severity=Severity.INFO, raised=True, text="x\x00y"
    )
    telemetry = SqlTelemetry(database, max_hold=HOLD)
    assert await telemetry.ingest(batch((1, notice)), T0) == 1
    ((_, kept),) = await SqlLedger(database).notices(WINDOW)
    assert (kept.subject, kept.text) == (
        "a\N{REPLACEMENT CHARACTER}b",
        "x\N{REPLACEMENT CHARACTER}y",
    )
    database.close()


async def test_a_value_no_column_can_hold_is_refused_and_not_tried_again(address: str) -> None:
    database = Database.open(address)
    with pytest.raises(PermanentError, match="a value it cannot keep"):
        await database.write(
            lambda s: s.connection().exec_driver_sql(
                f"INSERT INTO site_sequence VALUES ('s', {10**30})"
            )
        )
    database.close()


async def test_a_connection_that_was_cut_is_worth_another_try(address: str) -> None:
    database = Database.open(address)

    def cut(session: Session) -> None:
        session.connection().exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(TransientError):
        await database.write(cut)
    await SqlLedger(database).site_has_seen("depot-1", 3)
    database.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("postgresql://nobody@127.0.0.1:1/x", r"postgresql://nobody@127\.0\.0\.1:1/x: cannot be"),
        ("postgresql://me:hush@127.0.0.1:1/x", r"me:\*\*\*@"),
        ("postgresql//x", "not of the form"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_clear_mistake_without_its_password(
    wrong: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        Database.open(wrong)
    assert "hush" not in str(refused.value)
