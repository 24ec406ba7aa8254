"""Agent and chargers die and come back at moments of chance: the sessions stay whole."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from depot_sim.chargers.personality import Entry
from support.ocpp_restarts import bench

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.row("safety:S4"),
    pytest.mark.xdist_group("realtime-chaos"),
]
STEPS = ["down", "up", "up", "plug", "plug", "unplug", "drop", "reboot"]
ROUNDS = 40
CHARGERS: list[tuple[str, Sequence[Entry]]] = [
    ("1.6", ["good"]),
    ("1.6", ["no-boot-on-reconnect", {"replays-late": 3.0}]),
    ("1.6", ["stale-transaction-after-reboot"]),
    ("2.0.1", ["good"]),
    ("2.0.1", ["no-boot-on-reconnect", {"replays-late": 3.0}]),
    ("2.0.1", ["stale-transaction-after-reboot"]),
]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_at_moments_of_chance(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with bench(tmp_path / "site.db", *CHARGERS) as site:
        for plug in site.plugs:
            plug.plug()
        for _ in range(ROUNDS):
            await site.happens(dice.choice(site.plugs), dice.choice(STEPS))
            await site.clock.sleep(dice.choice([0.0, 1.0, 5.0, 20.0]))
        await site.agent_up()
        for plug in site.plugs:
            plug.unplug()
        await site.told()
        await site.agrees()
        begun = [transaction for plug in site.plugs for transaction in plug.truth.transactions]
        assert len(begun) > len(site.plugs)
