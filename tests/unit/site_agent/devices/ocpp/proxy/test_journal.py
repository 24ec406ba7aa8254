"""What waits for the cloud: in order, over restarts, and never too much."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.errors import TransientError
from site_agent.devices.ocpp.proxy.journal import Journal, Told
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.ports import CloudQueue
from site_agent.store.memory import MemoryCloudQueue
from site_agent.store.sqlite import open_store

pytestmark = pytest.mark.row("safety:S7")


@pytest.fixture(params=["sqlite", "memory"])
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CloudQueue]:
    if request.param == "memory":
        yield MemoryCloudQueue()
        return
    store = open_store(tmp_path / "site.db", datetime(2026, 1, 1, tzinfo=UTC))
    yield store.cloud
    store.close()


def journal(queue: CloudQueue, *, most: int = 1000, live: bool = False) -> Journal:
    return Journal("CP1", queue, most=most, live=lambda: live, tally=Tally("CP1"))


def told(number: int, action: str = "TransactionEvent", *, samples: bool = False) -> Told:
    payload = {"seqNo": number}
    return Told(version=Version.V201, action=action, payload=payload, lasting=True, samples=samples)


async def drained(journal: Journal) -> list[object]:
    found = []
    while (head := await journal.head()) is not None:
        found.append(head[1].payload.get("seqNo", head[1].action))
        await journal.done(head[0], {})
    assert not journal.arrived.is_set()
    return found


async def test_in_order_and_once_over_a_restart(queue: CloudQueue) -> None:
    first = journal(queue)
    for number in range(5):
        await first.put(told(number))
    head = await first.head()
    assert head is not None
    await first.done(head[0], {})
    second = journal(queue)
    await second.load()
    await second.put(told(5))
    assert await drained(second) == [1, 2, 3, 4, 5]
    third = journal(queue)
    await third.load()
    assert len(third) == 0


async def test_samples_for_a_live_cloud_cost_no_write_until_it_is_away(queue: CloudQueue) -> None:
    held = journal(queue, live=True)
    await held.put(told(0))
    await held.put(told(1, samples=True))
    assert [samples for _, samples in await queue.waiting("CP1")] == [False]
    await held.keep()
    again = journal(queue)
    await again.load()
    assert await drained(again) == [0, 1]


async def test_at_the_bound_samples_are_thinned_and_events_are_kept(queue: CloudQueue) -> None:
    held = journal(queue, most=20)
    await held.put(told(0))
    for number in range(1, 100):
        await held.put(told(number, samples=True))
    await held.put(told(100))
    assert len(held) <= 20
    found = await drained(held)
    assert found == sorted(found, key=lambda number: int(str(number)))
    assert {0, 100} <= set(found)
    assert await queue.waiting("CP1") == []


async def test_of_a_status_the_newest_is_enough(queue: CloudQueue) -> None:
    held = journal(queue)
    for status in ("Preparing", "Charging", "Available"):
        for place in (1, 2):
            payload = {"connectorId": place, "status": status, "seqNo": f"{place} {status}"}
            await held.put(
                Told(
                    version=Version.V16,
                    action="StatusNotification",
                    payload=payload,
                    replaces=("status", place),
                )
            )
    assert await drained(held) == ["1 Available", "2 Available"]


async def test_what_passes_is_bounded_too(queue: CloudQueue) -> None:
    held = journal(queue)
    for number in range(1000):
        await held.put(Told(version=Version.V201, action="NotifyEvent", payload={"seqNo": number}))
    assert len(held) <= 300
    assert (await drained(held))[-1] == 999


async def test_what_cannot_be_read_any_more_blocks_nothing(queue: CloudQueue) -> None:
    await queue.put("CP1", 1, "{not json", samples=False)
    held = journal(queue)
    await held.load()
    await held.put(told(7))
    assert await drained(held) == [7]


class FullDisk(MemoryCloudQueue):
    """Takes nothing."""

    async def put(self, station: str, seq: int, body: str, *, samples: bool) -> None:
        raise TransientError("disk full")


async def test_on_a_full_disk_it_waits_in_memory() -> None:
    held = journal(FullDisk())
    for number in range(3):
        await held.put(told(number))
    assert await drained(held) == [0, 1, 2]
