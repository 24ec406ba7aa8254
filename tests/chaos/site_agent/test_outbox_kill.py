"""What the outbox and the instruction store have said is stored survives `kill -9`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.site_link.messages import InstructionState, Measurement
from site_agent.store.sqlite import open_store

pytestmark = pytest.mark.chaos

WRITER = """
import asyncio, sys
from pathlib import Path
from datetime import timedelta
from contracts.clock import SystemClock
from contracts.reading import Quality
from contracts.site_link.messages import (
    Fallback, Instruction, InstructionState, InstructionStatus, Measurement)
from site_agent.store.sqlite import open_store

async def main():
    clock = SystemClock()
    store = open_store(Path(sys.argv[1]), clock.now())
    now = clock.now()
    seq = await store.instructions.last_seq() + 1
    await store.instructions.put(Instruction(
        instruction_id=f"i{seq}", site_id="depot", site_seq=seq, event_id=f"e{seq}",
        program_id="p", issued_at=now, start=now, expires_at=now + timedelta(hours=1), steps=(),
        fallback=Fallback()))
    await store.instructions.record([InstructionStatus(
        at=now, instruction_id=f"i{seq}", event_id=f"e{seq}", state=InstructionState.STARTED)])
    while True:
        head = await store.outbox.append([
            Measurement(at=clock.now(), point="p", value=float(store.outbox.head() + n + 1),
                        quality=Quality.GOOD) for n in range(5)])
        print(head, flush=True)

asyncio.run(main())
"""
ROUNDS = 3
ENOUGH = 20


def _write_until_killed(path: Path) -> int:
    """The last sequence number a writer had acknowledged when it was killed."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(ENOUGH)]
        writer.kill()
        lines += writer.stdout.readlines()
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1])


async def test_acknowledged_rows_survive_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    acknowledged = [_write_until_killed(path) for _ in range(ROUNDS)]
    store = open_store(path, SystemClock().now())
    rows = await store.outbox.unsent(0, 1_000_000)
    assert [n.seq for n in rows] == list(range(1, store.outbox.head() + 1))
    assert store.outbox.head() >= acknowledged[-1] > acknowledged[0]
    measured = [n for n in rows if isinstance(n.row, Measurement)]
    assert all(n.row.value == float(n.seq) for n in measured if isinstance(n.row, Measurement))
    assert len(rows) - len(measured) == ROUNDS  # one status a round, each exactly once
    assert [(i.site_seq, s) for i, s in await store.instructions.unfinished()] == [
        (n, InstructionState.STARTED) for n in range(1, ROUNDS + 1)
    ]
    store.close()
