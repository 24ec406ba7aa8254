"""The running agent, found by its settings or its data folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path

from contracts.errors import ConfigError

Json = Mapping[str, object]


class Agent:
    """One agent and what it is asked."""

    def __init__(self, site: Path | None, data: Path | None) -> None:
        """`site`: its settings file; `data`: its data folder.

        Raises:
            ConfigError: neither or both are given, or the settings cannot be read.
        """
        if site is not None and data is None:
            self._folder = _folder(site)
        elif data is not None and site is None:
            self._folder = data
        else:
            raise ConfigError("say which agent: --site FILE (its settings) or --data FOLDER")

    def items(self, command: str, **args: object) -> AsyncGenerator[Json, None]:
        """What the command tells, item by item; raises as `site_agent.console.client`."""
        from site_agent.console.client import Console

        given = {name: value for name, value in args.items() if value is not None}
        return Console(self._folder).ask(f"ocpp.{command}", **given)

    def each(self, tell: Callable[[Json], None], command: str, **args: object) -> None:
        """Hand every item to `tell` as it comes."""

        async def work() -> None:
            async with aclosing(self.items(command, **args)) as items:
                async for item in items:
                    tell(item)

        asyncio.run(work())

    def all(self, command: str, **args: object) -> list[Json]:
        """Every item."""
        found: list[Json] = []
        self.each(found.append, command, **args)
        return found

    def one(self, command: str, **args: object) -> dict[str, object]:
        """The only item."""
        return dict(self.all(command, **args)[0])


def _folder(site: Path) -> Path:
    from contracts.config import load
    from site_agent.config import SiteSettings

    return load(site, SiteSettings).data
