"""One depot's agent: makes everything from settings and runs it in one task group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.assembly.deciding import Deciding
from site_agent.assembly.field import Field
from site_agent.assembly.gateway import ToGateway
from site_agent.assembly.people import People
from site_agent.assembly.remote import Remote, make_remote, sight
from site_agent.config import SiteSettings
from site_agent.config.remote import read_local
from site_agent.devices.lives import all_closed, closing
from site_agent.devices.writer import sole_writer, written
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import Closing
from site_agent.store.folder import make_folder
from site_agent.store.sqlite import DATABASE, SqliteStore, open_store

log = structlog.get_logger(__name__)

_CLOSING_S = 3.0
"""How long the end waits for devices that keep their setpoints."""


@dataclass(frozen=True, slots=True)
class SiteAddresses:
    """Where the site's devices connect."""

    ocpp_port: int
    mqtt_port: int | None
    """None: no MQTT device, or a broker elsewhere."""
    scada_port: int | None = None
    """Where it is a Modbus server; None: it is none."""
    web_port: int | None = None
    """Where its page is; None: none is served."""


Ready = Callable[[SiteAddresses], None]


async def run_file(
    path: Path, clock: Clock, stopping: asyncio.Event, ready: Ready | None = None
) -> None:
    """Run the site of a settings file, and what its gateway has changed of them, as `run` does.

    To take other settings the agent starts anew inside this process: in the same order as at its
    end and its start, so that nothing has to know how to change while it runs.

    Raises:
        ConfigError: the file is not good; as `run`.
    """
    local = await asyncio.to_thread(read_local, path)
    remote = make_remote(local, clock)
    if remote is None:
        await run(local.settings, clock, stopping, ready)
        return
    while not stopping.is_set():
        settings = await remote.start()
        try:
            await _life(settings, clock, stopping, ready, remote)
        except* Exception as group:
            if not remote.on_trial:
                raise
            log.exception("the agent ended on trial")
            await remote.failed(repr(group.exceptions[0]))


async def _life(
    settings: SiteSettings,
    clock: Clock,
    stopping: asyncio.Event,
    ready: Ready | None,
    remote: Remote,
) -> None:
    """Run until all should end, or start anew with other settings."""
    ending = asyncio.Event()

    async def wait() -> None:
        await first_of(stopping.wait(), remote.over())
        ending.set()
        await asyncio.Event().wait()

    await first_of(run(settings, clock, ending, ready, remote), wait())


async def run(
    settings: SiteSettings,
    clock: Clock,
    stopping: asyncio.Event,
    ready: Ready | None = None,
    remote: Remote | None = None,
) -> None:
    """Run one site until `stopping` is set; setpoints are then left to lapse in the devices.

    `ready` is called once devices can connect. The gateway being away stops nothing here.
    `remote` takes settings from the gateway; None: nobody does.

    Raises:
        ConfigError: the data folder, the database or a certificate cannot be used, or another
            program writes to one of the devices.
    """
    make_folder(settings.data)
    with sole_writer(settings.data, written(settings)):
        store = open_store(settings.data / DATABASE, clock.now())
        try:
            site = _Site(settings, clock, store, stopping, remote)
            await first_of(site.run(ready), _until(stopping, site))
        finally:
            store.close()


class _Site:
    """Everything of one site, wired."""

    def __init__(
        self,
        settings: SiteSettings,
        clock: Clock,
        store: SqliteStore,
        stopping: asyncio.Event,
        remote: Remote | None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._stopping = stopping
        self._sessions = store.sessions
        self._deciding = Deciding(settings, clock, store)
        self._field = Field(settings, clock, store, self._deciding)
        self._remote = remote
        self._gateway = ToGateway(settings, clock, store, self._deciding, remote)
        self._people = People(settings, clock, store, self._deciding, self._gateway)
        self._lasting: list[Closing] = []

    async def run(self, ready: Ready | None) -> None:
        """Start in the order in which one thing needs another; then all run side by side."""
        await self._deciding.load()
        await self._gateway.board.load()
        field, broker = self._field, self._field.broker
        async with asyncio.TaskGroup() as group:
            if broker is not None:
                group.create_task(broker.run())
                await broker.ready.wait()
            devices = field.make_devices()
            self._lasting = closing(devices)
            loop = self._deciding.connect(devices, field.sensors, self._people.heard)
            web = self._people.web(self._stopping)
            self._lasting += [] if web is None else [web]
            runs = [
                loop.run(),  # first: whoever connects finds a cycle decided
                *field.runs(),
                *self._deciding.runs(),
                self._sessions.run(self._clock),
                *self._gateway.runs(field.sensors, self._conditions()),
                *self._people.runs(field),
                *([] if web is None else [web.run()]),
            ]
            for work in runs:
                group.create_task(work)
            await field.ready()
            if web is not None:
                await web.ready.wait()
            if self._remote is not None:
                self._remote.connect(sight(self._settings, self._deciding, self._gateway.connected))
            log.info("site runs", site=self._settings.site_id, ocpp_port=field.central.port)
            ports = [None if one is None else one.port for one in (broker, field.scada, web)]
            if ready is not None:
                ready(SiteAddresses(field.central.port, *ports))

    async def close(self) -> None:
        """End the setpoints that their devices would keep, as far as that is done soon."""
        if self._lasting:
            await first_of(all_closed(self._lasting), self._clock.sleep(_CLOSING_S))
        await self._deciding.forecasts.close()

    def _conditions(self) -> list[Callable[[], Mapping[Key, Condition]]]:
        """Whatever is worth a notice beside what the control loop sees."""
        deciding = self._deciding
        found = (deciding.grid, deciding.forecasts, deciding.plans, self._people)
        return [one.conditions for one in found]


async def _until(stopping: asyncio.Event, site: _Site) -> None:
    await stopping.wait()
    await site.close()
