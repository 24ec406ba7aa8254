"""What the fleet's systems were told is stored survives `kill -9`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from site_agent.store.sqlite import open_store
from support.fleet import live_roster

pytestmark = pytest.mark.chaos

WRITER = """
import asyncio, sys
from pathlib import Path
from contracts.clock import SystemClock
from site_agent.store.sqlite import open_store
from support.fleet import change, live_roster

async def main():
    clock = SystemClock()
    store = open_store(Path(sys.argv[1]), clock.now())
    roster = live_roster(store=store.roster)
    await roster.load()
    number = len(roster.ids())
    while True:
        await roster.tell([change(f"bus-{number}-{n}", id_tags=[f"T{number}-{n}"])
                           for n in range(3)] + [change(rank=number % 1000)])
        print(number, flush=True)
        number += 3

asyncio.run(main())
"""
ROUNDS, ENOUGH = 3, 8


def _told_until_killed(path: Path) -> int:
    """The last batch that was acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(ENOUGH)]
        writer.kill()
        lines += writer.stdout.readlines()
    return int([line for line in lines if line.endswith("\n")][-1])


async def test_every_acknowledged_batch_is_there_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    path = tmp_path / "site.db"
    last = [_told_until_killed(path) for _ in range(ROUNDS)][-1]
    store = open_store(path, SystemClock().now())
    roster = live_roster(store=store.roster)
    await roster.load()
    buses = [name for name in roster.ids() if name.startswith("bus-")]
    batches = {int(name.split("-")[1]) for name in buses}
    assert max(batches) >= last
    assert len(buses) == 3 * len(batches)  # no batch in part
    assert roster.vehicles["van-1"].rank == max(batches) % 1000
    store.close()
