"""`gridyard upstream completeness`: asked of a gateway on a real socket, and its words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from typer.testing import CliRunner

from gridyard.cli import app
from gridyard.upstream.words import completeness_lines
from support.served_gateway import served

RUN = CliRunner()


def test_without_requests_of_utilities_there_is_nothing_to_tell() -> None:
    with served() as url:
        answer = RUN.invoke(app, ["upstream", "completeness", "--gateway", url])
        assert answer.stdout == "no utility has asked for a series\n"
        asked = ["upstream", "completeness", "--utility", "nobody", "--gateway", url]
        assert "There is no utility 'nobody'" in RUN.invoke(app, asked).stderr


def test_words() -> None:
    one = {
        "utility_id": "u1",
        "key": "r1",
        "what": "gridyard-usage, 3 points",
        "period_s": 300.0,
        "due": 24,
        "told": 21,
        "behind": 1,
        "gaps": 2,
        "share": 21 / 24,
        "missing": [{"start": "2026-11-28T10:00:00Z", "end": "2026-11-28T10:10:00Z"}],
    }
    idle = {**one, "due": 0, "told": 0, "behind": 0, "gaps": 0, "share": None, "missing": []}
    assert list(completeness_lines([one, idle], ZoneInfo("Europe/Brussels"))) == [
        "u1 r1: 87.5 %, 21 of 24 intervals of 300 s (gridyard-usage, 3 points)",
        "  1 not told yet, 2 told without all values",
        "  missing 2026-11-28 11:00:00 CET to 2026-11-28 11:10:00 CET",
        "u1 r1: nothing due yet, 0 of 0 intervals of 300 s (gridyard-usage, 3 points)",
    ]
