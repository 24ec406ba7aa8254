"""Run one program until it ends or a signal asks it to stop; logs go to stderr."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TextIO

import structlog
import typer

from contracts import collector
from contracts.errors import ConfigError, GridyardError


class Exit(IntEnum):
    """Exit codes of every command (2 is typer's own, for wrong usage)."""

    OK = 0
    FAILED = 1
    CONFIG = 3


def configure_logs(
    *,
    verbose: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    to: TextIO | None = None,
) -> None:
    """One line a record on stderr (or `to`); warnings and worse from libraries.

    `quiet`: errors alone, for commands that run a part of a program for their own ends.
    """
    usual = logging.DEBUG if verbose else logging.INFO
    level, stream = logging.ERROR if quiet else usual, to or sys.stderr
    logging.basicConfig(
        level=logging.WARNING, stream=stream, format="%(name)s: %(message)s", force=to is not None
    )
    last = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            last,
        ],
    )


def run_program(program: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `program(stopping)`; SIGINT or SIGTERM sets `stopping`, a second one cancels.

    Exits with 3 and the message alone for a configuration mistake, 1 for any other failure that
    has a plain explanation; a crash keeps its traceback.
    """
    with plain_errors():
        collector.settle()
        asyncio.run(_until_stopped(program))


@contextmanager
def plain_errors() -> Iterator[None]:
    """End the command with a sentence instead of a traceback when an error explains itself."""
    try:
        yield
    except* ConfigError as group:
        fail(_messages(group), Exit.CONFIG)
    except* GridyardError as group:
        fail(_messages(group), Exit.FAILED)


async def _until_stopped(program: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stopping = asyncio.Event()
    task = asyncio.current_task()

    def stop() -> None:
        if stopping.is_set() and task is not None:
            task.cancel()
        stopping.set()

    loop = asyncio.get_event_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, stop)
    await program(stopping)


def fail(message: str, code: Exit) -> None:
    """Say what is wrong on stderr and exit with this code."""
    typer.echo(f"gridyard: {message}", err=True)
    raise typer.Exit(code)


def _messages(group: BaseExceptionGroup[GridyardError]) -> str:
    return "\n".join(
        _messages(error) if isinstance(error, BaseExceptionGroup) else str(error)
        for error in group.exceptions
    )
