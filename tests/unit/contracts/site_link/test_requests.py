"""Who gets which answer, on a connection whose other side the test plays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.errors import LinkDownError, ProtocolError
from contracts.site_link.requests import Requests

PATIENCE_S = 60.0
NO_TIME_S = 0.0


class Broker:
    """`nats.aio.client.Client`, as far as requests need it."""

    def __init__(self) -> None:
        self.inbox = ""
        self.replies: list[str] = []
        self._heard: Callable[[Msg], Awaitable[None]] | None = None

    def new_inbox(self) -> str:
        return "_INBOX.me.1"

    async def subscribe(self, subject: str, cb: Callable[[Msg], Awaitable[None]]) -> None:
        self.inbox, self._heard = subject, cb

    async def publish(self, _subject: str, _data: bytes, reply: str) -> None:
        self.replies.append(reply)

    async def answers(self, reply: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        assert self._heard is not None
        await self._heard(
            Msg(_client=cast(Client, self), subject=reply, data=data, headers=headers)
        )


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def requests(broker: Broker) -> AsyncIterator[Requests]:
    made = Requests(cast(Client, broker))
    await made.open()
    yield made
    made.close()


async def test_each_gets_its_own_answer_in_whatever_order_they_come(
    broker: Broker, requests: Requests
) -> None:
    first = await requests.send("a", b"", PATIENCE_S, bytes.decode)
    second = await requests.send("b", b"", PATIENCE_S, bytes.decode)
    await broker.answers(broker.replies[1], b"to b")
    assert not first.done()
    await broker.answers(broker.replies[0], b"to a")
    assert (await first, await second) == ("to a", "to b")


async def test_all_answers_come_to_one_inbox_under_names_that_cannot_be_told_from_others(
    broker: Broker, requests: Requests
) -> None:
    for _ in range(100):
        await requests.send("a", b"", PATIENCE_S, bytes)
    assert broker.inbox == "_INBOX.me.1.*"
    assert all(reply.startswith("_INBOX.me.1.") for reply in broker.replies)
    tokens = {reply.rpartition(".")[2] for reply in broker.replies}
    assert len(tokens) == 100
    assert len({token[:8] for token in tokens}) == 100  # no counter, no common beginning
    assert all(len(token) == 24 for token in tokens)


async def test_no_answer_in_time_is_a_link_down(requests: Requests) -> None:
    waiting = await requests.send("site.a", b"", NO_TIME_S, bytes)
    with pytest.raises(LinkDownError, match=r"site\.a: timeout"):
        await waiting


async def test_who_has_more_time_goes_on_waiting_when_anothers_is_up(
    broker: Broker, requests: Requests
) -> None:
    patient = await requests.send("a", b"", PATIENCE_S, bytes)
    with pytest.raises(LinkDownError):
        await (await requests.send("b", b"", NO_TIME_S, bytes))
    with pytest.raises(LinkDownError):  # looked at again and again
        await (await requests.send("b", b"", NO_TIME_S, bytes))
    await broker.answers(broker.replies[0], b"here")
    assert await patient == b"here"


async def test_an_answer_that_comes_too_late_is_nobodys(broker: Broker, requests: Requests) -> None:
    late = await requests.send("a", b"", NO_TIME_S, bytes)
    with pytest.raises(LinkDownError):
        await late
    after = await requests.send("a", b"", PATIENCE_S, bytes)
    await broker.answers(broker.replies[0], b"late")
    assert not after.done()
    await broker.answers(broker.replies[1], b"in time")
    assert await after == b"in time"


async def test_of_two_answers_the_first_counts(broker: Broker, requests: Requests) -> None:
    asked = await requests.send("a", b"", PATIENCE_S, bytes)
    await broker.answers(broker.replies[0], b"first")
    await broker.answers(broker.replies[0], b"second")
    assert await asked == b"first"


@pytest.mark.parametrize("token", ["", "0", "*", ">", "x" * 4000, "a.b", "\u20ac"])
async def test_an_answer_to_what_was_never_asked_moves_nothing(
    broker: Broker, requests: Requests, token: str
) -> None:
    asked = await requests.send("a", b"", PATIENCE_S, bytes)
    await broker.answers(f"_INBOX.me.1.{token}", b"forged", {"Status": "503"})
    assert not asked.done()
    await broker.answers(broker.replies[0], b"true")
    assert await asked == b"true"


async def test_what_cannot_be_read_fails_its_asker_alone(
    broker: Broker, requests: Requests
) -> None:
    def refuse(_data: bytes) -> bytes:
        raise ProtocolError("nonsense")

    hostile = await requests.send("a", b"", PATIENCE_S, refuse)
    other = await requests.send("b", b"", PATIENCE_S, bytes)
    await broker.answers(broker.replies[0], b"\xff")
    await broker.answers(broker.replies[1], b"fine")
    with pytest.raises(ProtocolError, match="nonsense"):
        await hostile
    assert await other == b"fine"


async def test_that_nobody_listens_is_known_from_the_broker(
    broker: Broker, requests: Requests
) -> None:
    asked = await requests.send("site.a", b"", PATIENCE_S, bytes)
    await broker.answers(broker.replies[0], b"", {"Status": "503"})
    with pytest.raises(LinkDownError, match=r"site\.a: no responders"):
        await asked


async def test_when_the_connection_goes_nobody_waits_for_the_time_to_be_up(
    broker: Broker, requests: Requests
) -> None:
    asked = [await requests.send("a", b"", PATIENCE_S, bytes) for _ in range(3)]
    requests.close()
    for one in asked:
        with pytest.raises(LinkDownError, match="gone"):
            await one
    await broker.answers(broker.replies[0], b"from before")  # moves nothing


async def test_who_no_longer_waits_is_not_told(broker: Broker, requests: Requests) -> None:
    asked = await requests.send("a", b"", PATIENCE_S, bytes)
    asked.cancel()
    await broker.answers(broker.replies[0], b"here")
    also = await requests.send("a", b"", NO_TIME_S, bytes)
    also.cancel()
    with pytest.raises(LinkDownError):
        await (await requests.send("a", b"", NO_TIME_S, bytes))
    with pytest.raises(asyncio.CancelledError):
        await asked
