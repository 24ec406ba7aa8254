"""Settings of one depot's agent: what there is, what it may draw, who drives when.

What must hold for the site to be safe with no agent alive is checked here, before anything starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from contracts.config import Settings
from contracts.errors import PermanentError
from contracts.power import NOMINAL_VOLTAGE_V
from contracts.site_link.subjects import checked_site_id
from site_agent.config.circuit import CircuitSettings
from site_agent.config.devices import (
    AnyChargerSettings,
    BatterySettings,
    ChargerSettings,
    MeterSettings,
    OcppSettings,
    PvSettings,
    SensorSettings,
    battery_spec,
    pv_spec,
)
from site_agent.config.droop import DroopSettings
from site_agent.config.fleet import (
    AccessSettings,
    DriverSettings,
    HolderName,
    StrangerSettings,
    VehicleSettings,
    Zone,
    access,
    credentials,
)
from site_agent.config.fleet_roster import base_values, reader
from site_agent.config.fleet_systems import FleetSystemsSettings
from site_agent.config.forecast import ForecastSettings
from site_agent.config.island import IslandSettings, OutageSettings, RestorationSettings
from site_agent.config.mqtt import MqttSettings
from site_agent.config.planning import AnyTariff, PlanningSettings
from site_agent.config.rules import RulesSettings, rules_of
from site_agent.config.scada import ScadaSettings
from site_agent.config.telecontrol import TelecontrolSettings
from site_agent.config.values import Name, Positive
from site_agent.config.web import WebSettings
from site_agent.domain.device import ChargerSpec
from site_agent.domain.fleet.access import Access
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.fleet.identity import Kind
from site_agent.domain.fleet.known import Settled
from site_agent.domain.grid.choices import GridChoices, GridPolicies
from site_agent.domain.plan.policy import Strategy
from site_agent.domain.protect.safety import overloads
from site_agent.domain.rules.defaults import DEFAULT_RULES
from site_agent.domain.rules.rule import Rule
from site_agent.domain.site import ROOT, SiteModel
from site_agent.domain.tariff.tariff import Tariff


def _site_id(value: str) -> str:
    try:
        return checked_site_id(value)
    except PermanentError as error:
        raise ValueError(str(error)) from error


class LinkSettings(Settings):
    """The way to the gateway."""

    servers: Annotated[tuple[str, ...], Field(min_length=1)]
    """Such as `tls://gateway.example:4222`."""
    credentials: Path
    """The folder the gateway issued for this site."""


class RemoteSettings(Settings):
    """Whether the gateway may change some settings; never which: `site_agent.config.remote`."""

    accept: bool = True
    """False: what this file says holds, and nothing else."""
    trial_s: Annotated[float, Field(ge=5, le=3600)] = 300.0
    """How long new settings must prove themselves before they stay."""


class SiteSettings(Settings):
    """Everything one depot's agent must be told."""

    site_id: Annotated[str, AfterValidator(_site_id)]
    data: Path
    """Folder of the site's database."""
    time_zone: Zone = "UTC"
    contract_limit_w: Positive
    """Import agreed with the network operator."""
    max_building_w: Annotated[float, Field(ge=0)]
    """Largest load of everything the agent cannot move."""
    unseen_generation_w: Annotated[float, Field(ge=0)] = 0.0
    """Most that is generated on the site (roof PV, a CHP unit) without any device here telling of
    it; 0: nothing. The meter is not believed when it shows more than this too little."""
    voltage_v: Annotated[float, Field(ge=90, le=300)] = NOMINAL_VOLTAGE_V
    circuit: CircuitSettings
    meter: MeterSettings
    chargers: tuple[AnyChargerSettings, ...] = ()
    ocpp: OcppSettings = OcppSettings()
    batteries: tuple[BatterySettings, ...] = ()
    mqtt: MqttSettings = MqttSettings()
    pv: tuple[PvSettings, ...] = ()
    sensors: tuple[SensorSettings, ...] = ()
    telecontrol: tuple[TelecontrolSettings, ...] = ()
    """Inputs by which the network operator (or a control centre) may limit the site."""
    outage: OutageSettings = OutageSettings()
    island: IslandSettings = IslandSettings()
    restoration: RestorationSettings = RestorationSettings()
    droop: DroopSettings | None = None
    """None: the site does not answer the grid's frequency."""
    rules: RulesSettings = ()
    """Rules of the site's own, by priority; they stand above any plan."""
    scada: ScadaSettings | None = None
    """None: the site is no Modbus server."""
    forecast: ForecastSettings = ForecastSettings()
    tariff: AnyTariff | None = None
    """What electricity costs: in place, or the path of a file, or the name of a tariff that comes
    with the agent. None: nothing is planned."""
    planning: PlanningSettings = PlanningSettings()
    web: WebSettings | None = None
    """None: the agent serves no page. `web: {}` serves one at http://127.0.0.1:8090."""
    fleet: tuple[VehicleSettings, ...] = ()
    fleet_systems: FleetSystemsSettings = FleetSystemsSettings()
    """Who may tell of the fleet while the agent runs, and who is told."""
    drivers: tuple[DriverSettings, ...] = ()
    bays: Mapping[Name, HolderName] = Field(default_factory=dict)
    """EVSE to the vehicle whose place it is: who stands there when nothing else is known."""
    strangers: StrangerSettings = StrangerSettings()
    access: AccessSettings = AccessSettings()
    link: LinkSettings | None = None
    """None: the site runs alone."""
    remote: RemoteSettings = RemoteSettings()
    """Settings from the gateway, over those of this file."""
    telemetry_s: Annotated[float, Field(ge=0.2, le=900)] = 2.0

    @model_validator(mode="after")
    def _holds_together(self) -> SiteSettings:
        faults = [
            *_name_faults(self),
            *_circuit_faults(self),
            *_scada_faults(self),
            *_grid_faults(self),
        ]
        sensors, inverters = ([one.id for one in found] for found in (self.sensors, self.pv))
        faults += self.forecast.faults(sensors, inverters)
        if not faults:
            faults = overloads(self.model())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def model(self) -> SiteModel:
        """What does not change while the agent runs, in the domain's words."""
        return SiteModel(
            site_id=self.site_id,
            nodes=self.circuit.tree(),
            chargers=tuple(self.charger_spec(charger) for charger in self.chargers),
            batteries=tuple(battery_spec(battery) for battery in self.batteries),
            pv=tuple(pv_spec(inverter) for inverter in self.pv),
            contract_limit_w=self.contract_limit_w,
            max_building_w=self.max_building_w,
            meter_max_age=timedelta(seconds=self.meter.max_age_s),
            voltage_v=self.voltage_v,
            unseen_generation_w=self.unseen_generation_w,
        )

    @property
    def ocpp_chargers(self) -> tuple[ChargerSettings, ...]:
        """Those that come to us by OCPP."""
        return tuple(one for one in self.chargers if isinstance(one, ChargerSettings))

    def charger_spec(self, charger: AnyChargerSettings) -> ChargerSpec:
        """One charger in the domain's words."""
        discharge_a = charger.max_discharge_a if isinstance(charger, ChargerSettings) else 0.0
        return ChargerSpec(
            evse_id=charger.id,
            node=charger.node,
            phases=charger.phases,
            max_current_a=charger.max_current_a,
            min_current_a=charger.min_current_a,
            fail_safe_current_a=charger.fail_safe_current_a,
            max_discharge_a=discharge_a,
            voltage_v=self.voltage_v,
            lapses_after=timedelta(seconds=self.ocpp.lease_s),
            dc=charger.dc,
        )

    def tariff_paid(self) -> Tariff | None:
        """What electricity costs, in the domain's words."""
        return None if self.tariff is None else self.tariff.tariff()

    def rules_in_order(self) -> tuple[Rule, ...]:
        """The site's rules; the default ones where rules are all it has, and none are written."""
        own = rules_of(self.rules)
        return own or (DEFAULT_RULES if self.planning.strategy is Strategy.RULES else ())

    def grid_choices(self) -> GridChoices:
        """What is said of the grid, its frequency, and rules."""
        droop = self.droop
        return GridChoices(
            zone=ZoneInfo(self.time_zone),
            policies=GridPolicies(
                grid=self.outage.policy,
                island=self.island.policy,
                restore=self.restoration.policy,
            ),
            rules=self.rules_in_order(),
            fallback=DEFAULT_RULES if self.planning.strategy is Strategy.PLAN else (),
            droop=None if droop is None else droop.policy,
            droop_sensor=None if droop is None else droop.sensor,
            switch=self.island.contact,
        )

    def vehicles(self) -> Mapping[str, FleetVehicle]:
        """The fleet by vehicle id."""
        return {one.vehicle_id: one.vehicle(self.time_zone) for one in self.fleet}

    def settled(self) -> Settled:
        """What the live fleet begins with."""
        return Settled(
            base=base_values(self.fleet, self.bays),
            access=self.access_rules(),
            stranger=self.strangers.vehicle(),
            evses=frozenset(charger.id for charger in self.chargers),
            read=reader(self.time_zone, self.strangers),
        )

    def access_rules(self) -> Access:
        """Who is who, and who may charge."""
        return access(self.fleet, self.drivers, self.bays, self.strangers, self.access)


