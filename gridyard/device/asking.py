"""The commands' work: a link, what runs on it, and files."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

from contracts.clock import SystemClock
from contracts.errors import ConfigError, LinkDownError
from gridyard.device import words
from gridyard.device.target import numbers
from site_agent.config import SiteSettings
from site_agent.config.devices import ModbusSettings
from site_agent.console.client import Console
from site_agent.devices.commissioning import check as checking
from site_agent.devices.commissioning import live, sunspec_survey, told
from site_agent.devices.commissioning import probe as probing
from site_agent.devices.commissioning.capture import Capture, Recorder, runs
from site_agent.devices.commissioning.found import Found
from site_agent.devices.commissioning.live import Pace
from site_agent.devices.commissioning.probe import Survey
from site_agent.devices.commissioning.profile_survey import survey_by, surveys
from site_agent.devices.commissioning.read_only import ReadOnlyLink, running
from site_agent.devices.commissioning.replay import serving
from site_agent.devices.commissioning.take import take
from site_agent.devices.commissioning.verdict import Line
from site_agent.devices.modbus.plan import Span, Table
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.profiles.library import catalog, find
from site_agent.devices.writer import sole_writer, written
from site_agent.store.memory import MemorySessions
from site_agent.store.sqlite import DATABASE, open_store

Tell = Callable[[str], None]
_TABLES = {str(table.value): table for table in Table}
"""By the function code that reads them."""
_LAST_ADDRESS = 0xFFFF
_MOST_REGISTERS = 10_000


def known(profile: str | None) -> tuple[Survey, ...]:
    """SunSpec and every profile that comes with the agent; or the one profile that is named.

    Raises:
        ConfigError: there is no such profile, or it is none.
    """
    clock = SystemClock()
    if profile is not None:
        return (survey_by(find(profile), clock),)
    return (sunspec_survey.survey, *surveys(catalog().values(), clock))


async def probe(
    there: ModbusSettings, units: Sequence[int] | None, surveys: Sequence[Survey], tell: Tell
) -> list[Found]:
    """Every device found; raises as `site_agent.devices.commissioning.probe.probe`."""
    link = ReadOnlyLink(link_settings(there), SystemClock())
    asked = probing.usual_units(link) if units is None else probing.within(units, link)
    if not asked:
        raise ConfigError("on a serial line unit ids are 1 to 247")
    tell(f"asking {len(asked)} unit ids at {link.settings.where}")
    found = []
    async with running(link):
        async for outcome in probing.probe(link, asked, SystemClock(), surveys):
            tell(words.progress(outcome))
            if isinstance(outcome, Found):
                found.append(outcome)
    return found


async def capture(
    there: ModbusSettings,
    ranges: Sequence[Span],
    surveys: Sequence[Survey],
    *,
    keep_serials: bool,
    note: str,
    tell: Tell,
) -> Capture:
    """A capture of one unit; raises as `take`."""
    recorder = Recorder()
    link = ReadOnlyLink(link_settings(there), SystemClock(), recorder)
    async with running(link):
        return await take(
            link,
            recorder,
            there.unit,
            SystemClock(),
            surveys=surveys,
            ranges=ranges,
            keep_serials=keep_serials,
            source=note or "on site, by `gridyard device capture`",
            tell=tell,
        )


async def check(
    site: SiteSettings, device: str | None, moved: frozenset[str], tell: Callable[[Line], None]
) -> None:
    """Check devices while nobody else writes to them; the agent finds what those `moved` proved.

    Raises:
        ConfigError: the agent runs, or another program writes to one of the devices.
        CancelledError: a signal has ended it; what was moved has been released.
    """
    _heed_signals()
    site.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock = SystemClock()
    with sole_writer(site.data, written(site)):
        store = open_store(site.data / DATABASE, clock.now()) if moved else None
        try:
            await checking.check(
                site,
                clock,
                MemorySessions(),
                device=device,
                moved=moved,
                memory=None if store is None else store.key_values,
                tell=tell,
            )
        finally:
            if store is not None:
                store.close()


def _heed_signals() -> None:
    """An ordered end and a terminal that hangs up end it as Ctrl-C does: nothing stays moved."""
    task, loop = asyncio.current_task(), asyncio.get_event_loop()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    for one in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(one, task.cancel)


async def watch_unit(
    there: ModbusSettings, surveys: Sequence[Survey], pace: Pace, tell: live.Tell
) -> None:
    """Show one unit, over a link that cannot write; raises as `live.of_unit`."""
    link = ReadOnlyLink(link_settings(there), SystemClock())
    async with running(link):
        await live.of_unit(link, there.unit, SystemClock(), surveys, pace, tell)


async def watch_site(site: SiteSettings, device: str | None, pace: Pace, tell: live.Tell) -> None:
    """Show a site's devices: the running agent's view of them, or else they are asked themselves.

    Raises:
        ConfigError: there is no such device.
    """
    checking.movable(site, device)
    try:
        await _watch_agent(site, device, pace, tell)
    except LinkDownError:
        await live.of_site(site, SystemClock(), MemorySessions(), device, pace, tell)


async def _watch_agent(site: SiteSettings, device: str | None, pace: Pace, tell: live.Tell) -> None:
    if not site.data.is_dir():
        raise LinkDownError("no agent has ever run there")
    asked = {"every_s": pace.every_s} | ({} if device is None else {"device": device})
    shown = 0
    async with aclosing(Console(site.data).ask(told.COMMAND, **asked)) as items:
        async for item in items:
            tell(told.picture(item))
            shown += 1
            if shown == pace.count:
                return


async def replay(
    captured: Capture,
    host: str,
    port: int,
    ready: Callable[[tuple[str, int]], None],
    stopping: asyncio.Event,
) -> None:
    """Serve a capture until `stopping` is set.

    Raises:
        ConfigError: nothing can listen there.
    """
    try:
        async with serving(captured, host=host, port=port) as where:
            ready(where)
            await stopping.wait()
    except OSError as error:
        raise ConfigError(f"{host}:{port}: {error.strerror}") from error


def ranges(text: str) -> Iterator[Span]:
    """`4:0-99,300` as ranges of neighbours.

    Raises:
        ConfigError: it is written otherwise.
    """
    function, colon, addresses = text.partition(":")
    if not colon or function not in _TABLES:
        raise ConfigError(f"--read {text}: a function code 1 to 4, a colon, addresses: 4:0-99")
    wanted = numbers(addresses, highest=_LAST_ADDRESS, most=_MOST_REGISTERS)
    for run in runs(wanted):
        yield Span(_TABLES[function], run[0], len(run))


def check_new(path: Path) -> None:
    """Say so before anything is read, when the file cannot be written."""
    if path.exists():
        raise ConfigError(f"{path} is there already; captures are not overwritten")
    if not path.parent.is_dir():
        raise ConfigError(f"{path.parent}: no such folder")


def write(path: Path, text: str) -> None:
    """Write a new file."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
