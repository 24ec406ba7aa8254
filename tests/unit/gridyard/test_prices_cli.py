"""The words of `gridyard prices`."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gridyard.cli import app
from gridyard.prices.words import answer_lines, site_lines, source_lines

RUN, ZONE = CliRunner(), ZoneInfo("Europe/Brussels")


def price(start: int, per_kwh: str, **more: str) -> dict[str, str]:
    return {
        "start": f"2026-11-27T{start:02d}:00:00Z",
        "end": f"2026-11-27T{start + 1:02d}:00:00Z",
        "per_kwh": per_kwh,
        "source_id": "nl",
        "quality": "published",
        **more,
    }


def test_prices_that_go_on_unchanged_are_one_line() -> None:
    found = {
        "site_id": "depot-1",
        "area": "10YNL----------L",
        "currency": "EUR",
        "held": True,
        "refused": "",
        "prices": [
            price(10, "0.1"),
            price(11, "0.1"),
            price(12, "-0.05437"),
            price(14, "0.1", quality="carried over"),
        ],
    }
    assert list(site_lines(found, ZONE)) == [
        "depot-1: 10YNL----------L, EUR per kWh; the site holds these",
        "  2026-11-27 11:00 to 2026-11-27 13:00    0.10000  nl",
        "  2026-11-27 13:00 to 2026-11-27 14:00   -0.05437  nl",
        "  2026-11-27 15:00 to 2026-11-27 16:00    0.10000  nl  carried over",
    ]
    refused = {**found, "prices": [], "held": False, "refused": "no tariff"}
    assert list(site_lines(refused, ZONE)) == [
        "depot-1: 10YNL----------L, EUR per kWh; refused by the site: no tariff",
        "  no price is known: the site's own tariff holds",
    ]


def test_a_source_that_owes_prices_says_which_and_why() -> None:
    source = {
        "source_id": "nl",
        "area": "NL",
        "as_of": None,
        "until": None,
        "stale": True,
        "failure": "HTTP 429",
        "missing": [{"start": "2026-11-26T23:00:00Z", "end": "2026-11-27T23:00:00Z"}],
    }
    assert list(source_lines([source], ZONE)) == [
        "nl               NL                       owes prices  nothing known",
        "  missing  2026-11-27 00:00 to 2026-11-28 00:00",
        "  failed   HTTP 429",
    ]
    assert list(source_lines([], ZONE)) == ["this gateway has no sources of prices"]


def test_the_answer_says_what_each_site_rests_on() -> None:
    found = {
        "answering": 1,
        "following": 2,
        "expected": [
            {
                "start": "2026-11-27T10:00:00Z",
                "end": "2026-11-27T11:00:00Z",
                "power_w": 42_300.0,
            }
        ],
        "sites": [
            {
                "site_id": "a",
                "basis": "these prices",
                "currency": "EUR",
                "energy_wh": 120e3,
                "cost": 9.6,
                "even_cost": 14.41,
            },
            {
                "site_id": "b",
                "basis": "no offer",
                "currency": "EUR",
                "energy_wh": None,
                "cost": None,
                "even_cost": None,
            },
        ],
    }
    assert list(answer_lines(found, ZONE)) == [
        "1 of 2 sites answer the prices they were sent",
        "  2026-11-27 11:00        42.3 kW",
        "a: by these prices, 120 kWh for 9.60 EUR (14.41 if drawn evenly)",
        "b: by no offer",
    ]


@pytest.mark.parametrize("command", [["sources"], ["show", "depot-1"], ["answer"]])
def test_without_a_gateway_that_is_said(command: list[str]) -> None:
    answer = RUN.invoke(app, ["prices", *command, "--gateway", "http://127.0.0.1:9"])
    assert answer.exit_code == 1
    assert "no gateway answers" in answer.stderr
