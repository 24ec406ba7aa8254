"""The outbox: stored before sent, in order, once, whatever dies in between."""

from __future__ import annotations

import pytest

from contracts.errors import LinkDownError, PermanentError, ProtocolError
from contracts.testing import FakeClock
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import (
    MAX_GARBLED_ANSWERS,
    MAX_WAITING,
    MESSAGES_PER_S,
    Message,
    Sep2Outbox,
)
from gateway.utility.sep2.transport import BusyError
from support.sep2_acting import UTILITY, FakeWire, FragileMemory, PowerCutError, running

LONG_S = 3600.0


def message(key: str, href: str = "/rsps/1/r") -> Message:
    return Message(key=key, href=href, kind="Response", body=f"<{key}/>")


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.memory = FragileMemory()
        self.wire = FakeWire()

    async def outbox(self) -> Sep2Outbox:
        """A fresh process over the same memory and server."""
        made = Sep2Outbox(Sep2Memory(self.memory, UTILITY), self.wire, self.wire, self.clock)
        await made.restore()
        return made

    @property
    def bodies(self) -> list[str]:
        return [body for _, body in self.wire.taken]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_lane_arrives_in_order(bench: Bench) -> None:
    outbox = await bench.outbox()
    await outbox.put("A", message("1"), message("2"))
    await outbox.put("A", message("3"))
    async with running(outbox.run()):
        await bench.clock.advance(1)
    assert bench.bodies == ["<1/>", "<2/>", "<3/>"]
    assert outbox.waiting == 0


async def test_the_same_key_is_sent_once_even_after_a_restart(bench: Bench) -> None:
    outbox = await bench.outbox()
    await outbox.put("A", message("m/1"), message("m/1"))
    async with running(outbox.run()):
        await bench.clock.advance(1)
        await outbox.put("A", message("m/1"))
        await bench.clock.advance(1)
    outbox = await bench.outbox()
    await outbox.put("A", message("m/1"))
    async with running(outbox.run()):
        await bench.clock.advance(1)
    assert bench.bodies == ["<m/1/>"]


async def test_the_same_key_of_two_devices_is_sent_twice(bench: Bench) -> None:
    outbox = await bench.outbox()
    await outbox.put("A", message("m/1"))
    await outbox.put("B", message("m/1"))
    async with running(outbox.run()):
        await bench.clock.advance(1)
    assert bench.bodies == ["<m/1/>", "<m/1/>"]


async def test_trouble_of_the_server_keeps_the_order_of_a_lane_and_spares_the_others(
    bench: Bench,
) -> None:
    outbox = await bench.outbox()
    bench.wire.trouble = [BusyError("503", None), None]
    await outbox.put("A", message("1"), message("2"))
    await outbox.put("B", message("x"))
    async with running(outbox.run()):
        await bench.clock.advance(0.1)
        assert bench.bodies == ["<x/>"]
        await bench.clock.advance(LONG_S)
    assert bench.bodies == ["<x/>", "<1/>", "<2/>"]


async def test_retry_after_is_obeyed(bench: Bench) -> None:
    outbox = await bench.outbox()
    bench.wire.trouble = [BusyError("429", 120.0)]
    await outbox.put("A", message("1"))
    async with running(outbox.run()):
        await bench.clock.advance(119)
        assert bench.bodies == []
        await bench.clock.advance(2)
    assert bench.bodies == ["<1/>"]


async def test_a_message_refused_for_good_does_not_block_the_rest(bench: Bench) -> None:
    outbox = await bench.outbox()
    bench.wire.trouble = [PermanentError("HTTP 400")]
    await outbox.put("A", message("1"), message("2"))
    async with running(outbox.run()):
        await bench.clock.advance(1)
        await outbox.put("A", message("1"))
        await bench.clock.advance(1)
    assert bench.bodies == ["<2/>"]
    assert outbox.waiting == 0


async def test_garbled_answers_are_given_up_after_a_while(bench: Bench) -> None:
    outbox = await bench.outbox()
    bench.wire.trouble = [ProtocolError("nonsense")] * MAX_GARBLED_ANSWERS
    await outbox.put("A", message("1"), message("2"))
    async with running(outbox.run()):
        await bench.clock.advance(LONG_S)
    assert bench.bodies == ["<2/>"]


