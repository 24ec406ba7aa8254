"""A recorded trace played to a fresh central system in this process, or to another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from contracts.clock import SystemClock
from contracts.config import load as load_settings
from contracts.errors import ConfigError, ProtocolError
from site_agent.config import SiteSettings
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.operate.player import Step, play
from site_agent.devices.ocpp.operate.recording import Recording, load
from site_agent.domain.fleet.access import Access
from site_agent.store.memory import MemorySessions

_CALL_TIMEOUT_S = 5.0


class PlayedClock:
    """The time of the recording: it jumps with every frame and runs on in between."""

    def __init__(self, start: datetime) -> None:
        self._real = SystemClock()
        self._at = start
        self._since_s = self._real.monotonic()

    def reach(self, at: datetime) -> None:
        """A frame of this time is about to be sent; time never goes back."""
        if at > self.now():
            self._at, self._since_s = at, self._real.monotonic()

    def now(self) -> datetime:
        """The present of the recording, UTC."""
        return self._at + timedelta(seconds=self._real.monotonic() - self._since_s)

    def monotonic(self) -> float:
        """Seconds, without the jumps."""
        return self._real.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait really."""
        await self._real.sleep(seconds)


def read(path: Path) -> Recording:
    """A saved trace.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return load(lines)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except ProtocolError as error:
        raise ConfigError(f"{path}: {error}") from error


def access(site: Path | None, recording: Recording) -> Access:
    """Who may charge: by a site's settings, or everybody.

    Raises:
        ConfigError: the settings cannot be read.
    """
    if site is None:
        return Access(offline=recording.offline)
    return load_settings(site, SiteSettings).access_rules()


async def replayed(
    recording: Recording,
    access: Access,
    against: str | None = None,
    password: str | None = None,
) -> list[Step]:
    """Every step of the replay; `against`: the WebSocket address of a central system.

    Raises:
        LinkDownError: it cannot be reached, or hangs up.
    """
    if not recording.frames:
        return []
    clock = PlayedClock(recording.frames[0].at)
    if against is not None:
        return await _steps(recording, against, password, clock)
    async with _central(recording, access, clock) as url:
        return await _steps(recording, url, None, clock)


async def _steps(
    recording: Recording, url: str, password: str | None, clock: PlayedClock
) -> list[Step]:
    async with aclosing(play(recording, url, password=password, reached=clock.reach)) as steps:
        return [step async for step in steps]


@asynccontextmanager
async def _central(recording: Recording, access: Access, clock: PlayedClock) -> AsyncIterator[str]:
    """A central system that knows this one station and nothing of its past."""
    system = CentralSystem(
        [recording.station],
        sessions=MemorySessions(),
        access=access,
        clock=clock,
        wake=lambda: None,
        host="127.0.0.1",
        port=0,
        timing=replace(recording.timing, call_timeout_s=_CALL_TIMEOUT_S),
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(system.run())
        await system.ready.wait()
        try:
            yield f"ws://127.0.0.1:{system.port}"
        finally:
            running.cancel()


def lines(steps: list[Step], *, every: bool) -> Iterator[str]:
    """Every step in a line, and below it where it differs."""
    for step in steps:
        if not (every or step.differs):
            continue
        at = "            " if step.at is None else step.at.strftime("%H:%M:%S.%f")[:-3]
        mark = "DIFF" if step.differs else "same"
        yield f"{at} {mark if not step.note else 'note'}  {step.what}  {step.note}".rstrip()
        yield from (f"                 {where}" for where in step.differs)
    differing = sum(bool(step.differs) for step in steps)
    yield f"{len(steps)} steps, {differing} differ"


def document(steps: list[Step]) -> list[dict[str, object]]:
    """For JSON."""
    return [
        {
            "at": None if step.at is None else step.at.isoformat(),
            "what": step.what,
            "now": step.now,
            "differs": list(step.differs),
            "note": step.note,
        }
        for step in steps
    ]
