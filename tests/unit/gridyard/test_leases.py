"""The words of `gridyard leases` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import TransientError
from gridyard.cli import app
from support.console_door import scripted_door

RUN = CliRunner()
KEEPER: dict[str, Any] = {
    "device": "rack-2", "nature": "battery", "lapse": "none", "within_s": None,
    "then": "keeps its last setpoint", "cost": "counted at full charging power",
}  # fmt: skip
UNTRIED: dict[str, Any] = {
    "device": "CP1", "nature": "charger", "lapse": "unknown", "within_s": 300.0,
    "then": "6 A a phase", "cost": "",
}  # fmt: skip
SOUND: dict[str, Any] = {
    "device": "roof", "nature": "pv", "lapse": "device", "within_s": 30.0,
    "then": "makes what it can", "cost": "",
}  # fmt: skip
SITE = """
site_id: s
data: {data}
contract_limit_w: 50000
max_building_w: 0
circuit: {{limit_a: 100}}
meter: {{host: 127.0.0.1}}
"""


def run(*words: object) -> Result:
    return RUN.invoke(app, ["leases", *map(str, words)])


def test_those_that_do_not_let_go_come_last_and_say_what_it_costs(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"leases": [KEEPER, UNTRIED, SOUND]}, "site.") as asked:
        shown = run("--data", tmp_path)
    assert shown.exit_code == 0, shown.stderr
    assert asked == [("leases", {})]
    assert shown.stdout.splitlines() == [
        "roof    pv       within 30 s: makes what it can",
        "rack-2  battery  DOES NOT LET GO: keeps its last setpoint; counted at full charging power",
        "CP1     charger  not known to let go (taken to be: 6 A a phase)",
    ]


def test_the_settings_lead_to_the_agent_and_json_is_whole(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(data=tmp_path))
    with scripted_door(tmp_path, {"leases": [KEEPER, SOUND]}, "site."):
        told = run("--site", site, "--json")
    assert json.loads(told.stdout) == [KEEPER, SOUND]


def test_a_site_without_devices_says_so(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"leases": []}, "site."):
        assert run("--data", tmp_path).stdout == "no device takes setpoints\n"


@pytest.mark.parametrize("words", [(), ("--site", "site.yaml", "--data", ".")])
def test_one_agent_must_be_named(words: tuple[str, ...]) -> None:
    told = run(*words)
    assert told.exit_code != 0
    assert "say which agent: --site FILE (its settings) or --data FOLDER" in told.stderr


def test_without_an_agent_or_before_its_first_look_there_is_a_plain_error(tmp_path: Path) -> None:
    nobody = run("--data", tmp_path)
    assert nobody.exit_code != 0
    assert "no agent runs on" in nobody.stderr
    early = TransientError("the agent has not looked at its devices yet; ask again")
    with scripted_door(tmp_path, {"leases": early}, "site."):
        told = run("--data", tmp_path)
    assert told.exit_code != 0
    assert "has not looked at its devices yet" in told.stderr
