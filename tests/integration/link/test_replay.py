"""Whoever can speak to a site says again what was true once: nothing comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contracts.site_link import subjects
from contracts.site_link.codec import decode, encode
from contracts.site_link.connection import Link
from contracts.site_link.messages import Instruction, InstructionAck, InstructionState
from site_agent.domain.instruction import in_force
from site_agent.flows.orders.instructions import Instructions
from site_agent.store.sqlite import SqliteStore, open_store
from site_agent.uplink.link import NatsUplink
from support.manual_clock import ManualClock
from support.site import instruction, model
from support.site_link import CLOCK, Net, running

SITE = "depot-1"


@dataclass(frozen=True)
class Agent:
    """A site's own instructions and database behind a real link, and a way to say anything."""

    clock: ManualClock
    instructions: Instructions
    store: SqliteStore
    link: Link
    old: Instruction
    new: Instruction

    async def told(self, message: Instruction) -> InstructionAck:
        subject = subjects.down(SITE, subjects.INSTRUCTION)
        answer = decode(await self.link.request(subject, encode(message), 10))
        assert isinstance(answer, InstructionAck)
        return answer

    def limits_w(self) -> list[float | None]:
        """What is executed now."""
        asked = in_force(self.instructions.held, self.clock.now())
        return [one.bounds.import_w for one in asked]


@pytest.fixture
async def agent(net: Net, tmp_path: Path) -> AsyncIterator[Agent]:
    clock = ManualClock()
    store, now = open_store(tmp_path / "site.sqlite", clock.now()), clock.now()
    old = instruction(90_000.0, site_id=SITE, seq=1, start=now)
    new = instruction(40_000.0, site_id=SITE, seq=2, start=now)
    async with _listening(net, clock, store) as (instructions, link):
        yield Agent(clock, instructions, store, link, old, new)
    store.close()


@asynccontextmanager
async def _listening(
    net: Net, clock: ManualClock, store: SqliteStore
) -> AsyncIterator[tuple[Instructions, Link]]:
    site = replace(model(), site_id=SITE)
    instructions = Instructions(site, store.instructions, clock, lambda: None)
    await instructions.load()
    uplink = NatsUplink(
        site_id=SITE,
        servers=net.servers,
        credentials=net.issue(SITE),
        outbox=store.outbox,
        instructions=instructions,
        clock=CLOCK,
        agent_version="test",
    )
    async with net.raw(net.gateway_login()) as (_, link):
        here = await link.subscribe(subjects.up(SITE, subjects.HELLO))
        async with running(uplink.run()):
            await anext(here)  # it listens before it says Hello
            yield instructions, link


@pytest.mark.row("portfolio:L2")
async def test_an_older_number_that_comes_late_is_refused(agent: Agent) -> None:
    assert (await agent.told(agent.new)).state is InstructionState.STORED
    late = await agent.told(agent.old)
    assert late.state is InstructionState.REJECTED
    assert late.reason == "number 1 is older than 2, already held"
    assert agent.limits_w() == [40_000.0]
    assert [one for one, _ in await agent.store.instructions.unfinished()] == [agent.new]


@pytest.mark.row("portfolio:L2")
async def test_what_was_replaced_is_not_taken_up_again(agent: Agent) -> None:
    """The same once more is acknowledged again, as after a lost answer, and changes nothing."""
    for message in (agent.old, agent.new, agent.old):
        assert (await agent.told(message)).state is InstructionState.STORED
    assert agent.limits_w() == [40_000.0]
    assert len(agent.instructions.held) == 2


@pytest.mark.row("portfolio:L2")
async def test_what_is_over_is_refused(agent: Agent) -> None:
    agent.clock.pass_s(7200)
    over = await agent.told(agent.new)
    assert over.state is InstructionState.REJECTED
    assert over.reason == f"expired at {agent.new.expires_at.isoformat()}"
    assert agent.limits_w() == []
    assert agent.instructions.last_seq() == 0
    assert not await agent.store.instructions.unfinished()


@pytest.mark.row("portfolio:L2")
async def test_a_number_cannot_be_given_to_something_else(agent: Agent) -> None:
    assert (await agent.told(agent.new)).state is InstructionState.STORED
    forged = replace(agent.new, steps=(replace(agent.new.steps[0], import_limit_w=1.0),))
    data = await agent.link.request(subjects.down(SITE, subjects.INSTRUCTION), encode(forged), 10)
    answer = decode(data)
    assert answer.kind == "refusal"
    assert agent.limits_w() == [40_000.0]
