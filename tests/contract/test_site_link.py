"""What every `gateway.ports.SiteLink` does, whatever carries it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from certs.pki import make_test_pki
from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.site_link import subjects
from contracts.site_link.codec import decode, encode
from contracts.site_link.connection import Link
from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Hello,
    Instruction,
    InstructionAck,
    InstructionState,
    Message,
    NumberedRow,
    Refusal,
    Welcome,
)
from gateway.ports import SiteLink
from gateway.sites.memory import MemorySiteLink
from site_agent.uplink.credentials import load_login
from support.site_link import CLOCK, GatewayHandler, Net, instruction, measurement, running

Receive = Callable[[Instruction], Awaitable[InstructionAck]]


class Peer(Protocol):
    """A site, reduced to what goes over the wire."""

    async def up(self, message: Hello | Batch) -> Message:
        """Send a request; LinkDownError when there is no answer."""
        ...


class Ends(Protocol):
    """A link that is running, and a way to put sites on it."""

    link: SiteLink

    def site(self, site_id: str, receive: Receive) -> AbstractAsyncContextManager[Peer]:
        """A site that listens while the context lasts."""
        ...


# --- without a network -------------------------------------------------------------------------


class MemoryPeer:
    def __init__(self, link: MemorySiteLink, site_id: str) -> None:
        self._link, self._site_id = link, site_id

    async def up(self, message: Hello | Batch) -> Message:
        return await self._link.up(self._site_id, message)


class MemoryEnds:
    def __init__(self, link: MemorySiteLink) -> None:
        self.link: SiteLink = link
        self._link = link

    @asynccontextmanager
    async def site(self, site_id: str, receive: Receive) -> AsyncIterator[Peer]:
        self._link.attach(site_id, receive)
        yield MemoryPeer(self._link, site_id)
        self._link.detach(site_id)


@asynccontextmanager
async def memory_ends(_folder: Path, handler: GatewayHandler) -> AsyncIterator[Ends]:
    link = MemorySiteLink(CLOCK)
    async with running(link.run(handler)):
        await link.listening.wait()
        yield MemoryEnds(link)


# --- over NATS ---------------------------------------------------------------------------------


class NatsPeer:
    def __init__(self, link: Link, site_id: str) -> None:
        self._link, self._site_id = link, site_id

    async def up(self, message: Hello | Batch) -> Message:
        subject = subjects.up(self._site_id, message.kind)
        return decode(await self._link.request(subject, encode(message), 0.5))


class NatsEnds:
    def __init__(self, net: Net, link: SiteLink) -> None:
        self.link = link
        self._net = net

    @asynccontextmanager
    async def site(self, site_id: str, receive: Receive) -> AsyncIterator[Peer]:
        folder = self._net.issue(site_id)
        async with self._net.raw(lambda: load_login(folder, site_id)) as (_, link):
            requests = await link.subscribe(subjects.down(site_id, subjects.INSTRUCTION))

            async def listen() -> None:
                async for request in requests:
                    message = decode(request.data)
                    assert isinstance(message, Instruction)
                    try:
                        await request.answer(encode(await receive(message)))
                    except TransientError:
                        continue

            async with running(listen()):
                yield NatsPeer(link, site_id)


@asynccontextmanager
async def nats_ends(folder: Path, handler: GatewayHandler) -> AsyncIterator[Ends]:
    net = Net(make_test_pki(folder / "pki", sites=["depot-1", "depot-2"]), folder)
    async with running(net.broker.run()):
        await net.broker.ready.wait()
        async with net.gateway(handler, answer_s=0.5) as link:
            yield NatsEnds(net, link)


# --- the contract ------------------------------------------------------------------------------


class Handler(GatewayHandler):
    """Fails on demand, and keeps the order of what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.log: list[str] = []

    async def hello(self, hello: Hello) -> Welcome:
        self.log.append("hello")
        if self.error:
            raise self.error
        return await super().hello(hello)

    async def batch(self, batch: Batch) -> BatchAck:
        self.log.append("batch")
        if self.error:
            raise self.error
        return await super().batch(batch)

    async def connected(self, site_id: str) -> None:
        self.log.append("connected")
        await super().connected(site_id)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture(params=[memory_ends, nats_ends], ids=["memory", "nats"])
async def ends(
    request: pytest.FixtureRequest, handler: Handler, tmp_path: Path
) -> AsyncIterator[Ends]:
    async with request.param(tmp_path, handler) as ends:
        handler.link = ends.link
        yield ends


def hello(site_id: str = "depot-1", last_instruction_seq: int = 0) -> Hello:
    return Hello(
        site_id=site_id,
        epoch="epoch-1",
        versions=(1,),
        last_instruction_seq=last_instruction_seq,
        outbox_head=0,
        agent_version="test",
        sent_at=CLOCK.now(),
    )


def batch(site_id: str = "depot-1") -> Batch:
    rows = (NumberedRow(seq=1, row=measurement(1)), NumberedRow(seq=2, row=measurement(2)))
    return Batch(site_id=site_id, epoch="epoch-1", rows=rows, sent_at=CLOCK.now())


def stored(instruction: Instruction) -> InstructionAck:
    return InstructionAck(
        instruction_id=instruction.instruction_id, state=InstructionState.STORED, at=CLOCK.now()
    )