@pytest.mark.row("sep2:42")
async def test_hours_without_a_link_are_followed_by_a_trickle(bench: Bench) -> None:
    outbox = await bench.outbox()
    lanes, each = 50, 4
    down = True

    async def link(_: str) -> None:
        if down:
            raise LinkDownError("no route")

    bench.wire.before = link
    for lane in range(lanes):
        await outbox.put(f"L{lane}", *(message(f"{lane}/{n}") for n in range(each)))
    async with running(outbox.run()):
        await bench.clock.advance(3 * LONG_S)
        assert bench.wire.taken == []
        down = False
        total = 0
        while outbox.waiting:
            await bench.clock.advance(1)
            assert len(bench.wire.taken) - total <= MESSAGES_PER_S + 1
            total = len(bench.wire.taken)
            assert bench.clock.monotonic() < 4 * LONG_S
    assert sorted(bench.bodies) == sorted(f"<{a}/{b}/>" for a in range(lanes) for b in range(each))


async def test_while_the_link_is_down_attempts_are_few(bench: Bench) -> None:
    outbox = await bench.outbox()
    tries = 0

    async def link(_: str) -> None:
        nonlocal tries
        tries += 1
        raise LinkDownError("no route")

    bench.wire.before = link
    for lane in range(100):
        await outbox.put(f"L{lane}", message("1"))
    async with running(outbox.run()):
        await bench.clock.advance(LONG_S)
    assert 5 < tries < 200


@pytest.mark.parametrize("shown", [True, False])
async def test_an_answer_lost_is_looked_up_before_sending_again(bench: Bench, shown: bool) -> None:
    outbox = await bench.outbox()
    bench.wire.lose_answers = [LinkDownError("reset")]
    bench.wire.shows_lists = shown
    await outbox.put("A", message("1"), message("2"))
    async with running(outbox.run()):
        await bench.clock.advance(60)
    again = [] if shown else ["<1/>"]  # it cannot be known otherwise
    assert bench.bodies == ["<1/>", *again, "<2/>"]
    assert bench.wire.asked == ["1"]


@pytest.mark.parametrize("die_at", range(1, 6))
async def test_a_kill_at_any_write_neither_loses_nor_doubles(bench: Bench, die_at: int) -> None:
    bench.memory.die_at = die_at

    async def life() -> None:
        outbox = await bench.outbox()
        await outbox.put("A", message("1"), message("2"), state={"step": 1})
        await outbox.put("A", message("3"), state={"step": 2})
        async with running(outbox.run()):
            await bench.clock.advance(60)

    try:
        await life()
    except* PowerCutError:
        await life()
    assert bench.bodies == ["<1/>", "<2/>", "<3/>"]
    assert (await bench.outbox()).states() == {"A": {"step": 2}}


async def test_state_and_messages_are_one_write(bench: Bench) -> None:
    outbox = await bench.outbox()
    await outbox.put("A", message("1"), state={"seen": ["1"]})
    assert bench.memory.writes == 1
    await outbox.put("A", state={"seen": ["1"]})
    assert bench.memory.writes == 1  # nothing new: nothing written
    again = await bench.outbox()
    assert again.state("A") == {"seen": ["1"]}
    assert again.waiting == 1


async def test_a_lane_is_bounded(bench: Bench) -> None:
    outbox = await bench.outbox()
    await outbox.put("A", *(message(str(n)) for n in range(MAX_WAITING + 5)))
    assert outbox.waiting == MAX_WAITING
    async with running(outbox.run()):
        await bench.clock.advance(2)
    assert bench.bodies[0] == "<5/>"


async def test_a_forgotten_lane_is_silent(bench: Bench) -> None:
    outbox = await bench.outbox()
    await outbox.put("A", message("1"), state=1)
    await outbox.forget("A")
    async with running(outbox.run()):
        await bench.clock.advance(2)
    assert bench.bodies == []
    assert (await bench.outbox()).states() == {}
