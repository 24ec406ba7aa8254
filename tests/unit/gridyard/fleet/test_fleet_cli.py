"""The words of `gridyard fleet` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from contracts.errors import PermanentError
from gridyard.cli import app
from site_agent.fleet.commands import unpacked
from site_agent.fleet.tokens import digest_of
from site_agent.fleet.webhooks.signing import read_secret
from support.console_door import scripted_door

RUN = CliRunner()
DONE: dict[str, Any] = {
    "rows": 3, "kind": "vehicles", "changed": ["bus", "van"], "unchanged": ["x"], "dry_run": False,
}  # fmt: skip


def run(*words: object) -> Result:
    return RUN.invoke(app, ["fleet", *map(str, words)])


def site(folder: Path, **more: Any) -> Path:
    path = folder / "site.yaml"
    settings = {
        "site_id": "s", "data": str(folder), "contract_limit_w": 50_000, "max_building_w": 0,
        "time_zone": "Europe/Berlin", "circuit": {"limit_a": 100}, "meter": {"host": "127.0.0.1"},
        **more,
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings))
    return path


def test_a_file_is_carried_to_the_agent(tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("vehicle_id,rank\nbus,1\n")
    with scripted_door(tmp_path, {"import": [DONE]}, "fleet.") as asked:
        told = run("import", file, "--site-settings", site(tmp_path), "--dry-run")
    assert told.exit_code == 0, told.stderr
    ((command, args),) = asked
    assert command == "import"
    assert args["dry_run"] is True
    assert unpacked(args["content"]) == file.read_bytes()
    assert told.stdout.splitlines() == [
        "3 rows of vehicles: changed 2, 1 as before", "  bus", "  van",
    ]  # fmt: skip


def test_faults_of_a_file_are_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("x")
    fault = PermanentError("line 2, rank: 'x' is no number\nline 9: no vehicle_id")
    with scripted_door(tmp_path, {"import": fault}, "fleet."):
        told = run("import", file, "-s", site(tmp_path))
    assert told.exit_code == 1
    assert "line 2, rank: 'x' is no number\nline 9: no vehicle_id" in told.stderr
    missing = run("import", tmp_path / "none.csv", "-s", site(tmp_path))
    assert missing.exit_code == 1
    assert "none.csv: cannot be read" in missing.stderr


def test_vehicles_are_told_with_their_sources_in_the_sites_zone(tmp_path: Path) -> None:
    at = {"source": "geotab", "at": "2026-01-05T12:00:00Z"}
    van = {
        "vehicle_id": "van", "in_settings": True, "required_soc_pct": 80, "departure": "06:30",
        "soc_pct": 41.5, "told": {"soc_pct": at, "departure": {"source": "settings"}},
    }  # fmt: skip
    with scripted_door(tmp_path, {"vehicles": [van]}, "fleet."):
        told = run("vehicles", "--site", site(tmp_path))
    assert told.stdout == (
        "van  to 80 %; leaves 06:30; at 41.5 % (2026-01-05 13:00 CET, geotab);"
        " from geotab, settings\n"
    )


def test_a_token_is_shown_once_and_the_settings_get_its_hash(tmp_path: Path) -> None:
    told = json.loads(run("token", "dispatch", "--write", "--json").stdout)
    assert told["settings"] == {
        "name": "dispatch", "sha256": digest_of(told["token"]),
        "scopes": ["fleet:read", "fleet:write"],
    }  # fmt: skip
    plain = run("token", "reader").stdout
    line = yaml.safe_load(plain.splitlines()[-1])
    assert (line[0]["name"], line[0]["scopes"]) == ("reader", ["fleet:read"])
    assert run("token", "no name!").exit_code == 1


def test_a_secret_is_made_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "hook.secret"
    assert run("secret", file).exit_code == 0
    assert (len(read_secret(file)), file.stat().st_mode & 0o777) == (32, 0o600)
    again = run("secret", file)
    assert again.exit_code == 1
    assert "is there already" in again.stderr


@pytest.mark.parametrize(("name", "code"), [("fleet", 1), ("other", 3)])
def test_a_test_event_says_what_became_of_it(tmp_path: Path, name: str, code: int) -> None:
    run("secret", tmp_path / "hook.secret")
    hook = {
        "name": "fleet", "url": "https://127.0.0.1:9/hook",
        "secret_file": str(tmp_path / "hook.secret"),
    }  # fmt: skip
    path = site(tmp_path, fleet_systems={"webhooks": [hook]})
    told = run("webhook-test", name, "--site", path, "--json")
    assert told.exit_code == code
    if code == 1:
        (one,) = json.loads(told.stdout)
        assert (one["heard"], "not a public address" in one["why"]) == (False, True)
    else:
        assert "no webhook other: the settings have fleet" in told.stderr
