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


async def test_cancelled_while_it_fails_it_ends_all_the_same() -> None:
    failing, released = asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            failing.set()
            await released.wait()

    async def broken() -> None:
        await asyncio.sleep(0)
        raise KeyError("broken")

    async def for_ever() -> None:
        while True:
            try:
                await first_of(slow_to_end(), broken())
            except* KeyError:
                failing.clear()

    task = asyncio.create_task(for_ever())
    await failing.wait()
    task.cancel()  # the group is failing already: Python before 3.13 would report that alone
    released.set()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done == {task}
    assert task.cancelled()


async def test_one_that_fails_while_it_is_ended_is_heard_and_its_caller_goes_on() -> None:
    async def ends_badly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError("broken")

    with pytest.raises(ExceptionGroup) as caught:
        await first_of(ends_badly(), asyncio.sleep(0))
    assert [type(error) for error in caught.value.exceptions] == [KeyError]
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
