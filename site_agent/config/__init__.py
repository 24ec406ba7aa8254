"""Settings of one depot's agent: what there is, what it may draw, who drives when.

What must hold for the site to be safe with no agent alive is checked here, before anything starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from contracts.config import Settings
from contracts.errors import PermanentError
from contracts.power import NOMINAL_VOLTAGE_V
from contracts.site_link.subjects import checked_site_id
from site_agent.config.devices import (
    BatterySettings,
    ChargerSettings,
    CircuitSettings,
    MeterSettings,
    MqttSettings,
    OcppSettings,
    Positive,
    PvSettings,
    battery_spec,
    pv_spec,
)
from site_agent.config.fleet import StrangerSettings, VehicleSettings, Zone
from site_agent.domain.device import ChargerSpec
from site_agent.domain.fleet import FleetVehicle
from site_agent.domain.safety import overloads
from site_agent.domain.site import ROOT, CircuitNode, SiteModel


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
    voltage_v: Annotated[float, Field(ge=90, le=300)] = NOMINAL_VOLTAGE_V
    circuit: CircuitSettings
    meter: MeterSettings
    chargers: tuple[ChargerSettings, ...] = ()
    ocpp: OcppSettings = OcppSettings()
    batteries: tuple[BatterySettings, ...] = ()
    mqtt: MqttSettings = MqttSettings()
    pv: tuple[PvSettings, ...] = ()
    fleet: tuple[VehicleSettings, ...] = ()
    strangers: StrangerSettings = StrangerSettings()
    link: LinkSettings | None = None
    """None: the site runs alone."""
    telemetry_s: Annotated[float, Field(ge=0.2, le=900)] = 2.0

    @model_validator(mode="after")
    def _holds_together(self) -> SiteSettings:
        faults = [*_name_faults(self), *_circuit_faults(self)]
        if not faults:
            faults = overloads(self.model())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def model(self) -> SiteModel:
        """What does not change while the agent runs, in the domain's words."""
        root = CircuitNode(node_id=ROOT, parent=None, limit_a=self.circuit.limit_a)
        return SiteModel(
            site_id=self.site_id,
            nodes=(
                root,
                *(
                    CircuitNode(node_id=node.id, parent=node.parent, limit_a=node.limit_a)
                    for node in self.circuit.nodes
                ),
            ),
            chargers=tuple(self.charger_spec(charger) for charger in self.chargers),
            batteries=tuple(battery_spec(battery) for battery in self.batteries),
            pv=tuple(pv_spec(inverter) for inverter in self.pv),
            contract_limit_w=self.contract_limit_w,
            max_building_w=self.max_building_w,
            meter_max_age=timedelta(seconds=self.meter.max_age_s),
            voltage_v=self.voltage_v,
        )

    def charger_spec(self, charger: ChargerSettings) -> ChargerSpec:
        """One charger in the domain's words."""
        return ChargerSpec(
            evse_id=charger.id,
            node=charger.node,
            phases=charger.phases,
            max_current_a=charger.max_current_a,
            min_current_a=charger.min_current_a,
            fail_safe_current_a=charger.fail_safe_current_a,
            voltage_v=self.voltage_v,
        )

    def vehicles(self) -> Mapping[str, FleetVehicle]:
        """The fleet by id tag, in lower case."""
        return {
            tag.lower(): settings.vehicle(self.time_zone)
            for settings in self.fleet
            for tag in settings.id_tags
        }


def _name_faults(settings: SiteSettings) -> Iterator[str]:
    devices = [*settings.chargers, *settings.batteries, *settings.pv]
    yield from _twice("device id", (device.id for device in devices))
    yield from _twice("circuit node", [ROOT, *(node.id for node in settings.circuit.nodes)])
    yield from _twice("vehicle", (vehicle.vehicle_id for vehicle in settings.fleet))
    tags = [tag.lower() for vehicle in settings.fleet for tag in vehicle.id_tags]
    yield from _twice("id tag", tags)
    connectors = [
        f"{charger.station} connector {charger.connector}" for charger in settings.chargers
    ]
    yield from _twice("charge point", connectors)
    described = {
        (one.station, one.versions, one.password, one.tolerant) for one in settings.chargers
    }
    for station, count in Counter(station for station, *_ in described).items():
        if count > 1:
            yield f"charge point {station!r} is described differently by its connectors"


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
