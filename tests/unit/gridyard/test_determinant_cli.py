"""`gridyard determinant` against a gateway on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.domain.settle.determinant import What
from gridyard.cli import app
from gridyard.determinant.cli import What as Told
from support.gateway_web import EVENT, PROGRAM
from support.served_gateway import served

RUN = CliRunner()


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with served() as url:
        yield url


def run(gateway: str, *arguments: str) -> tuple[int, str]:
    answer = RUN.invoke(app, ["determinant", *arguments, "--gateway", gateway])
    return answer.exit_code, answer.stdout or answer.stderr


def test_the_command_knows_the_kinds_that_the_gateway_knows() -> None:
    assert {one.value for one in Told} == {one.value for one in What}


def test_one_is_told_and_a_file_is_loaded(gateway: str, tmp_path: Path) -> None:
    bid = ("tell", PROGRAM, "bid", EVENT, "0.35", "--currency", "USD", "--source", "our bid")
    code, told = run(gateway, *bid, "--by", "Ada")
    assert code == 0, told
    assert told.startswith(f"1  bid {EVENT}: 0.35 USD  (our bid; by Ada at ")
    file = tmp_path / "told.csv"
    file.write_text(
        "what,subject,value,currency,source\n"
        f"bid,{EVENT},0.40,USD,a letter\n"
        f"system_ratio,{EVENT},0.9,,a notice\n"
    )
    code, told = run(gateway, "load", PROGRAM, str(file), "--json")
    assert code == 0, told
    assert [one["number"] for one in json.loads(told)] == [2, 3]
    _, told = run(gateway, "list", PROGRAM)
    assert [line.split("  ")[1].split(":")[0] for line in told.splitlines()] == [
        f"system_ratio {EVENT}",
        f"bid {EVENT}",
        f"bid {EVENT}",
    ]
    assert told.splitlines()[2].endswith("replaced since)")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("what,subject\nbid,x\n", 3, "line 2: columns are missing: value, currency, source"),
        ("", 3, "1 to 2000 rows"),
        ("what,subject,value,currency,source\nbid,u/e,much,USD,x\n", 1, "value"),
        ("what,subject,value,currency,source\npeak,2026-07,soon,,x\n", 1, "at"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(
    gateway: str, tmp_path: Path, text: str, code: int, says: str
) -> None:
    file = tmp_path / "told.csv"
    file.write_text(text)
    answer = RUN.invoke(app, ["determinant", "load", PROGRAM, str(file), "--gateway", gateway])
    assert (answer.exit_code, says in answer.stderr) == (code, True), answer.stderr
    missing = ["determinant", "load", PROGRAM, str(tmp_path / "no.csv"), "--gateway", gateway]
    assert RUN.invoke(app, missing).exit_code == 3
