"""`gridyard report` against a gateway's pages on a real socket."""

import io
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
MONTH = ["--program", PROGRAM, "--month", "2026-11"]


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with served() as url:
        yield url


def test_reports_of_a_month_are_listed_by_the_programs_calendar(gateway: str) -> None:
    answer = RUN.invoke(app, ["report", "list", *MONTH, "--gateway", gateway])
    assert answer.stdout == f"{EVENT}  version 1, PRELIMINARY, 3 sites\n"
    none = RUN.invoke(
        app,
        ["report", "list", "--program", PROGRAM, "--month", "2026-12", "--gateway", gateway],
    )
    assert none.stdout == "no report\n"


def test_every_owner_gets_a_file_and_only_their_own(gateway: str, tmp_path: Path) -> None:
    answer = RUN.invoke(
        app,
        ["report", "bulk", *MONTH, "--out", str(tmp_path), "--gateway", gateway, "--json"],
    )
    found = json.loads(answer.stdout)
    assert (answer.exit_code, found["written"], found["failed"]) == (0, 3, [])
    texts = {
        path.name: "".join(page.extract_text() for page in PdfReader(path).pages)
        for path in tmp_path.iterdir()
    }
    status = "v1_PRELIMINARY_SIMULATED.pdf"
    assert sorted(texts) == [
        f"participation_evt-2026-1121_{site}_{status}"
        for site in ("east-fleet", "harbor", "north-yard")
    ]
    harbor = texts[f"participation_evt-2026-1121_harbor_{status}"]
    assert "Harbor Street Vans" in harbor
    assert "North Yard" not in harbor


def test_a_file_that_cannot_be_made_is_told_and_holds_up_no_other(
    gateway: str, tmp_path: Path
) -> None:
    (tmp_path / "participation_evt-2026-1121_v1_PRELIMINARY_SIMULATED.csv").mkdir()
    command = ["report", "bulk", *MONTH, "--out", str(tmp_path), "--gateway", gateway, "--json"]
    answer = RUN.invoke(app, [*command, "--for", "all", "--format", "csv", "--workers", "1"])
    found = json.loads(answer.stdout)
    assert (answer.exit_code, found["written"]) == (1, 4)
    assert [one.partition(":")[0] for one in found["failed"]] == ["operator"]


def test_one_report_is_kept_under_a_name_or_its_own(
    gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["report", "export", EVENT, "--gateway", gateway]
    assert RUN.invoke(app, command).exit_code == 0
    assert (tmp_path / "participation_evt-2026-1121_v1.csv").read_text().startswith("event,")
    own = ["--format", "pdf", "--for", "owner", "--site", "harbor", "-o", "mine.pdf"]
    answer = RUN.invoke(app, [*command, *own, "--zone", "Europe/Brussels"])
    assert answer.exit_code == 0
    page = PdfReader(io.BytesIO((tmp_path / "mine.pdf").read_bytes())).pages[0].extract_text()
    assert "CET" in page


@pytest.mark.parametrize(
    ("kind", "begins"), [("green-button", "<?xml"), ("csv", "site_id,data_label,start_utc")]
)
def test_a_sites_meter_data_are_kept(gateway: str, tmp_path: Path, kind: str, begins: str) -> None:
    path = tmp_path / "meter"
    days = ["--from", "2026-11-20", "--to", "2026-11-20", "--format", kind, "--out", str(path)]
    answer = RUN.invoke(app, ["report", "export", "harbor", *days, "--gateway", gateway, "--json"])
    assert answer.exit_code == 0, answer.stderr
    text = path.read_text()
    assert json.loads(answer.stdout)["bytes"] == len(path.read_bytes())
    assert text.startswith(begins)
    assert "SIMULATED" in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([EVENT, "--format", "green-button"], 3, "no Green Button"),
        ([EVENT, "--for", "owner"], 1, "north-yard, harbor, east-fleet"),
        ([EVENT, "--version", "9"], 1, "no version 9"),
        (["u/none"], 1, "no event"),
        ([EVENT, "--zone", "Mars"], 3, "time zone"),
        (["harbor"], 3, "--from and --to"),
        (["nobody", "--from", "2026-11-01", "--to", "2026-11-02"], 1, "no site"),
        (["harbor", "--from", "2026-11-02", "--to", "2026-11-01"], 1, "must not lie before"),
        (["harbor", "--format", "pdf", "--from", "2026-11-01", "--to", "2026-11-02"], 3, "--from"),
    ],
)
def test_what_cannot_be_had_is_told(
    gateway: str, arguments: list[str], code: int, said: str
) -> None:
    answer = RUN.invoke(app, ["report", "export", *arguments, "--gateway", gateway])
    assert (answer.exit_code, said in answer.stderr) == (code, True), answer.stderr


@pytest.mark.parametrize(
    ("program", "month", "said"),
    [("nobody", "2026-11", "no program"), (PROGRAM, "2026-13", "no period")],
)
def test_a_program_or_month_that_is_none(gateway: str, program: str, month: str, said: str) -> None:
    command = ["report", "list", "--program", program, "--month", month, "--gateway", gateway]
    answer = RUN.invoke(app, command)
    assert (answer.exit_code, said in answer.stderr) == (1, True), answer.stderr


def test_a_gateway_that_is_not_there_is_told() -> None:
    answer = RUN.invoke(app, ["report", "list", *MONTH, "--gateway", "http://127.0.0.1:9"])
    assert answer.exit_code == 1
    assert "no gateway answers" in answer.stderr


@pytest.mark.row("mv:M6")
def test_a_programs_summary_in_words_as_json_and_as_a_file(gateway: str, tmp_path: Path) -> None:
    path = tmp_path / "summary.csv"
    asked = ["report", "summary", *MONTH, "--gateway", gateway]
    words = RUN.invoke(app, [*asked, "--out", str(path)])
    lines = words.stdout.splitlines()
    assert lines[0] == "Peak Relief, 2026-11 SIMULATED"
    assert lines[1] == "events: 1, 2.0 h; still preliminary: 1; test events left out: 0"
    assert lines[2].startswith("promised 120.0 kW, asked ")
    assert EVENT in path.read_text()
    found = json.loads(RUN.invoke(app, [*asked, "--site", "harbor", "--json"]).stdout)
    assert [one["site_id"] for one in found["sites"]] == ["harbor"]
    wrong = RUN.invoke(app, [*asked, "--out", str(tmp_path / "summary.doc")])
    assert wrong.exit_code != 0
    assert ".csv or .xlsx" in wrong.output
