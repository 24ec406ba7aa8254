"""Agent and charger restarted in any order in mid-session: no session lost, no energy twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.domain.session import END_UNKNOWN, START_UNKNOWN
from support.ocpp_restarts import DROP, REBOOT, Bench, bench
from support.waiting import until

pytestmark = [
    pytest.mark.row("safety:S4"),
    pytest.mark.row("pitfall:P10"),
    pytest.mark.xdist_group("realtime"),
]

ORDERS = {
    "agent": "plug charge down charge up charge unplug",
    "agent twice": "plug charge down up down charge up unplug",
    "end while away": "plug charge down charge unplug up",
    "charger": "plug charge reboot charge unplug",
    "charger, then agent": "plug charge reboot down up charge unplug",
    "agent, then charger": "plug charge down reboot up charge unplug",
    "charger while away, twice": "plug charge down reboot reboot up charge unplug",
    "link, then agent": "plug charge drop down charge up charge unplug",
    "link": "plug charge drop charge drop charge unplug",
    "agent at the start": "plug down up charge unplug",
    "everything": "plug charge down drop reboot up down up charge unplug plug charge unplug",
}


async def happen(site: Bench, order: str) -> None:
    (plug,) = site.plugs
    for step in order.split():
        match step:
            case "plug":
                plug.plug()
            case "unplug":
                plug.unplug()
            case "charge":
                await plug.charges()
            case "down":
                await site.agent_down()
            case "up":
                await site.agent_up()
            case "drop":
                plug.charger.fail(DROP, 3.0)
            case "reboot":
                plug.charger.fail(REBOOT, 3.0)
            case other:
                raise AssertionError(other)
    await site.told()


@pytest.mark.parametrize("personality", ["good", "no-boot-on-reconnect"])
@pytest.mark.parametrize("spoken", ["1.6", "2.0.1"])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_restarts(tmp_path: Path, order: str, spoken: str, personality: str) -> None:
    async with bench(tmp_path / "site.db", (spoken, [personality])) as site:
        await happen(site, order)
        await site.agrees()
        (plug,) = site.plugs
        assert all(s.ended_at is not None for s in await site.sessions(plug))
        assert site.store is not None
        assert await site.store.sessions.running(plug.evse_id) is None