def _name_faults(settings: SiteSettings) -> Iterator[str]:
    devices = [*settings.chargers, *settings.batteries, *settings.pv]
    yield from _twice("device id", (device.id for device in (*devices, *settings.sensors)))
    yield from _twice("telecontrol input", (one.id for one in settings.telecontrol))
    yield from _twice("circuit node", [ROOT, *(node.id for node in settings.circuit.nodes)])
    yield from _twice("vehicle", (vehicle.vehicle_id for vehicle in settings.fleet))
    yield from _twice("driver", (driver.driver_id for driver in settings.drivers))
    yield from _identity_faults(settings)
    connectors = [
        f"{charger.station} connector {charger.connector}" for charger in settings.ocpp_chargers
    ]
    yield from _twice("charge point", connectors)
    described = {
        (one.station, one.versions, one.password, one.tolerant) for one in settings.ocpp_chargers
    }
    for station, count in Counter(station for station, *_ in described).items():
        if count > 1:
            yield f"charge point {station!r} is described differently by its connectors"


def _grid_faults(settings: SiteSettings) -> Iterator[str]:
    """What island, droop and rules name must exist."""
    sensors = {one.id for one in settings.sensors}
    named = {} if settings.droop is None else {"droop": settings.droop.sensor}
    if settings.island.switch is not None:
        named["island.switch"] = settings.island.switch.sensor
    for where, name in named.items():
        if name is not None and name not in sensors:
            yield f"{where}: there is no sensor {name!r}"
    evses = {charger.id for charger in settings.chargers}
    for name in sorted(settings.island.named - evses):
        yield f"island: EVSE {name!r} is named, which there is none of"
    yield from _twice("rule", (rule.name for rule in settings.rules))


