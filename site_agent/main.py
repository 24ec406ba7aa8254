"""One depot's agent: makes everything from settings and runs it in one task group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog

from contracts.errors import ConfigError
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.config import LinkSettings, SiteSettings
from site_agent.config.devices import AnyChargerSettings, ProfileChargerSettings
from site_agent.console.door import Door
from site_agent.devices.commissioning.told import watch_commands
from site_agent.devices.lives import alive, all_closed, closing
from site_agent.devices.mqtt.broker import SiteBroker
from site_agent.devices.mqtt.plan import site_address
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.operate.commands import OcppCommands
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp_stations import make_central
from site_agent.devices.registry import (
    METERS,
    PV_INVERTERS,
    make_battery,
    make_broker,
    make_charger,
    make_contacts,
    make_functions,
    make_sensor,
)
from site_agent.devices.workshop import Workshop
from site_agent.devices.writer import sole_writer, written
from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.domain.device import ChargerState
from site_agent.domain.site import SiteSnapshot
from site_agent.fleet.side import FleetSide, Surroundings
from site_agent.flows.control_loop import ControlLoop
from site_agent.flows.forecast_side import ForecastSide
from site_agent.flows.grid_side import GridSide
from site_agent.flows.instructions import Instructions
from site_agent.flows.lease_list import lease_commands
from site_agent.flows.notices import NoticeBoard
from site_agent.flows.observer import Devices
from site_agent.flows.offers import Offers
from site_agent.flows.outlook import Outlook, Sources
from site_agent.flows.people_side import PeopleSide
from site_agent.flows.planning import PlanSources
from site_agent.flows.planning_side import PlanSide, capacities
from site_agent.flows.prospects import Prospects
from site_agent.flows.roster import LiveRoster
from site_agent.flows.sessions import Sessions
from site_agent.flows.telecontrol import Telecontrol
from site_agent.flows.telemetry import Telemetry
from site_agent.flows.triage import KnownChanges, Triaging
from site_agent.ports import Charger, Closing, Sensor
from site_agent.scada.build import make_scada
from site_agent.store.folder import make_folder
from site_agent.store.sqlite import SqliteStore, open_store
from site_agent.uplink.lasting import agent_version, keep
from site_agent.uplink.link import NatsUplink
from site_agent.web.build import make_web
from site_agent.web.server import Part, WebServer
from site_agent.web.state import WebState

log = structlog.get_logger(__name__)

DATABASE = "site.db"
_CLOSING_S = 3.0
"""How long the end waits for devices that keep their setpoints."""

Work = Coroutine[object, object, None]


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


async def run(
    settings: SiteSettings, clock: Clock, stopping: asyncio.Event, ready: Ready | None = None
) -> None:
    """Run one site until `stopping` is set; setpoints are then left to lapse in the devices.

    `ready` is called once devices can connect. The gateway being away stops nothing here.

    Raises:
        ConfigError: the data folder, the database or a certificate cannot be used, or another
            program writes to one of the devices.
    """
    make_folder(settings.data)
    with sole_writer(settings.data, written(settings)):
        store = open_store(settings.data / DATABASE, clock.now())
        try:
            site = _Site(settings, clock, store, stopping)
            await first_of(site.run(ready), _until(stopping, site))
        finally:
            store.close()


class _Site:
    """Everything of one site, wired."""

    def __init__(
        self, settings: SiteSettings, clock: Clock, store: SqliteStore, stopping: asyncio.Event
    ) -> None:
        self._settings = settings
        self._stopping = stopping
        self._clock = clock
        self._store = store
        self._model = settings.model()
        self._loop: ControlLoop | None = None
        self._lasting: list[Closing] = []
        self._instructions = Instructions(self._model, store.instructions, clock, self._wake)
        self._roster = LiveRoster(settings.settled(), store.roster)
        self._sessions = Sessions(self._roster.fleet(), store.key_values)
        self._roster.on_change(self._sessions.renew)
        self._roster.on_change(self._wake)
        self._board = NoticeBoard(store.key_values)
        look = Outlook(self._model, self._instructions)
        self._prospects = Prospects(look)
        self._gateway: NatsUplink | None = None
        self._offers = Offers(
            latest=lambda: None if self._loop is None else self._loop.latest,
            look=look,
            outbox=store.outbox,
            taken=lambda: self._gateway is not None and self._gateway.takes("flexibility_offer"),
            clock=clock,
            policy=DEFAULT_POLICY,
        )
        self._fleet = FleetSide(
            settings,
            Surroundings(
                roster=self._roster,
                sessions=self._sessions,
                history=store.sessions,
                answers=store.answers,
                webhooks=store.webhooks,
                memory=store.key_values,
                latest=lambda: None if self._loop is None else self._loop.latest,
                prospects=lambda: self._prospects.latest,
                clock=clock,
            ),
        )
        local, told = ZoneInfo(settings.time_zone), self._prospects
        self._people = PeopleSide(self._roster, self._sessions, told, store.journal, clock, local)
        self._roster.on_change(self._people.yard.wake)
        choices, memory = settings.grid_choices(), store.key_values
        zone, tariff = settings.time_zone, settings.tariff_paid()
        ground = settings.forecast.ground(self._model, zone, tariff)
        self._forecasts = ForecastSide(
            ground, store.history, memory, clock, self._sessions.expected
        )
        self._grid = GridSide(settings.site_id, choices, memory, clock)
        changes = KnownChanges(self._model, self._instructions)
        self._triage = Triaging(DEFAULT_POLICY, self._sessions.expected, changes, self._wake)
        inputs = [one.spec for one in settings.telecontrol]
        self._telecontrol = Telecontrol(inputs, store.key_values, clock, self._wake)
        self._plans = self._planning()
        look.sources = Sources.of(self._forecasts.forecaster, self._plans.latest)

    async def run(self, ready: Ready | None) -> None:
        """Start in the order in which one thing needs another; then all run side by side."""
        await self._roster.load()
        kept = (self._instructions, self._sessions, self._board, self._telecontrol, self._grid)
        for flow in (*kept, self._forecasts, self._plans):
            await flow.load()
        broker = make_broker(self._settings, self._clock)
        central = self._central()
        async with asyncio.TaskGroup() as group:
            if broker is not None:
                group.create_task(broker.run())
                await broker.ready.wait()
            shop = self._shop(broker)
            devices = self._devices(shop, central)
            self._lasting = closing(devices)
            sensors = {one.id: make_sensor(shop, one) for one in self._settings.sensors}
            contacts = make_contacts(shop, self._settings, self._telecontrol)
            loop = self._loop = self._control(devices)
            self._grid.connect(loop, devices.meter, sensors)
            outdoor = self._settings.forecast.outdoor_sensor
            self._forecasts.connect(lambda: loop.latest, sensors, outdoor, self._grid.watch)
            scada = make_scada(self._settings, lambda: loop.latest, self._telecontrol, self._clock)
            web = self._web(loop)
            self._lasting += [] if web is None else [web]
            runs = [
                self._serve(central),
                loop.run(),
                *self._people.runs(),
                self._instructions.run(),
                self._telecontrol.run(),
                *self._grid.runs(),
                self._triage.run(),
                *self._forecasts.runs(),
                *self._plans.runs(),
                self._store.sessions.run(self._clock),
                self._telemetry(loop, sensors).run(),
                self._offers.run(),
                self._door(central, sensors).run(),
            ]
            runs += [one.run() for one in (*alive(devices), *sensors.values(), *contacts)]
            runs += [] if scada is None else [scada.run()]
            runs += [] if web is None else [web.run()]
            runs += self._fleet.runs()
            runs += [link.run() for link in shop.links.values()]
            runs += [self._uplink(self._settings.link)] if self._settings.link else []
            for work in runs:
                group.create_task(work)
            await central.ready.wait()
            if scada is not None:
                await scada.ready.wait()
            if web is not None:
                await web.ready.wait()
            log.info("site runs", site=self._settings.site_id, ocpp_port=central.port)
            ports = [None if one is None else one.port for one in (broker, scada, web)]
            if ready is not None:
                ready(SiteAddresses(central.port, *ports))

    def _central(self) -> CentralSystem:
        return make_central(
            self._settings,
            self._store.sessions,
            self._clock,
            self._wake,
            memory=self._store.key_values,
            clouds=self._store.cloud,
            access=self._roster.access,
        )

    async def close(self) -> None:
        """End the setpoints that their devices would keep, as far as that is done soon."""
        if self._lasting:
            await first_of(all_closed(self._lasting), self._clock.sleep(_CLOSING_S))
        await self._forecasts.close()

    async def _serve(self, central: CentralSystem) -> None:
        try:
            await central.run()
        except OSError as error:
            where = f"{self._settings.ocpp.host}:{self._settings.ocpp.port}"
            raise ConfigError(f"ocpp: cannot listen on {where}: {error.strerror}") from error

    def _door(self, central: CentralSystem, sensors: Mapping[str, Sensor]) -> Door:
        """Where people at this machine ask and command."""
        ocpp = OcppCommands(
            central,
            clock=self._clock,
            memory=self._store.key_values,
            seen=self._seen,
            zone=self._settings.time_zone,
            profile=Profile(self._settings.ocpp.security_profile),
            tls=self._settings.ocpp.cert is not None,
            agent=agent_version(),
        )
        watching = watch_commands(self._snapshot, sensors, self._clock)
        asking = {**lease_commands(self._snapshot), **self._people.commands()}
        asking |= self._fleet.commands()
        return Door(self._settings.data, {**ocpp.table(), **asking, **watching})

    def _web(self, loop: ControlLoop) -> WebServer | None:
        """The agent's own page and API; None where none is wanted."""
        state = WebState(
            site_id=self._settings.site_id,
            zone=ZoneInfo(self._settings.time_zone),
            clock=self._clock,
            stopping=self._stopping,
            journal=self._people.journal,
            prospects=lambda: self._prospects.latest,
            plan=self._plans.latest,
            moves=lambda: self._people.yard.moves,
        )
        fleet = Part(router=self._fleet.router(), own_access=self._fleet.own_access)
        return make_web(self._settings.web, state, lambda: loop.latest, [fleet])

    def _snapshot(self) -> SiteSnapshot | None:
        """What the last control cycle saw."""
        latest = None if self._loop is None else self._loop.latest
        return None if latest is None else latest.snapshot

    def _seen(self) -> dict[str, ChargerState]:
        """The chargers in the last control cycle."""
        snapshot = self._snapshot()
        chargers = () if snapshot is None else snapshot.chargers
        return {charger.spec.evse_id: charger for charger in chargers}

    def _wake(self) -> None:
        if self._loop is not None:
            self._loop.wake()

    def _shop(self, broker: SiteBroker | None) -> Workshop:
        """What the site's devices share; without a broker where no device needs one."""
        mqtt, address = self._settings.mqtt, None if broker is None else broker.address
        if address is None and not mqtt.embedded:
            address = site_address(mqtt)
        memory = self._store.key_values
        return Workshop(self._settings.site_id, self._clock, self._wake, address, memory=memory)

    def _planning(self) -> PlanSide:
        """The plan below the site's rules, and the prices both know."""
        sources = PlanSources(
            outlook=self._forecasts.outlook,
            stays=self._forecasts.stays,
            capacity_wh=capacities(self._roster.fleet().vehicles),
            orders=self._telecontrol.standings,
        )
        memory, tariff = self._store.key_values, self._settings.tariff_paid()
        choices = self._settings.planning.choices()
        plans = PlanSide(tariff, choices, self._instructions, memory, self._clock, sources)
        self._grid.prices, self._grid.plan = plans.prices, plans.planner
        self._roster.on_change(plans.wake)
        self._forecasts.on_change(plans.wake)
        return plans

    def _control(self, devices: Devices) -> ControlLoop:
        return ControlLoop(
            self._model,
            devices,
            self._instructions,
            self._sessions,
            self._clock,
            telecontrol=self._telecontrol,
            guide=self._plans.guide(self._grid.guide),
            around=self._grid.around,
            chooser=self._triage,
            heard=self._people.heard,
        )

    def _devices(self, shop: Workshop, central: CentralSystem) -> Devices:
        settings = self._settings
        return Devices(
            meter=METERS[settings.meter.kind](shop, settings.meter),
            chargers=[self._charger(shop, central, one) for one in settings.chargers],
            batteries=[make_battery(shop, one) for one in settings.batteries],
            pv=[PV_INVERTERS[one.kind](shop, one) for one in settings.pv],
            functions=make_functions(shop, settings, self._store.key_values),
        )

    def _charger(
        self, shop: Workshop, central: CentralSystem, settings: AnyChargerSettings
    ) -> Charger:
        if isinstance(settings, ProfileChargerSettings):
            access = self._roster.access
            return make_charger(shop, self._settings, settings, self._store.sessions, access)
        return central.chargers[settings.id]

    def _telemetry(self, loop: ControlLoop, sensors: Mapping[str, Sensor]) -> Telemetry:
        return Telemetry(
            latest=lambda: loop.latest,
            outbox=self._store.outbox,
            board=self._board,
            prospects=self._prospects,
            sessions=self._sessions,
            clock=self._clock,
            policy=DEFAULT_POLICY,
            every_s=self._settings.telemetry_s,
            sensors=sensors,
            more=(
                self._grid.conditions,
                self._forecasts.conditions,
                self._plans.conditions,
                self._fleet.conditions,
            ),
            proved=self._offers.proved,
        )

    async def _uplink(self, link: LinkSettings) -> None:
        """Keep the link; without readable credentials the depot goes on charging alone."""
        uplink = self._gateway = NatsUplink(
            site_id=self._settings.site_id,
            servers=link.servers,
            credentials=link.credentials,
            outbox=self._store.outbox,
            instructions=self._instructions,
            clock=self._clock,
            agent_version=agent_version(),
        )
        await keep(uplink, link.credentials, self._settings.site_id, self._clock)


async def _until(stopping: asyncio.Event, site: _Site) -> None:
    await stopping.wait()
    await site.close()
