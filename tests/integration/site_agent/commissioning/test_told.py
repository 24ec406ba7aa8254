"""A running agent tells what it sees, and is the only one who may write."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.errors import ConfigError, PermanentError
from contracts.tasks import first_of
from gridyard.device import asking
from site_agent.config import SiteSettings
from site_agent.console.client import Console
from site_agent.devices.commissioning.capture import load
from site_agent.devices.commissioning.live import Pace, Picture
from site_agent.devices.commissioning.replay import serving
from site_agent.devices.commissioning.verdict import Line
from site_agent.main import run
from support.commissioning import works

WANTED = {
    ("meter", "active_power"),
    ("bess", "soc"),
    ("roof", "active_power"),
    ("grid", "frequency_hz"),
}

EM540 = Path(__file__).parents[3] / "captures" / "carlo-gavazzi.em540.json"
SENSOR = """
sensors:
  - {{id: grid, kind: profile, profile: carlo-gavazzi.em540, host: 127.0.0.1, port: {port}}}
"""


@pytest.mark.row("truth:L4")
async def test_a_running_agent_shows_its_devices_and_keeps_others_from_writing(
    tmp_path: Path,
) -> None:
    lines: list[Line] = []
    usable: set[tuple[str, str]] = set()
    complete = asyncio.Event()

    def see(picture: Picture) -> None:
        usable.update((row.device, row.name) for row in picture.rows if row.quality.usable)
        if usable >= WANTED:
            complete.set()

    async def all_seen() -> None:
        await complete.wait()

    async with works(tmp_path) as depot, serving(load(EM540)) as (_, em540):
        text = depot.text() + "ocpp: {host: 127.0.0.1, port: 0, security_profile: 0}\n"
        text += SENSOR.format(port=em540)
        site = loads(text, SiteSettings, name="site")
        ready, stopping = asyncio.Event(), asyncio.Event()

        async def guests() -> None:
            await ready.wait()
            await first_of(asking.watch_site(site, None, Pace(0.1), see), all_seen())
            with pytest.raises(ConfigError, match="in use by process"):
                await asking.check(site, "meter", frozenset(), lines.append)
            with pytest.raises(PermanentError, match="every_s"):
                async with aclosing(Console(site.data).ask("device.watch", every_s=0)) as items:
                    await anext(items)

        await first_of(run(site, SystemClock(), stopping, lambda _: ready.set()), guests())
    assert lines == []
    assert usable >= WANTED
    await asking.check(site, "meter", frozenset(), lines.append)  # the agent has let go
    assert [line.step for line in lines] == ["reach"]  # and the depot is gone
