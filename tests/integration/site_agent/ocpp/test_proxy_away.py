"""A cloud CSMS that is away or slow, an agent that restarts, a disk in trouble: no harm done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from contracts.errors import TransientError
from site_agent.store.memory import MemoryCloudQueue
from site_agent.store.sqlite import open_store
from support.cloud_csms import cloud_csms
from support.cloud_site import Site, in_order, proxied
from support.waiting import until

pytestmark = [
    pytest.mark.row("safety:S7"),
    pytest.mark.xdist_group("realtime-ocpp"),
]


async def test_a_cloud_that_is_down_harms_nothing_and_hears_it_all_later(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await cloud.stop()
        await site.plug()
        await site.follows(16, 11_040)
        await site.unplug()
        assert not site.starts
        await cloud.start()
        await until(lambda: len(site.stops) == 1)
        await until(lambda: not site.waiting)
        in_order(site)


async def test_a_cloud_that_goes_in_the_middle(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await cloud.stop()
        await site.follows(16, 11_040)
        await until(lambda: site.waiting >= 3)
        await cloud.start()
        await site.follows(8, 5_520)
        await site.unplug()
        await until(lambda: len(site.stops) == 1)
        await until(lambda: not site.waiting)
        in_order(site)


async def test_the_agent_restarts_while_the_cloud_is_away(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await cloud.result("SetChargingProfile", site.profile(10))
        await cloud.stop()
        await site.keeps(2)
        await site.stop_agent()
        await site.start_agent()
        assert site.waiting >= 2
        await site.follows(16, 6_900)  # the cloud's profile is still kept
        await site.unplug()
        await cloud.start()
        await until(lambda: len(site.stops) == 1)
        await until(lambda: not site.waiting)
        in_order(site)
        if site.is_16:
            assert site.stops[0]["transactionId"] == 7001


async def test_a_slow_cloud_delays_nobody(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud, patience_s=1.0) as site:
        await until(lambda: cloud.connected)
        cloud.held.clear()
        await site.plug()
        await site.follows(16, 11_040)
        assert not site.stops
        cloud.held.set()
        await site.unplug()
        await until(lambda: len(site.stops) == 1)


async def test_what_waits_survives_on_the_real_file(spoken: str, tmp_path: Path) -> None:
    async with cloud_csms() as cloud:
        site = Site(spoken, cloud)
        store = site.use(open_store(tmp_path / "site.db", site.clock.now()))
        await site.start_agent()
        async with site.charging_station():
            await until(lambda: bool(cloud.of("BootNotification")))
            await cloud.stop()
            await site.plug()
            await site.keeps(1)
            await site.stop_agent()
            store.close()
            store = site.use(open_store(tmp_path / "site.db", site.clock.now()))
            await site.start_agent()
            assert site.waiting >= 1
            await site.follows(16, 11_040)
            await site.unplug()
            await cloud.start()
            await until(lambda: len(site.stops) == 1 and not site.waiting)
            in_order(site, cut=1)
        await site.stop_agent()
        store.close()


class LockedFile(MemoryCloudQueue):
    """Does not let go of what it has."""

    async def delete(self, station: str, seqs: Sequence[int]) -> None:
        raise TransientError("locked")


async def test_a_disk_in_trouble_stops_neither_charging_nor_the_agent(spoken: str) -> None:
    async with cloud_csms() as cloud:
        site = Site(spoken, cloud, queue=LockedFile())
        await site.start_agent()
        async with site.charging_station():
            await site.plug()
            await until(lambda: len(site.starts) >= 1)
            await site.follows(16, 11_040)
            await site.unplug()
        await site.stop_agent()
