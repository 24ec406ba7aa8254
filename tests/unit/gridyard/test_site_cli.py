"""`gridyard site` and `gridyard site-agent` as people call them."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from certs.pki import make_test_pki
from contracts.identity import certificate_der
from contracts.site_link.enrolment import Token, fingerprint
from gridyard.cli import app
from gridyard.site.words import list_lines, show_lines

RUN = CliRunner()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gateway")
    pki = make_test_pki(folder / "pki", sites=[])
    link = {
        "ca": pki.site_ca,
        "broker_cert": pki.broker.cert,
        "broker_key": pki.broker.key,
        "cert": pki.gateway.cert,
        "key": pki.gateway.key,
        "nats": pki.nats,
        "enrolment": {"url": "https://gateway.example:8446", "ca_key": pki.site_ca_key},
    }
    site = {"site_id": "depot-1", "name": "One", "time_zone": "UTC", "import_limit_w": 1000}
    settings = {"data": folder / "data", "sites": [site], "link": link}
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(settings, default=str))))
    return path


def test_a_token_says_where_to_go_and_whom_to_believe(config: Path) -> None:
    result = RUN.invoke(app, ["site", "enrol", "depot-1", "--config", str(config), "--json"])
    assert result.exit_code == 0, result.output
    token = Token.parse(json.loads(result.stdout)["token"])
    ca = config.parent / "pki/sites/ca.pem"
    assert (token.url, token.site_id) == ("https://gateway.example:8446", "depot-1")
    assert token.ca == fingerprint(certificate_der(ca))
    assert token.secret.encode() not in (config.parent / "data/gateway.sqlite").read_bytes()


def test_for_people_the_token_stands_alone_on_a_line(config: Path) -> None:
    result = RUN.invoke(app, ["site", "enrol", "depot-1", "--config", str(config)])
    assert Token.parse(result.stdout.splitlines()[0]).site_id == "depot-1"
    assert "gridyard site-agent join" in result.stdout


def test_revoking_says_how_much_that_was(config: Path) -> None:
    result = RUN.invoke(app, ["site", "revoke", "depot-1", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert "depot-1: 0 credentials revoked" in result.stdout


@pytest.mark.parametrize("command", ["enrol", "revoke"])
@pytest.mark.parametrize("site_id", ["depot-9", "*"])
def test_a_site_nobody_knows_is_a_mistake(config: Path, command: str, site_id: str) -> None:
    result = RUN.invoke(app, ["site", command, site_id, "--config", str(config)])
    assert result.exit_code == 3
    assert "no site" in result.stderr
    assert "depot-1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["site"], "say --config FILE"),
        (["site", "--config", "x", "enrol", "depot-1"], "say it after `enrol`"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], words: str) -> None:
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


AGENT = """
site_id: depot-1
data: {folder}/agent
contract_limit_w: 60000
max_building_w: 10000
circuit: {{limit_a: 100}}
meter: {{host: 127.0.0.1, port: 5041}}
ocpp: {{host: 127.0.0.1, port: 9003}}
"""
LINK = "link: {{servers: ['tls://127.0.0.1:4222'], credentials: {folder}/credentials}}\n"


def token(site_id: str) -> str:
    return str(Token(url="https://127.0.0.1:9", site_id=site_id, secret="s" * 43, ca="00"))


@pytest.mark.parametrize(
    ("settings", "told", "words"),
    [
        (AGENT + LINK, "nonsense", "not a whole enrolment token"),
        (AGENT, "nonsense", "no gateway to join"),
        (AGENT + LINK, token("depot-2"), "the token is for site 'depot-2'"),
        (AGENT + LINK, token("depot-1"), "https://127.0.0.1:9: "),
    ],
    ids=["no token", "no link", "another site", "nobody there"],
)
def test_joining_fails_in_words(tmp_path: Path, settings: str, told: str, words: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(settings.format(folder=tmp_path))
    result = RUN.invoke(app, ["site-agent", "join", "--config", str(path)], input=told)
    assert result.exit_code != 0
    assert words in result.stderr


SILENT = {
    "site_id": "north",
    "name": "North Yard",
    "connected": False,
    "heard_at": None,
    "agent": None,
}
TOLD = {
    "version": "1.2.0",
    "protocol": 1,
    "uptime_s": 90_061.4,
    "waiting_rows": 30,
    "clock_offset_s": -0.316,
    "mode": "peak-avoidance",
    "last_gap": "",
}
HEARD = {**SILENT, "connected": True, "heard_at": "2026-11-28T01:00:00Z", "agent": TOLD}
OLDER = {**HEARD, "agent": {**dict.fromkeys(TOLD), "version": "1.0.0"}}


def test_sites_are_a_line_each() -> None:
    assert list(list_lines([SILENT, HEARD, OLDER])) == [
        "site                 link     agent                         up   waiting     clock  mode",
        "north                offline  -                              -         -         -  -",
        "north                online   1.2.0             1 day, 1:01:01        30   -0.32 s  "
        "peak-avoidance",
        "north                online   1.0.0                          -         -         -  -",
    ]


def test_a_site_is_shown_with_what_its_agent_tells() -> None:
    assert list(show_lines(HEARD)) == [
        "north: North Yard, online, last heard 2026-11-28T01:00:00Z",
        "  agent      1.2.0, site link version 1, up 1 day, 1:01:01",
        "  mode       peak-avoidance",
        "  outbox     30 rows not acknowledged",
        "  clock      -0.32 s (the gateway's less the agent's)",
        "  last gap   none",
    ]
    assert list(show_lines(OLDER))[1:] == [
        "  agent      1.0.0, site link version -, up -",
        "  mode       -",
        "  outbox     - rows not acknowledged",
        "  clock      - (the gateway's less the agent's)",
        "  last gap   -",
    ]
    assert list(show_lines(SILENT)) == [
        "north: North Yard, offline, last heard -",
        "  its agent has not been heard since the gateway started",
    ]


def test_an_agent_cannot_steer_the_terminal() -> None:
    hostile = {**TOLD, "version": "\x1b[2J", "mode": "\r\n", "last_gap": "\x07"}
    site = {**HEARD, "agent": hostile}
    assert all(line.isprintable() for line in [*list_lines([site]), *show_lines(site)])


@pytest.mark.parametrize("command", [["list"], ["show", "north"]])
def test_without_a_gateway_that_is_said(command: list[str]) -> None:
    answer = RUN.invoke(app, ["site", *command, "--gateway", "http://127.0.0.1:9"])
    assert answer.exit_code == 1
    assert "no gateway answers" in answer.stderr