def _scada_faults(settings: SiteSettings) -> Iterator[str]:
    """Limits by registers need a server that not just anybody can write to."""
    inputs = sum(one.kind == "registers" for one in settings.telecontrol)
    if inputs > 1:
        yield "telecontrol: one input of kind registers at most"
    if inputs and settings.scada is None:
        yield "telecontrol: an input of kind registers needs scada"
    if inputs and settings.scada is not None and not settings.scada.guards_writes:
        yield "scada: limits that may be written need clients, writers, tls or a loopback host"


def _identity_faults(settings: SiteSettings) -> Iterator[str]:
    """Nothing may point to two vehicles or drivers, nor to one that there is none of."""
    known = credentials(settings.fleet, settings.drivers, settings.access)
    for (kind, text), count in Counter(key for key, _ in known).items():
        if count > 1:
            what = "id tag" if kind is Kind.TAG else kind.value
            yield f"{what} {text!r} is used {count} times"
    vehicles = {one.vehicle_id for one in settings.fleet}
    for driver in settings.drivers:
        if driver.vehicle is not None and driver.vehicle not in vehicles:
            yield f"driver {driver.driver_id!r} drives {driver.vehicle!r}, which there is none of"
    for evse, vehicle in settings.bays.items():
        if vehicle not in vehicles:
            yield f"bay {evse!r} is of {vehicle!r}, which there is none of"
    evses = {charger.id for charger in settings.chargers}
    for evse in sorted(_named_evses(settings) - evses):
        yield f"EVSE {evse!r} is named, which there is none of"


def _named_evses(settings: SiteSettings) -> set[str]:
    strangers = settings.strangers
    cards = [card for holder in (*settings.fleet, *settings.drivers) for card in holder.id_tags]
    return {
        *settings.bays,
        *strangers.admit_at,
        *strangers.without_card_at,
        *(evse for card in cards for evse in card.evses),
    }


def _twice(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} {name!r} is used {count} times"


def _circuit_faults(settings: SiteSettings) -> Iterator[str]:
    parents = {node.id: node.parent for node in settings.circuit.nodes}
    known = {ROOT, *parents}
    for node, parent in parents.items():
        if parent not in known:
            yield f"circuit node {node!r} hangs on {parent!r}, which there is none of"
        elif not _reaches_root(node, parents):
            yield f"circuit node {node!r} hangs on itself"
    devices = [*settings.chargers, *settings.batteries, *settings.pv]
    for device in devices:
        if device.node not in known:
            yield f"{device.id!r} hangs on node {device.node!r}, which there is none of"


def _reaches_root(node: str, parents: Mapping[str, str]) -> bool:
    here = node
    for _ in parents:
        here = parents.get(here, ROOT)
        if here == ROOT:
            return True
    return False
