"""Parties of a bench in processes of their own: their processor time is theirs alone."""

from __future__ import annotations

import asyncio
import io
import logging
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import structlog

from contracts import collector
from contracts.errors import PermanentError

_PATIENCE_S, _END_S = 120.0, 10.0
Kind = TypeVar("Kind")


@contextmanager
def process(work: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """A process and our end of its pipe; it ends when the block does."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=work, args=(*arguments, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        child.join(_END_S)
        if child.is_alive():
            child.kill()
            child.join()


def got(pipe: Connection, kind: Callable[[Any], Kind]) -> Kind:
    """What the process says next.

    Raises:
        PermanentError: it has ended, or says nothing.
    """
    try:
        if pipe.poll(_PATIENCE_S):
            return kind(pipe.recv())
    except EOFError:
        pass
    raise PermanentError("a process of the bench has ended or hangs; run it with its log to see")


def quietly(work: Awaitable[None]) -> None:
    """Run in this process, without logs and banners, collecting garbage as our programs do."""
    collector.settle()
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with redirect_stdout(io.StringIO()):  # openleadr prints banners
        asyncio.run(_awaited(work))


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def order(pipe: Connection) -> object:
    """The next order of the bench; None once it has gone."""

    def receive() -> object:
        try:
            return pipe.recv()
        except EOFError:
            return None

    return await asyncio.to_thread(receive)
