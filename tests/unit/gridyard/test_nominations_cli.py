"""The words of `gridyard nominations`, and its mistakes."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gridyard.cli import app
from gridyard.nominations.words import lines, list_lines

RUN, ZONE = CliRunner(), ZoneInfo("Europe/Brussels")
NOWHERE = ["--gateway", "http://127.0.0.1:9"]


def hours(day: int) -> dict[str, str]:
    return {"start": f"2026-07-{day:02d}T14:00:00Z", "end": f"2026-07-{day:02d}T18:00:00Z"}


def nomination(**more: Any) -> dict[str, Any]:
    quantity = {
        "name": "",
        "hours": [hours(day) for day in (1, 2, 3, 6)],
        "power_w": 61_000.0,
        "level_w": None,
        "price_per_kwh": 0.3,
        "parts": [{"site_id": "a", "power_w": 61_000.0}],
        "basis": "history",
        "days_used": [],
        "days_out": [{"what": "2026-06-23", "why": "events took all its hours"}],
        "words": ["rounded down"],
    }
    return {
        "nomination_id": "2026-07-r1-abc",
        "program_id": "cbp",
        "program_version": "1",
        "start": "2026-06-30T22:00:00Z",
        "end": "2026-07-31T22:00:00Z",
        "gate": "2026-06-25T15:00:00Z",
        "gate_stated": True,
        "late": False,
        "revision": 1,
        "confidence_pct": 90.0,
        "state": "accepted",
        "quantities": [quantity],
        "sites_out": [{"what": "b", "why": "it is offline"}],
        "steps": [
            {"at": "2026-06-24T10:00:00Z", "status": "accepted", "by": "Ann", "cause": "fits"}
        ],
        **more,
    }


def test_a_nomination_is_told_with_all_that_led_to_it() -> None:
    assert list(lines(nomination(), ZONE)) == [
        "2026-07-r1-abc: accepted, revision 1",
        "cbp, 2026-07-01 to 2026-07-31, version 1",
        "gate: 2026-06-25 17:00",
        "to be there in 90 of 100 cases",
        "61.0 kW at 0.3 per kWh: 2026-07-01 16:00 to 2026-07-01 20:00, "
        "2026-07-02 16:00 to 2026-07-02 20:00, 2026-07-03 16:00 to 2026-07-03 20:00 and 1 more",
        "  a: 61.0 kW",
        "  rounded down",
        "  left out: 2026-06-23: events took all its hours",
        "not counted: b: it is offline",
        "2026-06-24 12:00 accepted by Ann: fits",
    ]
    late = list(lines(nomination(late=True, gate_stated=False), ZONE))
    assert late[2] == (
        "gate: 2026-06-25 17:00 (the program states none: the period's start)"
        "; made after it, so it can never be accepted"
    )


def test_a_list_has_a_line_each() -> None:
    quantity = nomination()["quantities"][0]
    level = {**quantity, "power_w": 0.0, "level_w": 40_000.0, "name": "rest"}
    two = nomination(quantities=[quantity, level])
    assert list(list_lines([nomination(), two], ZONE)) == [
        "2026-07-r1-abc  accepted  61.0 kW  cbp, 2026-07-01 to 2026-07-31",
        "2026-07-r1-abc  accepted  0.0 to 61.0 kW  cbp, 2026-07-01 to 2026-07-31",
    ]
    assert "0.0 kW, down to 40.0 kW at 0.3 per kWh: rest (" in "\n".join(lines(two, ZONE))
    assert list(list_lines([], ZONE)) == ["nothing is nominated"]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["list", *NOWHERE], 1, "no gateway answers"),
        (["list", "--zone", "Mars", *NOWHERE], 3, "no time zone"),
        (["list", "--since", "tomorrow", *NOWHERE], 3, "'tomorrow' is no time"),
        (["propose", *NOWHERE], 2, "--program"),
        (["propose", "--program", "p", "--key", "k", *NOWHERE], 1, "no gateway answers"),
        (["show", "n", *NOWHERE], 1, "no gateway answers"),
        (["accept", "n", *NOWHERE], 1, "no gateway answers"),
        (["refuse", "n", *NOWHERE], 1, "no gateway answers"),
        (["withdraw", "n", *NOWHERE], 1, "no gateway answers"),
    ],
)
def test_mistakes_are_told(command: list[str], code: int, words: str) -> None:
    answer = RUN.invoke(app, ["nominations", *command])
    assert answer.exit_code == code
    assert words in answer.stderr
