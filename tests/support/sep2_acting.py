"""Small in-memory stand-ins for what the acting half of the IEEE 2030.5 client needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from contracts.sep2.resources import Resource
from gateway.utility.sep2.outbox import Message

UTILITY = "utility-1"


class PowerCutError(Exception):
    """The process died right here."""


class FragileMemory:
    """`UtilityMemory` that takes only JSON, and may die before or after any of its writes."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str, str], object] = {}
        self.writes = 0
        self.die_at: int | None = None
        """Number of the write that is done, but never returns."""

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        return {k[2]: v for k, v in self.documents.items() if k[:2] == (utility_id, kind)}

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        await asyncio.sleep(0)
        self.documents[utility_id, kind, key] = _json(document)
        self._count()

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        await asyncio.sleep(0)
        self.documents.pop((utility_id, kind, key), None)
        self._count()

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.die_at:
            raise PowerCutError


def _json(document: object) -> object:
    assert isinstance(document, dict | list | str | int | float | bool | None)
    match document:
        case dict():
            return {str(key): _json(value) for key, value in document.items()}
        case list():
            return [_json(value) for value in document]
        case _:
            return document


class FakeWire:
    """`outbox.Wire` and `outbox.Arrivals`: a server that takes what it is told to take."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        """(href, body) of what has arrived."""
        self.trouble: list[Exception | None] = []
        """What the next requests meet, before they arrive; None: nothing."""
        self.lose_answers: list[Exception] = []
        """What the next requests meet after they have arrived."""
        self.shows_lists = True
        self.asked: list[str] = []
        self.before: Callable[[str], Coroutine[Any, Any, None]] | None = None

    def encode(self, resource: Resource) -> bytes:
        return repr(resource).encode()

    async def send(
        self, method: Literal["PUT", "POST"], href: str, body: bytes, kind: str
    ) -> str | None:
        if self.before is not None:
            await self.before(href)
        if self.trouble and (error := self.trouble.pop(0)) is not None:
            raise error
        self.taken.append((href, body.decode()))
        if self.lose_answers:
            raise self.lose_answers.pop(0)
        return None

    async def holds(self, message: Message) -> bool:
        self.asked.append(message.key)
        return self.shows_lists and (message.href, message.body) in self.taken


@asynccontextmanager
async def running(work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Something that runs until the block ends."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
