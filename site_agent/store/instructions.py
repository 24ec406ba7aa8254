"""Accepted instructions on SQLite; a state and its row for the gateway change together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from contracts.errors import PermanentError
from contracts.site_link.codec import decode, encode
from contracts.site_link.messages import Instruction, InstructionState, InstructionStatus
from site_agent.store.database import Database
from site_agent.store.outbox import SqliteOutbox

FINISHED = (
    InstructionState.COMPLETED,
    InstructionState.EXPIRED,
    InstructionState.REJECTED,
    InstructionState.SUPERSEDED,
)
KEPT = timedelta(days=90)
"""How long past its expiry a finished instruction can still be looked up."""

Stored = tuple[Instruction, InstructionState]


class SqliteInstructions:
    """`site_agent.ports.InstructionStore`."""

    def __init__(self, database: Database, outbox: SqliteOutbox) -> None:
        self._database = database
        self._outbox = outbox

    async def put(self, instruction: Instruction) -> None:
        """Durable when it returns; the same instruction again changes nothing.

        Raises:
            PermanentError: its `site_seq` or id belongs to a different instruction.
        """
        await self._database.run(lambda connection: _put(connection, instruction))

    async def record(self, statuses: Sequence[InstructionStatus]) -> None:
        """Set the states and put the same rows into the outbox: both or neither."""
        if statuses:
            self._outbox.announce(
                await self._database.run(
                    lambda connection: self._outbox.write(
                        connection, _set_states(connection, statuses)
                    )
                )
            )

    async def of_event(self, event_id: str) -> Sequence[Stored]:
        """Every instruction of an event, finished ones too, by `site_seq`."""
        return await self._select("WHERE event_id = ?", (event_id,))

    async def unfinished(self) -> Sequence[Stored]:
        """Every instruction not completed, expired, rejected or superseded, by `site_seq`."""
        return await self._select("WHERE state NOT IN (?, ?, ?, ?)", FINISHED)

    async def last_seq(self) -> int:
        """Highest `site_seq` ever stored (0: none)."""
        query = "SELECT COALESCE(MAX(site_seq), 0) FROM instruction"
        return int((await self._database.run(lambda c: c.execute(query).fetchone()))[0])

    async def _select(self, where: str, values: Iterable[str]) -> list[Stored]:
        query = f"SELECT body, state FROM instruction {where} ORDER BY site_seq"  # noqa: S608 (our own constants)
        found = await self._database.run(lambda c: c.execute(query, tuple(values)).fetchall())
        return [(_instruction(body), InstructionState(state)) for body, state in found]


def _put(connection: sqlite3.Connection, instruction: Instruction) -> None:
    body = encode(instruction)
    held = connection.execute(
        "SELECT body FROM instruction WHERE instruction_id = ? OR site_seq = ?",
        (instruction.instruction_id, instruction.site_seq),
    ).fetchall()
    if any(_instruction(other) != instruction for (other,) in held):
        raise PermanentError(
            f"instruction {instruction.instruction_id} or its number {instruction.site_seq} is "
            "already used by a different one"
        )
    if not held:
        _forget_old(connection, instruction.issued_at)
        connection.execute(
            "INSERT INTO instruction VALUES (?, ?, ?, ?, ?, NULL, ?)",
            (
                instruction.instruction_id,
                instruction.site_seq,
                instruction.event_id,
                instruction.expires_at.isoformat(),
                InstructionState.STORED,
                body,
            ),
        )


def _forget_old(connection: sqlite3.Connection, now: datetime) -> None:
    """Delete long finished ones, but never the one with the highest number."""
    connection.execute(
        "DELETE FROM instruction WHERE state IN (?, ?, ?, ?) AND expires_at < ?"
        " AND site_seq < (SELECT MAX(site_seq) FROM instruction)",
        (*FINISHED, (now - KEPT).isoformat()),
    )


def _set_states(
    connection: sqlite3.Connection, statuses: Sequence[InstructionStatus]
) -> Sequence[InstructionStatus]:
    connection.executemany(
        "UPDATE instruction SET state = ?, state_at = ? WHERE instruction_id = ?",
        [(s.state, s.at.isoformat(), s.instruction_id) for s in statuses],
    )
    return statuses


def _instruction(body: bytes) -> Instruction:
    message = decode(body)
    if not isinstance(message, Instruction):  # only `_put` writes here
        raise PermanentError(f"stored {message.kind} where an instruction should be")
    return message
