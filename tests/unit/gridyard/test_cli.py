import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridyard.cli import app

RUN = CliRunner()


def test_certs_makes_private_keys_that_only_their_owner_can_read(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["certs", str(tmp_path / "pki"), "--site", "depot-1", "--json"])
    assert result.exit_code == 0, result.output
    files = [Path(name) for name in json.loads(result.stdout)["files"]]
    keys = [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert keys
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_certs_refuses_a_site_id_that_could_own_every_subject(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["certs", str(tmp_path), "--site", "*"])
    assert result.exit_code == 1
    assert "site id '*'" in result.stderr


def test_doctor_finds_this_machine_ready() -> None:
    result = RUN.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.output
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert {"python", "nats-server", "pdf", "openadr schemas"} <= checks.keys()
    assert all(check["ok"] for check in checks.values() if check["required"])


@pytest.mark.parametrize("program", ["gateway", "site", "utility-sim", "depot-sim"])
def test_a_wrong_setting_is_named_by_file_line_and_key(program: str, tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("# a comment\nno_such_key: 1\n")
    result = RUN.invoke(app, [program, "--config", str(config)])
    assert result.exit_code == 3, result.output
    assert "wrong.yaml:2: no_such_key" in result.stderr


def test_a_missing_settings_file_is_a_plain_sentence(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["gateway", "--config", str(tmp_path / "absent.yaml")])
    assert result.exit_code == 3
    assert "absent.yaml: cannot be read" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_bench_is_answered_with_those_there_are() -> None:
    result = RUN.invoke(app, ["bench", "nothing"])
    assert result.exit_code == 1
    assert "openadr" in result.stderr


def test_the_procedures_the_simulated_utility_can_play_are_listed() -> None:
    listed = json.loads(RUN.invoke(app, ["sep2", "procedures", "--json"]).stdout)
    wide = next(one for one in listed if one["id"] == "UTIL-004")
    assert list(wide["devices"]) == ["EDA1", "EDA2", "EDB1", "EDB2"]
    words = RUN.invoke(app, ["sep2", "procedures"]).stdout
    assert f"EDA1  LFDI {wide['devices']['EDA1']}" in words


@pytest.mark.parametrize(
    ("procedure", "code", "message"),
    [
        ("BASIC-021", 3, "needs the keys and aggregators of a part `sep2`"),
        ("BASIC-000", 1, "no procedure 'BASIC-000'; there are: AGG-001,"),
    ],
)
def test_a_procedure_that_cannot_be_played_is_said_so(
    procedure: str, code: int, message: str, tmp_path: Path
) -> None:
    config = tmp_path / "utility.yaml"
    config.write_text("cert_file: vtn.pem\nkey_file: vtn.key\nca_file: ca.pem\n")
    result = RUN.invoke(app, ["utility-sim", "-c", str(config), "--procedure", procedure])
    assert result.exit_code == code, result.output
    assert message in result.stderr
