"""Agent and charger restarted in any order in mid-session: no session lost, no energy twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from depot_sim.chargers.personality import Entry
from site_agent.domain.session import END_UNKNOWN, START_UNKNOWN
from support.ocpp_restarts import Bench, bench
from support.waiting import until

pytestmark = [
    pytest.mark.row("safety:S4"),
    pytest.mark.row("pitfall:P10"),
    pytest.mark.xdist_group("realtime-ocpp"),
]

SPOKEN = ["1.6", "2.0.1", "2.1"]
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
    """Let it happen, then let everybody come to rest."""
    (plug,) = site.plugs
    for step in order.split():
        await site.happens(plug, step)
    await site.told()


@pytest.mark.row("personality:no-boot-on-reconnect")
@pytest.mark.parametrize(
    ("spoken", "personality"),
    [
        ("1.6", "good"),
        ("1.6", "no-boot-on-reconnect"),
        ("2.0.1", "good"),
        ("2.1", "no-boot-on-reconnect"),
    ],
)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_restarts(tmp_path: Path, order: str, spoken: str, personality: str) -> None:
    async with bench(tmp_path / "site.db", (spoken, [personality])) as site:
        await happen(site, order)
        await site.agrees()
        (plug,) = site.plugs
        assert all(s.ended_at is not None for s in await site.sessions(plug))
        assert site.store is not None
        assert await site.store.sessions.running(plug.evse_id) is None


@pytest.mark.parametrize("spoken", SPOKEN)
@pytest.mark.parametrize(
    ("personality", "order"),
    [
        pytest.param(
            "loses-profile-on-reboot",
            "plug charge reboot charge down up charge unplug",
            marks=pytest.mark.row("personality:loses-profile-on-reboot"),
        ),
        pytest.param(
            {"replays-late": 5.0},
            "plug charge down charge up charge drop charge unplug",
            marks=pytest.mark.row("personality:replays-late"),
        ),
        pytest.param(
            {"twin-socket": 2.0},
            "plug charge charge down up charge unplug",
            marks=[pytest.mark.row("personality:twin-socket"), pytest.mark.row("pitfall:P14")],
        ),
        pytest.param(
            {"ends-first": "running"},
            "plug charge drop told unplug plug charge down unplug up",
            marks=pytest.mark.row("personality:ends-first"),
        ),
        pytest.param("energy-only-kwh", "plug charge down charge up charge unplug"),
        pytest.param("dirty-samples", "plug charge down charge up charge unplug"),
    ],
    ids=str,
)
async def test_difficult_chargers(
    tmp_path: Path, personality: Entry, order: str, spoken: str
) -> None:
    async with bench(tmp_path / "site.db", (spoken, [personality])) as site:
        await happen(site, order)
        await site.agrees()


@pytest.mark.parametrize("spoken", SPOKEN)
async def test_a_transaction_forgotten_by_a_reboot_ends_with_the_next(
    tmp_path: Path, spoken: str
) -> None:
    """evcc PR 33909: the charger never says that its transaction is over."""
    forgetful = (spoken, ["stale-transaction-after-reboot"])
    async with bench(tmp_path / "site.db", forgetful) as site:
        await happen(site, "plug charge reboot charge down up charge unplug")
        await site.agrees()
        stale, told = await site.sessions(site.plugs[0])
        assert stale.energy.remarks == (END_UNKNOWN,)
        assert told.energy.remarks == ()


@pytest.mark.parametrize("spoken", SPOKEN)
async def test_a_lost_file_in_mid_session(tmp_path: Path, spoken: str) -> None:
    """The live transaction is older than anything the agent knows: it goes on under its id."""
    async with bench(tmp_path / "site.db", (spoken, ["no-boot-on-reconnect"])) as site:
        (plug,) = site.plugs
        plug.plug()
        await plug.charges()
        await site.told()
        (before,) = await site.sessions(plug)
        await site.agent_down()
        site.path = tmp_path / "new.db"
        await site.agent_up()
        assert site.system is not None
        charger = site.system.chargers[plug.evse_id]
        await until(lambda: charger.state(site.clock.now()).transaction_id is not None)
        await plug.charges()
        plug.unplug()
        plug.plug()
        await plug.charges()
        plug.unplug()
        await site.told()
        adopted, fresh = await site.sessions(plug)
        assert adopted.ref == before.ref
        assert START_UNKNOWN in adopted.energy.remarks
        adopted_wh, (whole_wh, fresh_wh) = (
            adopted.energy.energy_wh,
            plug.truth.energies_wh(plug.register_wh),
        )
        assert adopted_wh is not None
        assert 0 < adopted_wh <= whole_wh + 1
        assert fresh.energy.energy_wh == pytest.approx(fresh_wh, abs=2)
        given = {before.transaction_id, adopted.transaction_id, fresh.transaction_id}
        assert len(given) == 3
        assert len({before.ref, fresh.ref}) == 2


@pytest.mark.row("personality:ends-first")
@pytest.mark.parametrize("spoken", SPOKEN)
async def test_the_end_of_an_unknown_transaction_leaves_the_running_one(
    tmp_path: Path, spoken: str
) -> None:
    async with bench(tmp_path / "site.db", (spoken, ["ends-first"])) as site:
        await happen(site, "plug charge drop charge down charge up charge unplug")
        (plug,) = site.plugs
        held = await site.sessions(plug)
        (own,) = plug.truth.transactions
        strange = [session for session in held if session.ref != own.ref]
        assert strange
        assert all(session.ended_at is not None for session in strange)
        (session,) = [session for session in held if session.ref == own.ref]
        (true_wh,) = plug.truth.energies_wh(plug.register_wh)
        assert session.energy.energy_wh == pytest.approx(true_wh, abs=2)
        assert session.energy.remarks == ()
