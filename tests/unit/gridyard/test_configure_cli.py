"""`gridyard site configure` as people call it; with a gateway: the integration tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gridyard.at_gateway import asking
from gridyard.cli import app
from gridyard.site.configure.words import check_lines, history_lines, pushed_lines, status_lines

RUN = CliRunner()
pytestmark = pytest.mark.row("portfolio:L5")
PUSHED: dict[str, Any] = {
    "configuration_id": "depot-1-2",
    "site_id": "depot-1",
    "stage": "rolled_back",
    "reason": "no longer heard: c1\x1b[2J",
    "pushed_at": "2026-11-28T02:00:00Z",
    "by": "op",
    "cause": "try",
    "at": None,
    "text": "telemetry_s: 5\nplanning: {}",
}
AGENT: dict[str, Any] = {"running": "depot-1-1", "trial": False, "drift": ""}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the gateway was told; it knows two depots."""
    heard: list[tuple[str, Any]] = []

    async def told(_api: str, path: str, body: Any) -> Any:
        heard.append((path, body))
        if path.endswith("/checks"):
            bad = "depot-2" in path
            return {
                "state": "refused" if bad else "valid",
                "faults": ["site_id: may only be changed at the site"] if bad else [],
                "changes": [],
            }
        return PUSHED if path.endswith("/rollbacks") else [{**PUSHED, "stage": "held"}]

    async def asked(_api: str, path: str) -> Any:
        if path == "sites":
            return [{"site_id": "depot-1"}, {"site_id": "depot-2"}]
        return {"site_id": path.split("/")[1], "agent": None, "pushed": []}

    monkeypatch.setattr(asking, "told", told)
    monkeypatch.setattr(asking, "asked", asked)
    return heard


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "over.yaml"
    path.write_text("telemetry_s: 5\n")
    return str(path)


def run(*words: str) -> tuple[int, str]:
    found = RUN.invoke(app, ["site", "configure", *words])
    return found.exit_code, found.output


def test_a_push_says_who_and_when(file: str, said: list[tuple[str, Any]]) -> None:
    at = "2026-12-01T02:00:00+01:00"
    code, output = run("push", file, "depot-1", "--at", at, "--first", "1", "--by", "op")
    assert code == 0, output
    assert said == [
        (
            "configurations",
            {
                "text": "telemetry_s: 5\n",
                "sites": ["depot-1"],
                "at": at,
                "first": 1,
                "by": "op",
                "reason": "",
            },
        )
    ]
    assert "once it is applied at those before" in output


def test_a_dry_run_asks_every_site_and_pushes_nothing(
    file: str, said: list[tuple[str, Any]]
) -> None:
    code, output = run("push", file, "--all", "--dry-run")
    assert code == 1
    assert [path for path, _ in said] == [
        "sites/depot-1/configuration/checks",
        "sites/depot-2/configuration/checks",
    ]
    assert "depot-2: would refuse" in output
    assert "site_id: may only be changed at the site" in output
    assert run("push", file, "depot-1", "--dry-run")[0] == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("push", "{file}"), "name the sites, or say --all"),
        (("push", "{file}", "depot-1", "--all"), "name the sites, or say --all"),
        (("push", "{file}", "depot-1", "--at", "tomorrow"), "is no time"),
        (("push", "{file}", "depot-1", "--at", "2026-12-01T02:00"), "say the offset"),
        (("push", "{file}.none", "depot-1"), "cannot be read"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    file: str, said: list[tuple[str, Any]], words: tuple[str, ...], why: str
) -> None:
    code, output = run(*(word.format(file=file) for word in words))
    assert code == 3
    assert why in output
    assert said == []


def test_taking_back_status_and_history(said: list[tuple[str, Any]]) -> None:
    assert run("rollback", "depot-1", "--by", "op", "--reason", "no")[0] == 0
    assert said == [("sites/depot-1/configuration/rollbacks", {"by": "op", "reason": "no"})]
    code, output = run("status", "--json")
    assert (code, len(json.loads(output))) == (0, 2)
    assert "depot-2 runs with not heard" in run("history", "depot-2")[1]


def test_nobody_answers() -> None:
    code, output = run("status", "depot-1", "--gateway", "http://127.0.0.1:1")
    assert code == 1
    assert "no gateway answers" in output


def test_lines_for_people_carry_no_control_characters() -> None:
    site: dict[str, Any] = {"site_id": "depot-1", "agent": AGENT, "pushed": [PUSHED]}
    drifted = {**site, "agent": {**AGENT, "trial": True, "drift": "the file\x07 has changed"}}
    text = "\n".join(
        [
            *pushed_lines([{**PUSHED, "stage": "waiting"}]),
            *status_lines([site, drifted, {"site_id": "x", "agent": None, "pushed": []}]),
            *history_lines(site),
            *check_lines(
                {
                    "x": {
                        "state": "valid",
                        "faults": [],
                        "changes": [{"path": "a\x1b", "before": "1", "after": "2"}],
                    }
                }
            ),
        ]
    )
    assert text.isprintable() or all(one.isprintable() for one in text.splitlines())
    assert "rolled_back: no longer heard: c1" in text
    assert "depot-1-1 (trial)" in text
    assert "drifted: the file" in text
    assert "x: 1 change" in text
