"""The field: every wire of the site, and the devices on it."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.assembly.deciding import Deciding
from site_agent.config import SiteSettings
from site_agent.config.devices import AnyChargerSettings, ProfileChargerSettings
from site_agent.devices.lives import alive
from site_agent.devices.mqtt.broker import SiteBroker
from site_agent.devices.mqtt.plan import site_address
from site_agent.devices.ocpp.central import CentralSystem
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
from site_agent.flows.control.observer import Devices
from site_agent.ports import Charger, Sensor
from site_agent.scada.build import make_scada
from site_agent.scada.server import ScadaServer
from site_agent.store.sqlite import SqliteStore


class Field:
    """Makes the devices in the order in which one needs another."""

    def __init__(
        self, settings: SiteSettings, clock: Clock, store: SqliteStore, deciding: Deciding
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._deciding = deciding
        self.broker = make_broker(settings, clock)
        """To run, and to be ready, before `make_devices`; None: the site needs none."""
        self.central = self._central()
        self.scada: ScadaServer | None = None
        self.sensors: Mapping[str, Sensor] = {}
        self._runs: list[Coroutine[object, object, None]] = []

    def make_devices(self) -> Devices:
        """Everything the agent reads and steers; what the flows have kept is loaded by now."""
        settings, shop, deciding = self._settings, self._shop(self.broker), self._deciding
        self.scada = make_scada(settings, deciding.latest, deciding.telecontrol, self._clock)
        self.sensors = {one.id: make_sensor(shop, one) for one in settings.sensors}
        contacts = make_contacts(shop, settings, deciding.telecontrol)
        devices = Devices(
            meter=METERS[settings.meter.kind](shop, settings.meter),
            chargers=[self._charger(shop, one) for one in settings.chargers],
            batteries=[make_battery(shop, one) for one in settings.batteries],
            pv=[PV_INVERTERS[one.kind](shop, one) for one in settings.pv],
            functions=make_functions(shop, settings, self._store.key_values),
        )
        lives = (*alive(devices), *self.sensors.values(), *contacts, *shop.links.values())
        self._runs = [one.run() for one in lives]
        return devices

    def runs(self) -> list[Coroutine[object, object, None]]:
        """The life of every device and wire but the broker's."""
        scada = [] if self.scada is None else [self.scada.run()]
        return [self._serve(), *self._runs, *scada]

    async def ready(self) -> None:
        """Devices can connect."""
        await self.central.ready.wait()
        if self.scada is not None:
            await self.scada.ready.wait()

    async def _serve(self) -> None:
        try:
            await self.central.run()
        except OSError as error:
            where = f"{self._settings.ocpp.host}:{self._settings.ocpp.port}"
            raise ConfigError(f"ocpp: cannot listen on {where}: {error.strerror}") from error

    def _central(self) -> CentralSystem:
        return make_central(
            self._settings,
            self._store.sessions,
            self._clock,
            self._deciding.wake,
            memory=self._store.key_values,
            clouds=self._store.cloud,
            access=self._deciding.roster.access,
        )

    def _shop(self, broker: SiteBroker | None) -> Workshop:
        """What the site's devices share; without a broker where no device needs one."""
        mqtt, address = self._settings.mqtt, None if broker is None else broker.address
        if address is None and not mqtt.embedded:
            address = site_address(mqtt)
        return Workshop(
            self._settings.site_id,
            self._clock,
            self._deciding.wake,
            address,
            memory=self._store.key_values,
        )

    def _charger(self, shop: Workshop, settings: AnyChargerSettings) -> Charger:
        if isinstance(settings, ProfileChargerSettings):
            access = self._deciding.roster.access
            return make_charger(shop, self._settings, settings, self._store.sessions, access)
        return self.central.chargers[settings.id]
