"""The simulated utility in a process of its own: its work must not count as a client's."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from contracts.clock import SystemClock
from contracts.errors import PermanentError
from gridyard.runner import configure_logs
from vtn_sim.sep2.server import Sep2Server
from vtn_sim.sep2.settings import Sep2ServerSettings

_START_S, _END_S = 60.0, 10.0
_COUNT = "count"


@dataclass(frozen=True, slots=True)
class ServedUtility:
    """A running server."""

    url: str
    """Of its DeviceCapability."""
    _pipe: Connection

    def counted(self) -> Mapping[str, int]:
        """Requests that have come since the last call, by method and kind (`GET Time`)."""
        self._pipe.send(_COUNT)
        counts: Mapping[str, int] = self._pipe.recv()
        return counts


@contextmanager
def serving(settings: Sep2ServerSettings) -> Iterator[ServedUtility]:
    """The server, until the block is left; it ends as well when this process does.

    Raises:
        PermanentError: it does not start.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(settings, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ServedUtility(_ready_at(ours, settings), ours)
    finally:
        ours.close()
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()


def _ready_at(pipe: Connection, settings: Sep2ServerSettings) -> str:
    try:
        if pipe.poll(_START_S):
            return f"https://{settings.host}:{pipe.recv()}{settings.entry}"
    except EOFError:
        pass
    raise PermanentError("the simulated utility did not start")


def _serve(settings: Sep2ServerSettings, pipe: Connection) -> None:
    configure_logs()
    asyncio.run(_run(settings, pipe))


async def _run(settings: Sep2ServerSettings, pipe: Connection) -> None:
    stopping = asyncio.Event()
    server = Sep2Server(settings, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_count(server, pipe, stopping))
        await server.run(stopping, pipe.send)


async def _count(server: Sep2Server, pipe: Connection, stopping: asyncio.Event) -> None:
    """Tell the counts when asked to; it is over when the other end of the pipe is closed."""
    while True:
        try:
            await asyncio.to_thread(pipe.recv)
        except EOFError:
            stopping.set()
            return
        pipe.send(server.exchanges.counts)
        server.exchanges.reset_counts()
