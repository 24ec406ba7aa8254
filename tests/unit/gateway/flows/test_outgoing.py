"""What is sent to sites, and in which order, over a link whose answers the test gives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import LinkDownError, PermanentError
from contracts.site_link.messages import (
    Fallback,
    Instruction,
    InstructionAck,
    InstructionState,
    InstructionStatus,
)
from contracts.testing import FakeClock
from gateway.domain.portfolio import Site
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.ports import Ledger, SiteLink
from support.waiting import until

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
SITES = ("depot-1", "depot-2")


def told(site_id: str, seq: int, *, lasts: timedelta = timedelta(hours=1)) -> Instruction:
    return Instruction(
        instruction_id=f"{site_id}/{seq}",
        site_id=site_id,
        site_seq=seq,
        event_id="e",
        program_id="p",
        issued_at=T0,
        start=T0,
        expires_at=T0 + lasts,
        steps=(),
        fallback=Fallback(),
    )


class Desk:
    """Link and ledger: what was sent, what was stored."""

    def __init__(self) -> None:
        self.clock = FakeClock(T0)
        self.sent: list[str] = []
        self.stored: list[str] = []
        self.unsendable: dict[str, Exception] = {}
        self._waiting: dict[str, asyncio.Future[InstructionAck]] = {}
        live = Live(
            [Site(site_id=s, name=s, time_zone=ZoneInfo("UTC"), import_limit_w=1e5) for s in SITES],
            self.clock,
            offline_after=timedelta(minutes=1),
        )
        self.outgoing = Outgoing(cast(SiteLink, self), cast(Ledger, self), live, self.clock)

    async def send(self, one: Instruction) -> asyncio.Future[InstructionAck]:
        if one.instruction_id in self.unsendable:
            raise self.unsendable[one.instruction_id]
        self.sent.append(one.instruction_id)
        self._waiting[one.instruction_id] = asyncio.Future()
        return self._waiting[one.instruction_id]

    async def put_statuses(self, statuses: list[tuple[str, InstructionStatus]]) -> None:
        self.stored += [status.instruction_id for _, status in statuses]

    def takes(self, name: str) -> None:
        ack = InstructionAck(instruction_id=name, state=InstructionState.STORED, at=T0)
        self._waiting[name].set_result(ack)

    def loses(self, name: str) -> None:
        self._waiting[name].set_exception(LinkDownError("timeout"))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.outgoing.run())
            await asyncio.sleep(0)
            yield
            task.cancel()


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_one_site_waits_for_its_answer_and_no_other_site_does(desk: Desk) -> None:
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1), told("depot-1", 2), told("depot-2", 1)])
        await until(lambda: len(desk.sent) == 2)
        assert desk.sent == ["depot-1/1", "depot-2/1"]
        desk.takes("depot-1/1")
        await until(lambda: len(desk.sent) == 3)
        assert desk.sent[-1] == "depot-1/2"
        await until(lambda: desk.stored == ["depot-1/1"])


async def test_what_is_lost_holds_up_nothing_and_may_be_sent_again(desk: Desk) -> None:
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1), told("depot-1", 2)])
        await until(lambda: desk.sent == ["depot-1/1"])
        desk.loses("depot-1/1")
        await until(lambda: desk.sent == ["depot-1/1", "depot-1/2"])
        desk.outgoing.send([told("depot-1", 1)])
        desk.takes("depot-1/2")
        await until(lambda: desk.sent == ["depot-1/1", "depot-1/2", "depot-1/1"])


async def test_what_is_under_way_is_not_sent_twice(desk: Desk) -> None:
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1), told("depot-1", 1), told("depot-2", 1)])
        await until(lambda: desk.sent == ["depot-1/1", "depot-2/1"])
        desk.takes("depot-1/1")
        await until(lambda: desk.stored == ["depot-1/1"])
        assert desk.sent == ["depot-1/1", "depot-2/1"]


async def test_what_has_expired_while_it_waited_is_not_sent(desk: Desk) -> None:
    short = told("depot-1", 2, lasts=timedelta(minutes=1))
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1), short, told("depot-1", 3)])
        await until(lambda: desk.sent == ["depot-1/1"])
        await desk.clock.advance(120)
        desk.takes("depot-1/1")
        await until(lambda: desk.sent == ["depot-1/1", "depot-1/3"])


@pytest.mark.parametrize("error", [LinkDownError("down"), PermanentError("too large")])
async def test_what_cannot_be_sent_stops_nobody(desk: Desk, error: Exception) -> None:
    desk.unsendable["depot-1/1"] = error
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1), told("depot-1", 2), told("depot-2", 1)])
        await until(lambda: sorted(desk.sent) == ["depot-1/2", "depot-2/1"])


async def test_the_loop_has_its_turn_before_all_are_sent(desk: Desk) -> None:
    many = [told(f"depot-{n}", 1) for n in range(1200)]
    async with desk.at_work():
        desk.outgoing.send(many)
        await until(lambda: len(desk.sent) > 0)
        assert len(desk.sent) < len(many)
        while len(desk.sent) < len(many):
            before = len(desk.sent)
            await desk.clock.advance(0)
            await until(lambda before=before: len(desk.sent) > before)  # type: ignore[misc]
    assert desk.sent == [one.instruction_id for one in many]


async def test_it_may_be_run_again_and_knows_nothing_of_before(desk: Desk) -> None:
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1)])
        await until(lambda: desk.sent == ["depot-1/1"])
    desk.outgoing.send([told("depot-2", 1)])  # nothing runs: the ledger has it
    async with desk.at_work():
        desk.outgoing.send([told("depot-1", 1)])
        await until(lambda: desk.sent == ["depot-1/1", "depot-1/1"])
