from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from contracts.errors import LinkDownError, TransientError
from site_agent.devices.ocpp.wire.frames import Answer, CallRefusedError, Json, NoAnswerError
from site_agent.devices.ocpp.wire.outbox import Outbox, Priority, Request, SupersededError


@dataclass
class Wire:
    """Remembers what was sent; answers on demand."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    deaf: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, message_id: str, request: Request) -> None:
        self.sent.append((message_id, request.action))
        self.news.set()

    def hear_nothing(self) -> None:
        self.deaf += 1

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(60):
            await self.news.wait()
        self.news.clear()
        return self.sent[-1]


@asynccontextmanager
async def running(timeout_s: float = 5.0) -> AsyncIterator[tuple[Outbox, Wire]]:
    wire = Wire()
    outbox = Outbox(wire.send, timeout_s=timeout_s, deaf=wire.hear_nothing)
    try:
        yield outbox, wire
    finally:
        outbox.close()


async def outcome(work: Awaitable[Json]) -> object:
    try:
        return await work
    except (TransientError, CallRefusedError) as error:
        return error


def ask(
    outbox: Outbox, name: str, priority: Priority = Priority.ROUTINE, *, vital: bool = True
) -> Awaitable[Json]:
    return outbox.call(request(name), key=name, priority=priority, vital=vital)


def request(name: str) -> Request:
    return Request(action=name, payload={})


async def test_one_in_flight_and_limits_first() -> None:
    async with running() as (outbox, wire), asyncio.TaskGroup() as tasks:
        tasks.create_task(outcome(ask(outbox, "Config")))
        message_id, _ = await wire.next()
        for name, priority in (("Trigger", Priority.ROUTINE), ("Limit", Priority.LIMIT),
                               ("Rest", Priority.RESTING)):  # fmt: skip
            tasks.create_task(outcome(ask(outbox, name, priority)))
        await asyncio.sleep(0)
        assert len(wire.sent) == 1
        for _ in range(4):
            assert outbox.settle(Answer(message_id, {}))
            if len(wire.sent) < 4:
                message_id, _ = await wire.next()
        assert [name for _, name in wire.sent] == ["Config", "Limit", "Rest", "Trigger"]


async def test_an_unsent_call_gives_way() -> None:
    async with running() as (outbox, wire), asyncio.TaskGroup() as tasks:
        tasks.create_task(outcome(ask(outbox, "Config")))
        message_id, _ = await wire.next()
        old = tasks.create_task(
            outcome(outbox.call(request("A"), key="k", priority=Priority.LIMIT))
        )
        await asyncio.sleep(0)
        new = tasks.create_task(
            outcome(outbox.call(request("B"), key="k", priority=Priority.LIMIT))
        )
        assert isinstance(await old, SupersededError)
        outbox.settle(Answer(message_id, {}))
        message_id, _ = await wire.next()
        outbox.settle(Answer(message_id, {"status": "Accepted"}))
        assert await new == {"status": "Accepted"}
        assert [name for _, name in wire.sent] == ["Config", "B"]


@pytest.mark.row("library:L3")
async def test_closing_fails_everything_at_once() -> None:
    async with running(timeout_s=60) as (outbox, wire), asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(outcome(ask(outbox, name))) for name in ("A", "B", "C")]
        await wire.next()
        outbox.close()
        outcomes = [await task for task in waiting]
        assert all(isinstance(error, LinkDownError) for error in outcomes)
        assert isinstance(await outcome(ask(outbox, "D")), LinkDownError)


async def test_the_end_of_a_connection_leaves_nobody_hanging() -> None:
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        async with running(timeout_s=60) as (outbox, wire):
            waiting = tasks.create_task(outcome(ask(outbox, "A")))
            await wire.next()
        assert isinstance(await waiting, LinkDownError)


async def test_a_caller_that_gives_up_does_not_free_the_slot() -> None:
    async with running() as (outbox, wire), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(outcome(ask(outbox, "A")))
        message_id, _ = await wire.next()
        first.cancel()
        second = tasks.create_task(outcome(ask(outbox, "B")))
        await asyncio.sleep(0)
        assert len(wire.sent) == 1
        outbox.settle(Answer(message_id, {}))
        message_id, name = await wire.next()
        assert name == "B"
        outbox.settle(Answer(message_id, {}))
        await second


async def test_a_caller_that_gives_up_early_is_never_sent() -> None:
    async with running() as (outbox, wire), asyncio.TaskGroup() as tasks:
        tasks.create_task(outcome(ask(outbox, "A")))
        message_id, _ = await wire.next()
        second = tasks.create_task(outcome(ask(outbox, "B")))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        third = tasks.create_task(outcome(ask(outbox, "C")))
        outbox.settle(Answer(message_id, {}))
        message_id, _ = await wire.next()
        outbox.settle(Answer(message_id, {}))
        await third
        assert [name for _, name in wire.sent] == ["A", "C"]


async def test_a_caller_that_gives_up_when_its_turn_comes_passes_it_on() -> None:
    async with running() as (outbox, wire), asyncio.TaskGroup() as tasks:
        tasks.create_task(outcome(ask(outbox, "A")))
        message_id, _ = await wire.next()
        second = tasks.create_task(outcome(ask(outbox, "B")))
        third = tasks.create_task(outcome(ask(outbox, "C")))
        await asyncio.sleep(0)
        outbox.settle(Answer(message_id, {}))
        second.cancel()
        message_id, name = await wire.next()
        assert name == "C"
        outbox.settle(Answer(message_id, {}))
        assert await third == {}


async def test_a_socket_that_breaks_in_mid_send_frees_the_slot() -> None:
    def broken(message_id: str, sent: Request) -> None:
        raise LinkDownError("connection closed")

    outbox = Outbox(broken, timeout_s=60, deaf=lambda: None)
    assert isinstance(await outcome(ask(outbox, "A")), LinkDownError)
    assert isinstance(await outcome(ask(outbox, "B")), LinkDownError)


@pytest.mark.row("pitfall:P13")
async def test_three_vital_calls_unanswered_in_a_row_mean_deaf() -> None:
    async with running(timeout_s=0.01) as (outbox, wire):
        assert isinstance(await outcome(ask(outbox, "A")), NoAnswerError)
        assert isinstance(await outcome(ask(outbox, "B", vital=False)), NoAnswerError)
        assert isinstance(await outcome(ask(outbox, "C")), NoAnswerError)
        assert wire.deaf == 0
        assert isinstance(await outcome(ask(outbox, "D")), NoAnswerError)
        assert wire.deaf == 1


async def test_an_answer_between_starts_the_count_anew() -> None:
    async with running(timeout_s=0.05) as (outbox, wire), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            await outcome(ask(outbox, "A"))
            await outcome(ask(outbox, "B"))
            wire.news.clear()
            answered = tasks.create_task(outcome(ask(outbox, "C")))
            message_id, _ = await wire.next()
            outbox.settle(Answer(message_id, CallRefusedError("NotSupported")))
            assert isinstance(await answered, CallRefusedError)
        assert wire.deaf == 0


async def test_a_late_answer_is_nobodys() -> None:
    async with running(timeout_s=0.01) as (outbox, wire):
        await outcome(ask(outbox, "A"))
        assert not outbox.settle(Answer(wire.sent[0][0], {}))


async def test_the_queue_is_bounded() -> None:
    async with running() as (outbox, wire), asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(outcome(ask(outbox, "in flight")))]
        await wire.next()
        waiting += [tasks.create_task(outcome(ask(outbox, f"call-{n}"))) for n in range(32)]
        await asyncio.sleep(0)
        refused = await outcome(ask(outbox, "one too many"))
        assert isinstance(refused, TransientError)
        assert "too many" in str(refused)
        outbox.close()
        outcomes = [await task for task in waiting]
        assert all(isinstance(error, LinkDownError) for error in outcomes)