async def store(instruction: Instruction) -> InstructionAck:
    return stored(instruction)


async def test_a_hello_is_answered_with_a_welcome(ends: Ends, handler: Handler) -> None:
    async with ends.site("depot-1", store) as site:
        said = hello()
        assert isinstance(await site.up(said), Welcome)
        assert handler.hellos == [said]


async def test_missed_instructions_are_asked_for_after_the_welcome(
    ends: Ends, handler: Handler
) -> None:
    received = []

    async def receive(instruction: Instruction) -> InstructionAck:
        received.append(instruction.site_seq)
        return stored(instruction)

    handler.unseen = [instruction("depot-1", 7), instruction("depot-1", 8)]
    async with ends.site("depot-1", receive) as site:
        await site.up(hello(last_instruction_seq=7))
        await handler.resent.reaches(1)
    assert received == [8]
    assert handler.log == ["hello", "connected"]


async def test_a_batch_is_acknowledged_when_it_is_stored(ends: Ends, handler: Handler) -> None:
    async with ends.site("depot-1", store) as site:
        ack = await site.up(batch())
        assert isinstance(ack, BatchAck)
        assert (ack.epoch, ack.seq) == ("epoch-1", 2)
        assert handler.stored.value == 2


@pytest.mark.parametrize("message", [hello("depot-2"), batch("depot-2")], ids=["hello", "batch"])
async def test_a_message_in_another_sites_name_is_refused(
    ends: Ends, handler: Handler, message: Hello | Batch
) -> None:
    async with ends.site("depot-1", store) as site:
        answer = await site.up(message)
        assert isinstance(answer, Refusal)
        assert "names another site" in answer.reason
        assert handler.log == []


@pytest.mark.parametrize("error", [ProtocolError("nonsense"), PermanentError("unknown epoch")])
@pytest.mark.parametrize("message", [hello(), batch()], ids=["hello", "batch"])
async def test_what_the_gateway_will_never_take_is_refused_with_its_reason(
    ends: Ends, handler: Handler, message: Hello | Batch, error: Exception
) -> None:
    handler.error = error
    async with ends.site("depot-1", store) as site:
        assert await site.up(message) == Refusal(reason=str(error))


async def test_what_the_gateway_cannot_take_now_is_not_answered(
    ends: Ends, handler: Handler
) -> None:
    handler.error = TransientError("database busy")
    async with ends.site("depot-1", store) as site:
        with pytest.raises(LinkDownError):
            await site.up(batch())
        handler.error = None
        assert isinstance(await site.up(batch()), BatchAck)


async def test_an_instruction_arrives_whole_and_its_answer_comes_back(ends: Ends) -> None:
    received = []

    async def refuse(instruction: Instruction) -> InstructionAck:
        received.append(instruction)
        return InstructionAck(
            instruction_id=instruction.instruction_id,
            state=InstructionState.REJECTED,
            reason="out of service",
            at=CLOCK.now(),
        )

    async with ends.site("depot-1", refuse):
        sent = instruction("depot-1")
        ack = await (await ends.link.send(sent))
        assert received == [sent]
        assert (ack.state, ack.reason) == (InstructionState.REJECTED, "out of service")


async def test_a_site_that_does_not_listen_is_a_link_down(ends: Ends) -> None:
    async with ends.site("depot-2", store):
        with pytest.raises(LinkDownError):
            await (await ends.link.send(instruction("depot-1")))


async def test_a_site_that_left_is_a_link_down(ends: Ends) -> None:
    async with ends.site("depot-1", store):
        await (await ends.link.send(instruction("depot-1")))
    with pytest.raises(LinkDownError):
        await (await ends.link.send(instruction("depot-1")))


async def test_a_site_that_does_not_answer_is_a_link_down(ends: Ends) -> None:
    async def busy(_instruction: Instruction) -> InstructionAck:
        raise TransientError("disk busy")

    async with ends.site("depot-1", busy):
        with pytest.raises(LinkDownError):
            await (await ends.link.send(instruction("depot-1")))


async def test_an_answer_to_something_else_counts_as_rejection(ends: Ends) -> None:
    async def confused(_instruction: Instruction) -> InstructionAck:
        return stored(instruction("depot-1", 99))

    async with ends.site("depot-1", confused):
        ack = await (await ends.link.send(instruction("depot-1", 1)))
        assert ack.state is InstructionState.REJECTED
        assert ack.instruction_id == "depot-1-1"


@pytest.mark.parametrize("site_id", ["*", ">", "depot-1.down"])
async def test_an_instruction_cannot_be_addressed_to_several_sites(
    ends: Ends, site_id: str
) -> None:
    async with ends.site("depot-1", store):
        with pytest.raises(PermanentError):
            await (await ends.link.send(instruction(site_id)))


async def test_sites_do_not_hear_each_others_instructions(ends: Ends) -> None:
    heard: list[str] = []

    def listener(name: str) -> Receive:
        async def receive(instruction: Instruction) -> InstructionAck:
            heard.append(name)
            return stored(instruction)

        return receive

    async with (
        ends.site("depot-1", listener("depot-1")),
        ends.site("depot-2", listener("depot-2")),
    ):
        await (await ends.link.send(instruction("depot-2")))
    assert heard == ["depot-2"]
