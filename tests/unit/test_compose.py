"""The composed system without an engine: its commands, settings, names and ports fit each other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from contracts.config import Settings, load
from depot_sim.config import DepotSettings
from depot_sim.config_field import ModbusSettings
from gateway.config import GatewaySettings
from gridyard.cli import app
from site_agent.config import SiteSettings
from site_agent.config.devices import ModbusSettings as AgentModbus
from vtn_sim.config import VtnSettings

ROOT = Path(__file__).parents[2]
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
MODELS: Mapping[str, type[Settings]] = {
    "gateway": GatewaySettings,
    "site": SiteSettings,
    "utility-sim": VtnSettings,
    "depot-sim": DepotSettings,
}
Model = TypeVar("Model", bound=Settings)
DEPOTS = ("depot-1", "depot-2")
PROGRAMS = [name for name in SERVICES if name != "keys"]


def mounts(service: str) -> dict[str, str]:
    """Source by target of everything mounted."""
    parts = [text.split(":") for text in SERVICES[service].get("volumes", [])]
    return {part[1]: part[0] for part in parts}


def settings(service: str, model: type[Model]) -> Model:
    """What a service is told, read from where its command looks for it."""
    _, option, path = SERVICES[service]["command"]
    assert option == "--config"
    return load(ROOT / mounts(service)[path], model)


def gateway() -> GatewaySettings:
    return settings("gateway", GatewaySettings)


def utility() -> VtnSettings:
    return settings("utility", VtnSettings)


def reachable(caller: str, name: str) -> bool:
    """Whether a service of this name shares a network with the caller."""
    return bool(set(SERVICES[caller]["networks"]) & set(SERVICES[name]["networks"]))


@pytest.mark.parametrize("service", SERVICES)
def test_every_command_is_one_that_gridyard_has(service: str) -> None:
    name, *arguments = SERVICES[service]["command"]
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    command = group.commands[name]
    command.make_context(name, list(arguments))  # raises on wrong usage


@pytest.mark.parametrize("service", PROGRAMS)
def test_every_mounted_settings_file_loads(service: str) -> None:
    settings(service, MODELS[SERVICES[service]["command"][0]])


def test_every_settings_file_is_mounted_somewhere() -> None:
    mounted = {ROOT / source for name in SERVICES for source in mounts(name).values()}
    assert set((ROOT / "docker").rglob("*.yaml")) <= mounted


@pytest.mark.parametrize("service", SERVICES)
def test_named_volumes_and_networks_are_declared(service: str) -> None:
    named = {source for source in mounts(service).values() if not source.startswith(".")}
    assert named <= COMPOSE["volumes"].keys()
    assert set(SERVICES[service].get("networks", [])) <= COMPOSE["networks"].keys()


def test_the_image_holds_every_package_and_the_ignore_file_lets_it_in() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    dockerfile = (ROOT / "Dockerfile").read_text().splitlines()
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"COPY {package} {package}" for package in packages} <= set(dockerfile)
    copied = {
        name
        for line in dockerfile
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    assert {f"!{name}" for name in copied} <= set(allowed)
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.parametrize("service", PROGRAMS)
def test_folders_that_volumes_are_mounted_on_belong_to_the_image_user(service: str) -> None:
    targets = {target for target, source in mounts(service).items() if not source.startswith(".")}
    made = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if "mkdir" in line)
    assert targets <= set(made.split())


def test_only_the_web_port_is_published_and_on_loopback_alone() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    port = gateway().web.port
    assert published == {"gateway": [f"127.0.0.1:{port}:{port}"]}
    open_networks = {name for name, one in COMPOSE["networks"].items() if not one}
    assert open_networks == {"web"}
    assert [name for name in PROGRAMS if "web" in SERVICES[name]["networks"]] == ["gateway"]


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_health_check_asks_a_port_the_program_serves(service: str) -> None:
    served: dict[str, int] = {"gateway": gateway().web.port, "utility": utility().api_port}
    for depot in DEPOTS:
        served[depot] = settings(depot, SiteSettings).ocpp.port
        served[f"{depot}-hardware"] = settings(f"{depot}-hardware", DepotSettings).meter.port
    interpreter, option, code = SERVICES[service]["healthcheck"]["test"][1:]
    assert (interpreter, option) == ("python", "-c")
    compile(code, service, "exec")
    assert str(served[service]) in code


@pytest.mark.parametrize("service", SERVICES)
def test_programs_run_without_rights_and_come_back(service: str) -> None:
    one = SERVICES[service]
    assert one["read_only"]
    assert one["cap_drop"] == ["ALL"]
    assert one["restart"] == ("no" if service == "keys" else "unless-stopped")
    reads_keys = "/keys" in mounts(service) and service != "keys"
    assert ("keys" in one.get("depends_on", {})) == reads_keys


def test_keys_are_made_for_the_names_and_sites_there_are() -> None:
    options = SERVICES["keys"]["command"][2:]
    given = list(zip(options[::2], options[1::2], strict=True))
    sites = {value for option, value in given if option == "--site"}
    assert sites == {entry.site_id for entry in gateway().sites} == set(DEPOTS)
    assert {value for option, value in given if option == "--host"} == {"gateway", "utility"}


def test_the_gateway_finds_the_utility() -> None:
    (ven,) = gateway().openadr
    url = urlsplit(str(ven.url))
    assert (url.hostname, url.port) == ("utility", utility().port)
    assert reachable("gateway", "utility")
    assert (ven.ven_id, ven.ven_name) in {(one.ven_id, one.name) for one in utility().vens}
    (program,) = gateway().programs
    assert program.utility_id == ven.utility_id
    assert {event.market_context for event in utility().scenario} == {program.program_id}


@pytest.mark.parametrize("depot", DEPOTS)
def test_a_depot_finds_the_gateway(depot: str) -> None:
    site = settings(depot, SiteSettings)
    assert site.link is not None
    (server,) = site.link.servers
    url = urlsplit(server)
    assert (url.hostname, url.port) == ("gateway", gateway().link.port)
    assert reachable(depot, "gateway")
    assert site.link.credentials == Path("/keys/credentials") / site.site_id
    assert site.site_id == depot
    entry = next(one for one in gateway().sites if one.site_id == depot)
    assert entry.import_limit_w == site.contract_limit_w


@pytest.mark.parametrize("depot", DEPOTS)
def test_a_depot_and_its_hardware_find_each_other(depot: str) -> None:
    site, plant = settings(depot, SiteSettings), settings(f"{depot}-hardware", DepotSettings)
    assert plant.site_id == site.site_id
    assert reachable(depot, f"{depot}-hardware")
    assert set(_modbus_of(site)) == {
        (name, f"{depot}-hardware", port) for name, port in _listening(plant)
    }
    assert {(one.id, f"ocpp{one.version}") for one in plant.chargers} == {
        (one.id, version) for one in site.ocpp_chargers for version in one.versions
    }
    assert {one.url for one in plant.chargers} == {f"ws://{depot}:{site.ocpp.port}"}
    tags = {card.tag for vehicle in site.fleet for card in vehicle.id_tags}
    assert {one.vehicle.id_tag for one in plant.chargers if one.vehicle} == tags


@pytest.mark.parametrize("depot", DEPOTS)
def test_mqtt_batteries_can_log_in_at_the_agents_broker(depot: str) -> None:
    site, plant = settings(depot, SiteSettings), settings(f"{depot}-hardware", DepotSettings)
    logins = {
        (one.id, depot, site.mqtt.port, one.password)
        for one in site.batteries
        if one.kind == "mqtt"
    }
    assert logins == {
        (one.broker.username, one.broker.host, one.broker.port, one.broker.password)
        for one in plant.batteries
        if one.kind == "mqtt"
    }


def _modbus_of(site: SiteSettings) -> Iterator[tuple[str, str, int]]:
    """(device, host, port) of everything the agent reads over Modbus."""
    devices = [("pcc", site.meter), *((one.id, one) for one in (*site.pv, *site.batteries))]
    for name, device in devices:
        if isinstance(device, AgentModbus):
            assert device.host is not None
            assert device.port is not None
            yield name, device.host, device.port


def _listening(plant: DepotSettings) -> Iterator[tuple[str, int]]:
    """(device, port) of everything that listens, on every address, or the agent stays alone."""
    for device in (plant.meter, *plant.pv, *plant.batteries):
        if isinstance(device, ModbusSettings):
            yield _open(device.id, device)


def _open(name: str, listener: ModbusSettings) -> tuple[str, int]:
    assert listener.host == "0.0.0.0"
    return name, listener.port
