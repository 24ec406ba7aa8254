"""The words of `gridyard anomalies`."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gridyard.anomalies.words import anomaly_lines
from gridyard.cli import app

RUN = CliRunner()
FOUND: list[dict[str, Any]] = [
    {
        "site_id": "harbor",
        "code": "meter-stuck",
        "subject": "pcc_power_w",
        "start": "2026-11-19T18:00:00Z",
        "end": "2026-11-19T19:00:00Z",
        "reason": "it stands",
        "what_to_do": "Look at it",
    }
]


def test_each_tells_where_what_when_why_and_what_to_do() -> None:
    assert list(anomaly_lines(FOUND, ZoneInfo("Europe/Berlin"))) == [
        "harbor  meter-stuck  pcc_power_w  2026-11-19 19:00 to 2026-11-19 20:00",
        "  it stands",
        "  Look at it",
    ]
    assert list(anomaly_lines([], ZoneInfo("UTC"))) == ["nothing was found wrong"]


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ([], "anomalies"),
        (["har/bor"], "sites/har%2Fbor/anomalies"),
        (
            ["--from", "2026-11-19T18:00:00+01:00"],
            "anomalies?from=2026-11-19T18%3A00%3A00%2B01%3A00",
        ),
    ],
)
def test_the_gateway_is_asked(monkeypatch: pytest.MonkeyPatch, words: list[str], path: str) -> None:
    paths: list[str] = []

    async def asked(_: str, wanted: str) -> list[dict[str, Any]]:
        paths.append(wanted)
        return FOUND

    monkeypatch.setattr("gridyard.at_gateway.asking.asked", asked)
    assert RUN.invoke(app, ["anomalies", *words]).exit_code == 0
    assert paths == [path]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "yesterday"], "is no time"),
        (["--to", "2026-11-19T18:00:00"], "has no offset"),
        (["--gateway", "http://127.0.0.1:9"], "no gateway answers"),
    ],
)
def test_what_cannot_be_done_is_said(words: list[str], said: str) -> None:
    answer = RUN.invoke(app, ["anomalies", *words])
    assert answer.exit_code != 0
    assert said in answer.stderr
