"""A console door in a thread of its own, for commands that run a loop themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.errors import GridyardError
from contracts.tasks import first_of
from site_agent.console.door import Door
from site_agent.ports import Command

Answers = Mapping[str, Sequence[Mapping[str, Any]] | GridyardError]


@contextmanager
def scripted_door(
    folder: Path, answers: Answers, prefix: str = "ocpp."
) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """A door that tells these items (or an error) by command; what was asked of it."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def command(name: str) -> Command:
        async def tell(args: Mapping[str, object], /) -> AsyncGenerator[Mapping[str, object], None]:
            asked.append((name, dict(args)))
            items = answers[name]
            if isinstance(items, GridyardError):
                raise items
            for item in items:
                yield item

        return tell

    with _running(Door(folder, {prefix + name: command(name) for name in answers})):
        yield asked


@contextmanager
def _running(door: Door) -> Iterator[None]:
    opened = threading.Event()
    closing: list[Callable[[], object]] = []

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        closing.append(lambda: loop.call_soon_threadsafe(over.set))

        async def until_over() -> None:
            await door.ready.wait()
            opened.set()
            await over.wait()

        await first_of(door.run(), until_over())

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert opened.wait(60), "the door does not open"
    try:
        yield
    finally:
        closing[0]()
        thread.join(60)
