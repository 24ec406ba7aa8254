"""The words of `gridyard why` and `gridyard journal` on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import ConfigError, PermanentError
from gridyard.cli import app
from gridyard.why import instant
from support.console_door import scripted_door

RUN = CliRunner()
ANSWER: dict[str, Any] = {
    "subject": "cp7",
    "kind": "charger",
    "at": "2026-07-05T12:05:00+00:00",
    "sentence": "cp7 charges with 12.0 kW because it shares the fuse of row-2 (63 A a phase)",
    "binding": "the fuse of row-2 (63 A a phase)",
    "steps": [
        {"what": "limit", "text": "the fuse of row-2 (63 A a phase)"},
        {"what": "setpoint", "text": "17.4 A a phase (12.0 kW)"},
    ],
}
ENTRIES: list[dict[str, Any]] = [
    {"at": f"2026-01-05T12:0{n}:00+00:00", "kind": kind, "subject": "cp7", "text": text}
    for n, kind, text in ((5, "setpoint", "cp7 charges"), (4, "mode", "the site is in mode island"))
]
SITE = """
site_id: s
data: {data}
time_zone: Europe/Berlin
contract_limit_w: 50000
max_building_w: 0
circuit: {{limit_a: 100}}
meter: {{host: 127.0.0.1}}
"""


def run(*words: object) -> Result:
    return RUN.invoke(app, [*map(str, words)])


@pytest.mark.row("site:X1")
def test_the_sentence_comes_first_then_the_way_there_in_the_sites_zone(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(data=tmp_path))
    with scripted_door(tmp_path, {"why": [ANSWER]}, "site.") as asked:
        shown = run("why", "cp7", "--site", site, "--at", "2026-07-05T14:05")
    assert shown.exit_code == 0, shown.stderr
    assert asked == [("why", {"subject": "cp7", "at": "2026-07-05T14:05:00+02:00"})]
    assert shown.stdout.splitlines() == [
        "cp7 charges with 12.0 kW because it shares the fuse of row-2 (63 A a phase).",
        "  limit     the fuse of row-2 (63 A a phase)",
        "  setpoint  17.4 A a phase (12.0 kW)",
        "  as of     2026-07-05 14:05:00 CEST",
    ]


def test_without_a_name_the_site_itself_is_asked_and_json_is_whole(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"why": [ANSWER]}, "site.") as asked:
        told = run("why", "--data", tmp_path, "--json")
    assert asked == [("why", {"subject": "site"})]
    assert json.loads(told.stdout) == ANSWER


def test_an_unknown_name_is_refused_in_the_agents_words(tmp_path: Path) -> None:
    error = PermanentError("there is no device or vehicle 'cp9' here; did you mean cp7?")
    with scripted_door(tmp_path, {"why": error}, "site."):
        shown = run("why", "cp9", "--data", tmp_path)
    assert shown.exit_code == 1
    assert "did you mean cp7?" in shown.stderr


def test_the_journal_is_read_like_a_log(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"journal": ENTRIES}, "site.") as asked:
        shown = run("journal", "cp7", "--data", tmp_path, "--most", 2)
        told = run("journal", "--data", tmp_path, "--json")
    assert asked == [("journal", {"subject": "cp7", "most": 2}), ("journal", {"most": 50})]
    assert shown.stdout.splitlines() == [
        "2026-01-05 12:04:00 UTC  mode      the site is in mode island",
        "2026-01-05 12:05:00 UTC  setpoint  cp7 charges",
    ]
    assert json.loads(told.stdout) == ENTRIES


def test_an_empty_journal_says_so(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"journal": []}, "site."):
        assert run("journal", "--data", tmp_path).stdout == "nothing has been noted\n"


@pytest.mark.parametrize("words", [(), ("--site", "a.yaml", "--data", "b")])
def test_it_must_be_clear_which_agent_is_meant(words: tuple[str, ...]) -> None:
    shown = run("why", "cp7", *words)
    assert shown.exit_code == 3
    assert "--site FILE (its settings) or --data FOLDER" in shown.stderr


BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""10:00 in Berlin."""


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("09:30", "2026-01-05T08:30"),
        ("10:30", "2026-01-04T09:30"),
        ("2026-01-05 02:00", "2026-01-05T01:00"),
        ("2026-01-05T02:00+00:00", "2026-01-05T02:00"),
        ("2026-01-05T02:00Z", "2026-01-05T02:00"),
    ],
)
def test_times_are_of_the_sites_zone_unless_they_say_otherwise(text: str, utc: str) -> None:
    found = instant(text, BERLIN, NOW)
    assert found.astimezone(UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2026-13-01"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 14:05"):
        instant(text, BERLIN, NOW)
