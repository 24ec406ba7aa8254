"""In-memory twins of the stores, for tests and simulation; they obey the same contract."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime

from contracts.errors import PermanentError
from contracts.site_link.messages import (
    Instruction,
    InstructionState,
    InstructionStatus,
    Measurement,
    Notice,
    NumberedRow,
    Row,
    Severity,
)
from site_agent.store.instructions import FINISHED
from site_agent.store.outbox import GAP_CODE, GAP_SUBJECT, MAX_ROWS


class MemoryOutbox:
    """`site_agent.ports.Outbox`; when full it drops the oldest measurements, and says so."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.epoch = uuid.uuid4().hex
        self.rows: list[NumberedRow] = []
        self._max_rows = max_rows
        self._head = 0
        self._gap = False
        self._arrival = asyncio.Event()

    def head(self) -> int:
        """The highest sequence number ever given (0: none)."""
        return self._head

    async def append(self, rows: Sequence[Row]) -> int:
        """Store rows; the highest seq given."""
        self.put(rows)
        return self._head

    def put(self, rows: Sequence[Row]) -> None:
        """As `append`, at once."""
        for row in rows:
            self._head += 1
            self.rows.append(NumberedRow(seq=self._head, row=row))
        surplus = len(self.rows) - self._max_rows
        if rows and surplus > 0:
            self._drop(max(surplus + 1, self._max_rows // 4), rows[-1].at)
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def unsent(self, after: int, limit: int) -> Sequence[NumberedRow]:
        """Rows with a higher seq, in order."""
        return [numbered for numbered in self.rows if numbered.seq > after][:limit]

    async def delete_through(self, seq: int) -> None:
        """The gateway has committed these."""
        last = self.rows[-1].row.at if self.rows else None
        self.rows = [numbered for numbered in self.rows if numbered.seq > seq]
        if self._gap and last and len(self.rows) <= self._max_rows // 2:
            self._gap = False
            self.put([_gap(last, raised=False, text="the outbox has drained")])

    async def wait_for_rows(self, after: int) -> None:
        """Return when a row with a higher seq exists."""
        while self._head <= after:
            await self._arrival.wait()

    def _drop(self, count: int, at: datetime) -> None:
        measured = [numbered for numbered in self.rows if isinstance(numbered.row, Measurement)]
        doomed = {numbered.seq for numbered in measured[:count]}
        if doomed:
            self._gap = True
            self.rows = [numbered for numbered in self.rows if numbered.seq not in doomed]
            self.put([_gap(at, raised=True, text=f"{len(doomed)} measurements were dropped")])


class MemoryInstructions:
    """`site_agent.ports.InstructionStore`."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox
        self._held: dict[int, tuple[Instruction, InstructionState]] = {}

    async def put(self, instruction: Instruction) -> None:
        """The same instruction again changes nothing; a different one under its name is refused."""
        for held, _ in self._held.values():
            same = (
                held.instruction_id == instruction.instruction_id
                or held.site_seq == instruction.site_seq
            )
            if same and held != instruction:
                raise PermanentError(f"{instruction.instruction_id}: already used")
        self._held.setdefault(instruction.site_seq, (instruction, InstructionState.STORED))

    async def record(self, statuses: Sequence[InstructionStatus]) -> None:
        """Set the states and put the same rows into the outbox."""
        for status in statuses:
            for seq, (instruction, _) in self._held.items():
                if instruction.instruction_id == status.instruction_id:
                    self._held[seq] = (instruction, status.state)
        self._outbox.put(statuses)

    async def of_event(self, event_id: str) -> Sequence[tuple[Instruction, InstructionState]]:
        """Every instruction of an event, finished ones too, by `site_seq`."""
        return [held for held in self._in_order() if held[0].event_id == event_id]

    async def unfinished(self) -> Sequence[tuple[Instruction, InstructionState]]:
        """Every instruction not completed, expired, rejected or superseded, by `site_seq`."""
        return [held for held in self._in_order() if held[1] not in FINISHED]

    async def last_seq(self) -> int:
        """Highest `site_seq` ever stored (0: none)."""
        return max(self._held, default=0)

    def _in_order(self) -> list[tuple[Instruction, InstructionState]]:
        return [self._held[seq] for seq in sorted(self._held)]


class MemorySessions:
    """`site_agent.ports.SessionStore`."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._open: dict[int, tuple[str, str | None]] = {}
        self._remote: dict[tuple[str, str], int] = {}
        self._start_wh: dict[int, float] = {}

    async def start(
        self, evse_id: str, id_tag: str | None, at: datetime, meter_wh: float, remote_id: str | None
    ) -> int:
        """A new transaction; the same `remote_id` again returns the same id."""
        if remote_id is not None and (evse_id, remote_id) in self._remote:
            return self._remote[evse_id, remote_id]
        transaction_id = next(self._ids)
        self._open[transaction_id] = (evse_id, id_tag)
        self._start_wh[transaction_id] = meter_wh
        if remote_id is not None:
            self._remote[evse_id, remote_id] = transaction_id
        return transaction_id

    async def stop(self, transaction_id: int, at: datetime, meter_wh: float, reason: str) -> None:
        """The transaction has ended (idempotent)."""
        self._open.pop(transaction_id, None)

    async def open_transaction(self, evse_id: str) -> tuple[int, str | None] | None:
        """`(transaction id, id tag)` of the newest still open at an EVSE, or None."""
        found = [(number, tag) for number, (evse, tag) in self._open.items() if evse == evse_id]
        return max(found, default=None, key=lambda held: held[0])

    async def start_wh(self, transaction_id: int) -> float | None:
        """The energy register at its start, Wh; None for an unknown transaction."""
        return self._start_wh.get(transaction_id)


class MemoryKeyValues:
    """`site_agent.ports.KeyValues`."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        """The value last put, or None."""
        return self._values.get(key)

    async def put(self, key: str, value: str) -> None:
        """Kept as long as this object."""
        self._values[key] = value


def _gap(at: datetime, *, raised: bool, text: str) -> Notice:
    return Notice(
        at=at,
        code=GAP_CODE,
        subject=GAP_SUBJECT,
        severity=Severity.WARNING,
        raised=raised,
        text=text,
    )
