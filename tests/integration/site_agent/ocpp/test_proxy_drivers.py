"""Drivers between the cloud CSMS and our own policy: who lets them charge, and who stops them."""

from __future__ import annotations

import pytest

from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.proxy.settings import FinalWord
from support.cloud_csms import Json, cloud_csms
from support.cloud_site import proxied
from support.waiting import until

pytestmark = [
    pytest.mark.row("safety:S7"),
    pytest.mark.xdist_group("realtime-ocpp"),
]


async def test_the_cloud_knows_drivers_that_we_do_not(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await until(lambda: bool(cloud.of("BootNotification")))
        await site.plug("STRANGER")
        await site.follows(16, 11_040)


async def test_a_driver_the_cloud_refuses_late_is_stopped(spoken: str) -> None:
    key = "idTagInfo" if spoken == "1.6" else "idTokenInfo"
    refusal: Json = {key: {"status": "Blocked"}}
    start = {**refusal, "transactionId": 7001} if spoken == "1.6" else refusal
    action = "StartTransaction" if spoken == "1.6" else "TransactionEvent"
    async with cloud_csms() as cloud:
        cloud.answers = {"Authorize": refusal, action: start}
        async with proxied(spoken, cloud) as site:
            await cloud.stop()
            await site.plug()
            await site.follows(16, 11_040)
            await cloud.start()
            await until(lambda: site.depot.state().transaction_id is None)
            assert site.charger.power_w == pytest.approx(0, abs=50)


async def test_local_policy_may_have_the_last_word(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud, final_word=FinalWord.LOCAL) as site:
        await until(lambda: bool(cloud.of("BootNotification")))
        await until(lambda: site.depot.state().confirmed_limit_a == 6)
        site.charger.plug(
            Vehicle(id="van-1", id_tag="STRANGER", capacity_wh=60_000, soc_pct=40.0, max_ac_w=7_400)
        )
        await cloud.hears("Authorize")  # it is told, and says yes
        for _ in range(10):
            await site.clock.sleep(1.0)
            assert site.charger.power_w == 0
