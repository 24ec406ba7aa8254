import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.sites.lanes import Lanes


class Worker:
    """Notes what it got; holds every item of a stalled site."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.stalled: set[str] = set()
        self.idle = asyncio.Event()

    async def __call__(self, site_id: str, item: int) -> None:
        if site_id in self.stalled:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        self.done.append((site_id, item))


@asynccontextmanager
async def lanes_of(worker: Worker) -> AsyncIterator[Lanes[int]]:
    async with asyncio.TaskGroup() as group:
        tasks = group.create_task(asyncio.Event().wait())
        inner = asyncio.TaskGroup()
        async with inner:
            yield Lanes(inner, worker)
            for _ in range(100):
                await asyncio.sleep(0)
            for task in inner._tasks:
                task.cancel()
        tasks.cancel()


async def test_items_of_one_site_stay_in_order() -> None:
    worker = Worker()
    async with lanes_of(worker) as lanes:
        assert all(lanes.put("depot-1", number) for number in range(5))
    assert worker.done == [("depot-1", number) for number in range(5)]


async def test_a_stalled_site_holds_nobody_else() -> None:
    worker = Worker()
    worker.stalled.add("depot-1")
    async with lanes_of(worker) as lanes:
        lanes.put("depot-1", 1)
        lanes.put("depot-2", 1)
    assert worker.done == [("depot-2", 1)]


async def test_a_flood_is_turned_away() -> None:
    worker = Worker()
    worker.stalled.add("depot-1")
    async with lanes_of(worker) as lanes:
        taken = sum(lanes.put("depot-1", number) for number in range(1000))
        assert taken == 32
        assert lanes.put("depot-2", 1)
