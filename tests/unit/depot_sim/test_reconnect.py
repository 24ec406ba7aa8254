"""The loop of a client: it waits, tries again, and ends when it is told to."""

from __future__ import annotations

import asyncio

import structlog

from contracts.backoff import Backoff
from contracts.errors import LinkDownError
from contracts.tasks import first_of
from contracts.testing import FakeClock
from depot_sim.reconnect import stay_connected

LOG = structlog.get_logger()


async def test_it_tries_again_later_and_stays_away_while_told() -> None:
    clock, tries, away_s = FakeClock(), [], 5.0

    async def attempt() -> None:
        tries.append(clock.monotonic())
        raise LinkDownError("nobody there")

    def still_away_s() -> float:
        return away_s - clock.monotonic()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            stay_connected(
                attempt,
                errors=(LinkDownError,),
                away_s=still_away_s,
                backoff=Backoff(2.0, 4.0, chance=lambda: 0.0),
                clock=clock,
                log=LOG,
            )
        )
        await clock.advance(20)
        task.cancel()
    assert tries == [5.0, 7.0, 11.0, 15.0, 19.0]


async def test_a_failing_connection_does_not_hide_the_order_to_stop() -> None:
    failing, released = asyncio.Event(), asyncio.Event()

    async def breaks() -> None:
        raise LinkDownError("cut")

    async def tidies_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            failing.set()
            await released.wait()

    task = asyncio.create_task(
        stay_connected(
            lambda: first_of(tidies_up(), breaks()),
            errors=(LinkDownError,),
            away_s=lambda: 0.0,
            backoff=Backoff(2.0, 4.0),
            clock=FakeClock(),
            log=LOG,
        )
    )
    await failing.wait()
    task.cancel()  # while the group of the connection is already failing
    released.set()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done == {task}
    assert task.cancelled()


async def test_an_unforeseen_error_ends_it() -> None:
    async def attempt() -> None:
        raise ZeroDivisionError

    error: BaseException | None = None
    try:
        await stay_connected(
            attempt,
            errors=(LinkDownError,),
            away_s=lambda: 0.0,
            backoff=Backoff(2.0, 4.0),
            clock=FakeClock(),
            log=LOG,
        )
    except* ZeroDivisionError as group:
        error = group
    assert error is not None
