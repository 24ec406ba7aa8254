"""What explaining reads, and that an event is kept with all that follows from it, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from contracts.site_link.messages import InstructionState
from gateway.domain.event import Decider, Opt
from gateway.ports import JournalEntry, Ledger, SiteChoice, StoredInstruction
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from support.gateway_store import (
    MINUTE,
    T0,
    dispatch_plan,
    grid_event,
    instruction,
    opted,
    status,
)

MIGRATIONS = Path(__file__).parents[3] / "gateway/store/migrations"


def names(found: Sequence[StoredInstruction]) -> list[str]:
    return [one.instruction.instruction_id for one in found]


async def test_an_event_comes_with_who_leaves_it_and_what_is_written_down(ledger: Ledger) -> None:
    event = grid_event()
    entry = JournalEntry(at=T0, subject=event.key, action="new event: optIn", cause="because")
    out = SiteChoice(site_id="depot-1", out=True, cause="the owner's limits: too long")
    decision = replace(opted(event), by=Decider.PERSON)
    await ledger.put_event(event, decision, T0, [out], [entry])
    stored = await ledger.event(event.key)
    assert stored is not None
    assert stored.decision == decision
    assert stored.opted_out_sites == {"depot-1"}
    assert await ledger.journal(event.key) == [entry]
    back = replace(out, out=False)
    await ledger.put_event(event, decision, T0 + MINUTE, [back])
    assert await ledger.opt_outs(event.key) == []


async def test_what_cannot_be_written_down_did_not_happen(database: Database) -> None:
    ledger, event = SqlLedger(database), grid_event()
    entry = JournalEntry(at=T0, subject=event.key, action="new event: optIn", cause="because")

    def without_journal(allowed: bool) -> str:
        return f"ALTER TABLE journal RENAME TO {'journal' if allowed else 'elsewhere'}"

    await database.write(lambda s: s.connection().exec_driver_sql(without_journal(False)))
    with pytest.raises(Exception, match="journal"):
        await ledger.put_event(event, opted(event), T0, [], [entry])
    await database.write(
        lambda s: s.connection().exec_driver_sql("ALTER TABLE elsewhere RENAME TO journal")
    )
    assert await ledger.event(event.key) is None


async def test_every_modification_stays_with_its_answer(ledger: Ledger) -> None:
    for number, opt in enumerate((Opt.IN, Opt.OUT)):
        event = grid_event(modification=number)
        await ledger.put_event(event, opted(event, opt), T0 + number * MINUTE)
    found = await ledger.modifications("u1/e1")
    assert [(one.event.modification, one.decision.opt) for one in found] == [
        (0, Opt.IN),
        (1, Opt.OUT),
    ]
    assert [one.received_at for one in found] == [T0, T0 + MINUTE]
    assert {one.notified_at for one in found} == {T0}
    assert await ledger.modifications("u1/e9") == []


async def test_what_a_site_is_told_is_the_newest_of_every_chain_then(ledger: Ledger) -> None:
    later = replace(instruction("i2"), issued_at=T0 + 5 * MINUTE)
    other = replace(instruction("i3", event="u1/e2"), issued_at=T0 + 6 * MINUTE)
    elsewhere = instruction("i4", site="depot-2")
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    await ledger.put_plan(dispatch_plan(2), [later, elsewhere])
    await ledger.put_plan(dispatch_plan(event_key="u1/e2"), [other])
    assert names(await ledger.told("depot-1", T0)) == ["i1"]
    assert names(await ledger.told("depot-1", T0 + 10 * MINUTE)) == ["i2", "i3"]
    assert names(await ledger.told("depot-1", T0 + 95 * MINUTE)) == []
    assert names(await ledger.told("depot-9", T0)) == []


async def test_one_instruction_is_found_with_its_key_and_statuses(ledger: Ledger) -> None:
    await ledger.put_plan(dispatch_plan(), [instruction("i1")])
    await ledger.put_statuses([("depot-1", status(InstructionState.STORED, 1))])
    found = await ledger.instruction("i1")
    assert found is not None
    assert (found.event_key, found.revision, len(found.statuses)) == ("u1/e1", 1, 1)
    assert await ledger.instruction("i9") is None


def test_what_was_decided_before_it_was_kept_by_whom_counts_as_the_rules_word(
    tmp_path: Path,
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        row = (
            "INSERT INTO event (event_key, modification, start, received_at, opt, cause, document)"
            " VALUES ('u1/e1', 0, '2026-01-01', '2026-01-01', 'optIn', 'c', '{}')"
        )
        connection.execute(text(row))
        command.upgrade(config, "0007")
        found = connection.execute(text("SELECT decided_by FROM event")).scalar_one()
        assert found == Decider.RULES.value
        command.downgrade(config, "0006")
        assert connection.execute(text("SELECT count(*) FROM event")).scalar_one() == 1
    engine.dispose()
