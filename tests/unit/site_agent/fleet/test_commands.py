"""What people at the agent's machine may ask of the fleet."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import PermanentError
from site_agent.fleet.commands import fleet_commands, packed
from site_agent.flows.fleet.roster import LiveRoster
from support.fleet import ZONE, change, live_roster
from support.manual_clock import ManualClock


async def ask(roster: LiveRoster, name: str, **args: Any) -> list[dict[str, Any]]:
    command = fleet_commands(roster, ZONE, ManualClock())[f"fleet.{name}"]
    return [dict(item) async for item in command(args)]


async def test_a_file_is_taken_or_only_judged() -> None:
    roster = live_roster()
    content = packed(b"vehicle_id,rank\nvan-1,4\nbus,5\n")
    (dry,) = await ask(roster, "import", content=content, dry_run=True)
    assert (dry["changed"], roster.ids()) == (["bus", "van-1"], ["van-1"])
    (done,) = await ask(roster, "import", content=content)
    assert (done["kind"], done["rows"], done["dry_run"]) == ("vehicles", 2, False)
    assert roster.vehicles["van-1"].rank == 4
    with pytest.raises(PermanentError, match="line 2, rank: 'x' is no number"):
        await ask(roster, "import", content=packed(b"id,rank\nbus,x\n"))


async def test_vehicles_are_told_without_their_cards() -> None:
    roster = live_roster()
    await roster.tell([change(rank=4)])
    (van,) = await ask(roster, "vehicles")
    assert (van["vehicle_id"], van["rank"], van["told"]["rank"]["source"]) == ("van-1", 4, "api")
    assert "id_tags" not in van
