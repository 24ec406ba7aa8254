"""What is asked of a running agent's fleet, through its console."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from contracts.config import load
from contracts.errors import PermanentError
from site_agent.config import SiteSettings
from site_agent.console.client import Console
from site_agent.fleet.commands import packed
from site_agent.fleet.files.table import MAX_BYTES

Json = Mapping[str, object]


def asked(site: Path, command: str, **args: object) -> list[Json]:
    """The answer of the agent with these settings.

    Raises:
        ConfigError: the settings cannot be read.
        GridyardError: no agent runs, or what it said.
    """

    async def ask(folder: Path) -> list[Json]:
        return [dict(item) async for item in Console(folder).ask(f"fleet.{command}", **args)]

    return asyncio.run(ask(load(site, SiteSettings).data))


def content(file: Path) -> str:
    """A file as the command carries it.

    Raises:
        PermanentError: it cannot be read, or is too large.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise PermanentError(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise PermanentError(f"{file}: larger than {MAX_BYTES} bytes")
    return packed(data)
