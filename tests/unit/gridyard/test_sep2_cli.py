"""The words of `gridyard sep2` that need no server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from certs.pki import make_test_pki
from contracts.identity import certificate_der, lfdi
from gridyard.cli import app

RUN = CliRunner()


def test_the_identifiers_of_a_certificate(tmp_path: Path) -> None:
    certificate = make_test_pki(tmp_path, sites=[]).sep2.aggregator.cert
    answer = RUN.invoke(app, ["sep2", "lfdi", str(certificate), "--json"])
    shown = json.loads(answer.stdout)
    assert shown["lfdi"] == lfdi(certificate_der(certificate))
    assert sum(map(int, str(shown["sfdi"]))) % 10 == 0


@pytest.mark.parametrize("command", ["check", "tree", "certify"])
def test_a_file_that_is_not_there_is_named(command: str) -> None:
    answer = RUN.invoke(app, ["sep2", command, "--config", "nowhere.yaml"])
    assert answer.exit_code == 3
    assert "nowhere.yaml" in answer.stderr
