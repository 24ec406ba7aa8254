"""`gridyard statement` against a gateway on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from gridyard.cli import app
from support.gateway_web import EVENT, PROGRAM
from support.served_gateway import served

RUN = CliRunner()


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with served() as url:
        yield url


def run(gateway: str, *arguments: str) -> tuple[int, str]:
    answer = RUN.invoke(app, ["statement", *arguments, "--gateway", gateway])
    return answer.exit_code, answer.stdout or answer.stderr


def test_a_programs_month_is_settled_and_told_line_by_line(gateway: str, tmp_path: Path) -> None:
    pdf = tmp_path / "s.pdf"
    code, told = run(gateway, PROGRAM, "--month", "2026-11", "--settle", "--out", str(pdf))
    assert code == 0
    assert told.splitlines() == [
        "Peak Relief, 2026-11: version 1, PRELIMINARY, SIMULATED",
        "  events: 1, 2 h, 200.4 kWh, mean performance 95 %",
        f"  energy, {EVENT}: 400.80 USD  (Peak Relief)",
        "    200.4 kWh; energy (voluntary): 2 USD a kWh (example); 200.4 kWh counted",
        f"  penalty, {EVENT}: n/a  (Peak Relief)",
        "    9.6 kWh; penalty on what was not delivered: rate: see the tariff; "
        "no amount: rate: see the tariff",
        "  part of aggregator: 400.80 USD",
        f"  becomes final with: the end of 2026-11; the FINAL report of {EVENT}",
        "  total: 400.80 USD",
    ]
    text = PdfReader(pdf).pages[0].extract_text()
    assert "400.80 USD" in text
    assert "PRELIMINARY" in text
    code, told = run(gateway, "harbor", "--month", "2026-11", "--json")
    assert (code, json.loads(told)["name"]) == (0, "Harbor Street Vans")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody", "--month", "2026-11"], 1, "no program and no site"),
        ([PROGRAM, "--month", "2027-01"], 1, "settle it first"),
        ([PROGRAM, "--month", "soon"], 1, "no period"),
        ([PROGRAM, "--month", "2026-11", "--out", "x.doc"], 3, "must be one of"),
        ([PROGRAM, "--month", "2026-11", "--settle", "--version", "1"], 3, "leave --version out"),
    ],
)
def test_what_cannot_be_had_is_told(
    gateway: str, arguments: list[str], code: int, said: str
) -> None:
    answer = RUN.invoke(app, ["statement", *arguments, "--gateway", gateway])
    assert (answer.exit_code, said in answer.stderr) == (code, True), answer.stderr
