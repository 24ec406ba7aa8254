"""A TCP port of a simulated device: who is connected when it closes is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from contracts.errors import ConfigError

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(
    talk: Talk, host: str, port: int, *, limit: int
) -> AsyncIterator[tuple[str, int]]:
    """Talk to every client on its own; where it really listens. `limit`: bytes held for a reader.

    Raises:
        ConfigError: the port is taken.
    """
    talks: set[asyncio.Task[object]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            talks.add(task)
            task.add_done_callback(talks.discard)
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(one, host, port, limit=limit)
    except OSError as error:
        raise ConfigError(f"{host}:{port}: cannot listen there") from error
    async with server:
        name = server.sockets[0].getsockname()
        try:
            yield name[0], name[1]
        finally:
            server.close()
            for task in talks:
                task.cancel()
            if talks:
                await asyncio.wait(talks)
