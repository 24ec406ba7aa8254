"""Between a simulated charger and its cloud CSMS: both at work, and the lower limit wins."""

from __future__ import annotations

import pytest

from site_agent.devices.ocpp.proxy.settings import CloudConfig
from support.cloud_csms import Json, cloud_csms
from support.cloud_site import in_order, proxied
from support.ocpp_depot import depot, station
from support.waiting import until

pytestmark = [
    pytest.mark.row("safety:S7"),
    pytest.mark.xdist_group("realtime-ocpp"),
]


# --- both work ----------------------------------------------------------------------------------


async def test_the_cloud_sees_a_whole_session_under_its_own_id(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await site.follows(16, 11_040)
        await until(lambda: len(cloud.of("MeterValues", "TransactionEvent")) >= 3)
        await site.unplug()
        await until(lambda: len(site.stops) == 1)
        in_order(site)
        assert cloud.logins[0] == ("/steve/websocket/CP1", f"ocpp{spoken}", "CP1:cloud-pw")
        assert cloud.heard[0][0] == "BootNotification"
        assert cloud.of("StatusNotification")
        if site.is_16:
            assert site.stops[0]["transactionId"] == 7001


async def test_an_order_is_passed_on_and_its_answer_back(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await until(lambda: not site.waiting)
        if site.is_16:
            stop = await cloud.result("RemoteStopTransaction", {"transactionId": 7001})
        else:
            ref = site.starts[0]["transactionInfo"]["transactionId"]
            stop = await cloud.result("RequestStopTransaction", {"transactionId": ref})
        assert stop["status"] == "Accepted"
        await until(lambda: len(site.stops) == 1)
        in_order(site)


async def test_without_a_place_to_keep_messages_there_is_no_proxy() -> None:
    config = CloudConfig(url="ws://127.0.0.1:1", identity="CP1")
    with pytest.raises(ValueError, match="store"):
        async with depot(station(cloud=config)):
            pass


# --- the lower limit wins -----------------------------------------------------------------------


async def test_the_lower_limit_wins(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await site.follows(16, 11_040)
        answer = await cloud.result("SetChargingProfile", site.profile(10))
        assert answer == {"status": "Accepted"}
        assert site.depot.state().ceiling_a == 10
        await site.follows(16, 6_900)  # theirs
        await site.follows(8, 5_520)  # ours
        await cloud.result("SetChargingProfile", site.profile(32))
        await site.follows(10, 6_900)  # a raise of the cloud's raises nothing
        for _ in range(10):
            await site.depot.ask(10)
            await site.clock.sleep(1.0)
            assert site.charger.power_w < 7_000
        assert await cloud.result("ClearChargingProfile", {}) == {"status": "Accepted"}
        assert site.depot.state().ceiling_a is None
        await site.follows(16, 11_040)


async def test_a_transaction_profile_of_the_cloud_ends_with_its_transaction(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        refused = await cloud.result("SetChargingProfile", site.profile(10, "TxProfile"))
        assert refused == {"status": "Rejected"}  # no transaction runs
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await until(lambda: not site.waiting)
        ref = 7001 if site.is_16 else site.starts[0]["transactionInfo"]["transactionId"]
        wire = site.profile(10, "TxProfile", transactionId=ref)
        assert await cloud.result("SetChargingProfile", wire) == {"status": "Accepted"}
        await site.follows(16, 6_900)
        await site.unplug()
        assert site.depot.state().ceiling_a is None


async def test_the_composite_schedule_is_the_lower_of_both(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await cloud.result("SetChargingProfile", site.profile(10))
        place = "connectorId" if site.is_16 else "evseId"
        ask = {place: 1, "duration": 600, "chargingRateUnit": "A"}
        await site.follows(16, 6_900)
        assert _first(await cloud.result("GetCompositeSchedule", ask)) == 10
        await site.follows(8, 5_520)
        assert _first(await cloud.result("GetCompositeSchedule", ask)) == 8


def _first(answer: Json) -> float:
    schedule = answer.get("schedule") or answer["chargingSchedule"]
    limit: float = schedule["chargingSchedulePeriod"][0]["limit"]
    return limit
