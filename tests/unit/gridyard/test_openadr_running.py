"""What `gridyard openadr` asks of a running gateway, over a real port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from gridyard.cli import app
from support.openadr_gateway import (
    EVENT,
    ODD_EVENT,
    UTILITY,
    GatewayAddress,
    running_gateway_web,
)
from support.scripted_vtn import http, scripted_vtn

RUN = CliRunner()


@pytest.fixture
def gateway() -> Iterator[GatewayAddress]:
    with running_gateway_web() as address:
        yield address


def config(folder: Path, port: int | str) -> Path:
    """Settings of which only the utility and the web's port matter here."""
    keys = dict.fromkeys(("ca", "cert", "key"), "none.pem")
    links = ("ca", "broker_cert", "broker_key", "cert", "key", "nats")
    file = folder / "gateway.yaml"
    site = {"site_id": "east", "name": "East", "time_zone": "UTC", "import_limit_w": 1000}
    settings = {
        "data": str(folder),
        "sites": [site],
        "openadr": [
            {
                "utility_id": UTILITY,
                "url": "https://vtn.example/x",
                "ven_name": "gridyard",
                **keys,
            }
        ],
        "link": dict.fromkeys(links, "none"),
        "web": {"host": "0.0.0.0", "port": int(port)},
    }
    file.write_text(yaml.safe_dump(settings))
    return file


def port_of(gateway: GatewayAddress) -> str:
    return gateway.url.rsplit(":", 1)[1]


def run(command: str, *words: object) -> Result:
    return RUN.invoke(app, ["openadr", command, *map(str, words)])


def test_events_of_this_utility_alone(gateway: GatewayAddress, tmp_path: Path) -> None:
    file = config(tmp_path, port_of(gateway))
    lines = run("events", "-c", file).stdout.splitlines()
    assert f"{EVENT} (modification 0): active" in lines
    assert "  delta_w in W: -105000" in lines
    assert "  optIn: we follow; out: east" in lines
    assert "foreign" not in "".join(lines)
    shown = json.loads(run("events", "-c", file, "--json").stdout)
    assert {one["event_id"] for one in shown} == {EVENT, ODD_EVENT}


def test_opts_answered_and_told(gateway: GatewayAddress, tmp_path: Path) -> None:
    file = config(tmp_path, port_of(gateway))
    lines = run("opts", "-c", file).stdout.splitlines()
    assert f"{EVENT}: optIn, we follow; out: east" in lines
    assert f"told about {EVENT}: optOut of east, optID opt-1" in lines
    shown = json.loads(run("opts", "-c", file, "--json").stdout)
    assert shown["opts"][EVENT]["told"][0]["opt_id"] == "opt-1"


def test_reports_that_were_asked_for(gateway: GatewayAddress, tmp_path: Path) -> None:
    file = config(tmp_path, port_of(gateway))
    lines = run("reports", "-c", file).stdout.splitlines()
    assert lines[0] == "registered as ven-7"
    assert lines[1] == "rr-1: usage, each 60 s, sent each 300 s"
    assert "  points portfolio/power_w" in lines
    assert json.loads(run("reports", "-c", file, "--json").stdout)["ven_id"] == "ven-7"


@pytest.mark.parametrize("event", [EVENT, ODD_EVENT])
def test_one_site_opts_out(gateway: GatewayAddress, tmp_path: Path, event: str) -> None:
    file = config(tmp_path, port_of(gateway))
    words = ("opt-out", event, "-c", file, "--site", "harbor", "--why", "a late bus")
    assert run(*words).stdout == f"{event}: out: harbor\n"
    assert run(*words).exit_code == 0
    ((key, site, why),) = gateway.opted_out
    assert (key, site) == (f"{UTILITY}/{event}", "harbor")
    assert "a late bus" in why


def test_every_enrolled_site_opts_out(gateway: GatewayAddress, tmp_path: Path) -> None:
    words = ("opt-out", EVENT, "-c", config(tmp_path, port_of(gateway)), "--why", "strike")
    shown = json.loads(run(*words, "--json").stdout)
    assert shown["out"] == ["north-yard", "harbor", "east"]
    assert [site for _, site, _ in gateway.opted_out] == ["north-yard", "harbor"], "east was out"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((EVENT, "--site", "nowhere", "--why", "x"), "There is no site 'nowhere'"),
        (("no-such-event", "--why", "x"), "There is no event"),
        ((EVENT, "--site", "harbor", "--why", "x" * 300), "at most 200 characters"),
        ((EVENT, "--site", "north-yard", "--why", "refuse"), "this site may not"),
    ],
)
def test_what_cannot_be_opted_out_of_is_said(
    gateway: GatewayAddress, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = run("opt-out", *words, "-c", config(tmp_path, port_of(gateway)))
    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.parametrize("command", ["events", "opts", "reports"])
def test_no_gateway_there_is_said(tmp_path: Path, command: str) -> None:
    with scripted_vtn(None, b"") as gone:
        port = gone.port
    result = run(command, "-c", config(tmp_path, port))
    assert result.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:" in result.stderr


@pytest.mark.parametrize(
    "said", [http(b"<html>"), http(b"[1]", "500 Oops"), http(b"[1]"), b"nonsense\r\n\r\n"]
)
def test_something_else_there_is_said(tmp_path: Path, said: bytes) -> None:
    with scripted_vtn(None, said) as other:
        api = f"http://127.0.0.1:{other.port}"
        result = run("events", "-c", config(tmp_path, 0), "--gateway", api)
    assert result.exit_code == 1
    assert result.stderr.startswith("gridyard: ")


def test_a_gateway_on_any_port_needs_its_address(tmp_path: Path) -> None:
    result = run("events", "-c", config(tmp_path, 0))
    assert result.exit_code == 3
    assert "--gateway" in result.stderr
