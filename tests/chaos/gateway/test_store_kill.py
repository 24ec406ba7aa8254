"""Kill -9 of a process that ingests: what was acknowledged is there, and sending again is safe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.reading import Quality
from contracts.site_link.messages import Batch, Measurement, NumberedRow
from contracts.time import Interval
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry

T0 = datetime(2026, 3, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BATCH = 50
KILLS = 2
ROWS = 10_000

_PROGRAM = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_store_kill import ingest_for_ever
asyncio.run(ingest_for_ever(Path(sys.argv[2]), int(sys.argv[3])))
"""


def batch(first: int) -> Batch:
    rows = tuple(
        NumberedRow(
            seq=seq,
            row=Measurement(
                at=T0 + seq * SECOND, point="pcc_power_w", value=float(seq), quality=Quality.GOOD
            ),
        )
        for seq in range(first, first + BATCH)
    )
    return Batch(site_id="depot-1", epoch="e", rows=rows, sent_at=T0)


async def ingest_for_ever(path: Path, first: int) -> None:
    """Runs in a child process: says on stdout what it has acknowledged."""
    telemetry = SqlTelemetry(Database.open(path), max_hold=SECOND)
    while first < ROWS:
        acknowledged = await telemetry.ingest(batch(first), T0 + ROWS * SECOND)
        sys.stdout.write(f"{acknowledged}\n")
        sys.stdout.flush()
        first = acknowledged + 1


@pytest.mark.chaos
async def test_nothing_acknowledged_is_lost_and_nothing_is_stored_twice(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "gateway.db", 0
    for kill in range(1, KILLS + 1):
        # The site did not hear the last answers: it sends from earlier than we acknowledged.
        resumed = max(1, acknowledged + 1 - 3 * BATCH)
        acknowledged = max(acknowledged, _run_until(path, resumed, kill * ROWS // (2 * KILLS)))
    database = Database.open(path)
    window = Interval(start=T0, end=T0 + 2 * ROWS * SECOND)
    series = await SqlTelemetry(database, max_hold=SECOND).series("depot-1", "pcc_power_w", window)
    database.close()
    values = [step.value for step in series]
    assert len(values) >= acknowledged >= ROWS // 2
    assert values == [float(seq) for seq in range(1, len(values) + 1)]


def _run_until(path: Path, first: int, enough: int) -> int:
    """Run the child, kill it in mid-work after `enough` rows; the last acknowledgement heard."""
    command = [sys.executable, "-c", _PROGRAM, str(Path(__file__).parent), str(path), str(first)]
    last = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as child:
        assert child.stdout is not None
        for line in child.stdout:
            last = int(line)
            if last >= enough:
                os.kill(child.pid, signal.SIGKILL)
                break
        for line in child.stdout:  # what it still managed to say
            last = int(line)
    assert child.returncode == -signal.SIGKILL
    return last
