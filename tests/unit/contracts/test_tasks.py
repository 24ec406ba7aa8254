import asyncio

import pytest

from contracts.tasks import first_of


async def test_when_one_returns_the_others_are_cancelled_and_awaited() -> None:
    ended = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("slow")

    async def quick() -> None:
        await asyncio.sleep(0)
        ended.append("quick")

    await first_of(slow(), quick())
    assert ended == ["quick", "slow"]


async def test_a_failure_cancels_the_others_and_comes_out() -> None:
    cancelled = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def broken() -> None:
        await asyncio.sleep(0)
        raise KeyError("broken")

    with pytest.raises(ExceptionGroup) as caught:
        await first_of(slow(), broken())
    assert [type(error) for error in caught.value.exceptions] == [KeyError]
    assert cancelled.is_set()


async def test_cancelled_from_outside_it_cancels_all() -> None:
    cancelled = []

    async def slow(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(name)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(first_of(slow("a"), slow("b")))
        await asyncio.sleep(0.01)
        task.cancel()
    assert sorted(cancelled) == ["a", "b"]
