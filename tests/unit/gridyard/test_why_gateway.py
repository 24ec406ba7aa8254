"""`gridyard why event | site | instruction ID`: which is asked for, and how it is told."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import ConfigError
from gridyard.cli import app
from gridyard.why_gateway import lines, why
from support.gateway_web import NOW

RUN = CliRunner()
NOBODY = "http://127.0.0.1:1"
ANSWER: dict[str, Any] = {
    "subject": "u1/e1",
    "kind": "event",
    "at": "2026-07-05T12:05:00+00:00",
    "sentence": "Event e1 of Relief runs until 14:30",
    "lines": [
        {"what": "binds", "text": "1 energy", "at": None, "lines": []},
        {
            "what": "sites",
            "text": "1 of 1",
            "at": None,
            "lines": [{"what": "a", "text": "all", "at": "2026-07-05T12:00:00+00:00", "lines": []}],
        },
    ],
}


def run(*words: str) -> Result:
    return RUN.invoke(app, ["why", *words])


@pytest.mark.row("portfolio:X1")
def test_the_sentence_comes_first_and_what_a_link_is_made_of_below_it() -> None:
    assert list(lines(ANSWER, ZoneInfo("Europe/Berlin"))) == [
        "Event e1 of Relief runs until 14:30.",
        "  binds        1 energy",
        "  sites        1 of 1",
        "    a            all  [2026-07-05 14:00:00 CEST]",
        "  as of        2026-07-05 14:05:00 CEST",
    ]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["event"], 3, "say which event of the gateway"),
        (["instruction"], 3, "say which instruction"),
        ([], 3, "or which depot's agent: --site FILE"),
        (["cp-6"], 3, "say which agent"),
        (["event", "u1/e1", "--site", "site.yaml"], 3, "are for a depot's agent"),
        (["charger", "cp-6"], 3, "ask about one of event, site, instruction"),
        (["site", "a", "--zone", "Mars"], 3, "no time zone"),
        (["event", "u1/e1", "--at", "soon", "--gateway", NOBODY], 3, "such as 14:05"),
        (["event", "u1/e1", "--gateway", NOBODY], 1, "no gateway answers"),
    ],
)
def test_mistakes_are_told_with_what_to_do(words: list[str], code: int, says: str) -> None:
    answer = run(*words)
    assert (answer.exit_code, says in " ".join(answer.stderr.split())) == (code, True), (
        answer.stderr
    )


def test_help_says_which_is_which() -> None:
    shown = " ".join(run("--help").stdout.split())
    assert "why event UTILITY/EVENT" in shown
    assert "why cp-6 --site site.yaml" in shown


def test_only_known_kinds_are_asked_about() -> None:
    with pytest.raises(ConfigError, match="one of event, site, instruction"):
        why(NOBODY, "../events", "x", None, ZoneInfo("UTC"), NOW)
