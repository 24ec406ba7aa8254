import asyncio
from contextlib import suppress
from typing import Any, cast

import nats.errors
import pytest
from nats.aio.client import Client

from contracts.errors import LinkDownError, PermanentError
from contracts.site_link.connection import Link


class Swallowing:
    """As nats-py on Python 3.11: its own outcome that meets a cancellation wins."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def new_inbox(self) -> str:
        return "_INBOX"

    async def publish(self, *_: Any, **__: Any) -> None:
        self.asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def test_a_cancellation_that_meets_the_outcome_is_not_lost() -> None:
    client = Swallowing()
    link = Link(cast(Client, client))
    went_on = False

    async def work() -> None:
        nonlocal went_on
        await link.ask("subject", b"", 1.0, bytes)
        went_on = True

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await client.asked.wait()
        task.cancel()
    assert task.cancelled()
    assert not went_on


class Failing:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def new_inbox(self) -> str:
        return "_INBOX"

    async def publish(self, *_: Any, **__: Any) -> None:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        nats.errors.TimeoutError(),
        nats.errors.ConnectionClosedError(),
        nats.errors.OutboundBufferLimitError(),
        ConnectionResetError("reset"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_breaks_the_link_is_a_link_down(error: Exception) -> None:
    with pytest.raises(LinkDownError, match="subject"):
        await Link(cast(Client, Failing(error))).request("subject", b"", 1.0)


async def test_too_large_will_never_fit() -> None:
    link = Link(cast(Client, Failing(nats.errors.MaxPayloadError())))
    with pytest.raises(PermanentError, match="larger"):
        await link.request("subject", b"", 1.0)
