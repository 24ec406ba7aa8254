"""The leases of a running agent's devices, asked through its console."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from contracts.config import load
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.console.client import Console

Json = Mapping[str, object]


def asked(site: Path | None, data: Path | None) -> list[Json]:
    """One item a device; `site`: the agent's settings, `data`: its data folder.

    Raises:
        ConfigError: neither or both are given, or the settings cannot be read.
        GridyardError: no agent answers there.
    """

    async def ask(folder: Path) -> list[Json]:
        return [item async for item in Console(folder).ask("site.leases")]

    return asyncio.run(ask(_folder(site, data)))


def lines(found: Sequence[Json]) -> Iterator[str]:
    """A line a device; those that do not let go come last, with what that costs."""
    order = sorted(found, key=lambda item: item["lapse"] != "device")
    width = max((len(str(item["device"])) for item in order), default=0)
    for item in order:
        yield f"{item['device']!s:<{width}}  {item['nature']!s:<8} {_behaviour(item)}"
    if not order:
        yield "no device takes setpoints"


def _behaviour(item: Json) -> str:
    within_s, cost = item["within_s"], item["cost"]
    if item["lapse"] == "device" and isinstance(within_s, int | float):
        words = f"within {within_s:.0f} s: {item['then']}"
    elif item["lapse"] == "unknown":
        words = f"not known to let go (taken to be: {item['then']})"
    else:
        words = f"DOES NOT LET GO: {item['then']}"
    return f"{words}; {cost}" if cost else words


def _folder(site: Path | None, data: Path | None) -> Path:
    if site is not None and data is None:
        return load(site, SiteSettings).data
    if data is not None and site is None:
        return data
    raise ConfigError("say which agent: --site FILE (its settings) or --data FOLDER")
