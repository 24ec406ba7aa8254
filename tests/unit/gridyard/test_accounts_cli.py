"""The words of `gridyard accounts`."""

from __future__ import annotations

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gridyard.accounts.words import account_lines, session_rows
from gridyard.cli import app

RUN, ZONE = CliRunner(), ZoneInfo("Europe/Berlin")
COST = {"energy": "4.4000", "demand": "55.0000", "fixed": "0.3100", "total": "59.7100"}
ACCOUNT: dict[str, Any] = {
    "site_id": "depot-1",
    "month": "2026-10",
    "start": "2026-09-30T22:00:00Z",
    "end": "2026-10-31T23:00:00Z",
    "whole": True,
    "tariff": "two prices",
    "currency": "EUR",
    "amount": "260.5004",
    "lines": [
        {
            "component": "energy",
            "name": "night",
            "quantity": "385.000",
            "unit": "kWh",
            "amount": "38.5000",
            "source": "price source nl, NL",
            "version": "0f3a5c",
            "as_of": "2026-10-06T11:00:00Z",
        },
        {
            "component": "fixed",
            "name": "fixed",
            "quantity": "1",
            "unit": "month",
            "amount": "31.0000",
        },
    ],
    "demand": [
        {
            "name": "any hour",
            "sure": False,
            "unmeasured": 3,
            "peaks": [{"start": "2026-10-07T03:00:00Z", "mean_w": 13_000.0, "coverage": 0.5}],
        }
    ],
    "uses": [
        {
            "use": "charging",
            "energy_wh": 22_000.0,
            "by_source": {"grid": 20_000.0, "pv": 2_000.0, "battery": 0.0},
        }
    ],
    "sources_wh": {"grid": 1.5e6, "pv": 2e3, "battery": 0.0},
    "sessions": [
        {
            "session_id": "ep-1",
            "evse_id": "evse-1",
            "vehicle_id": "=cmd()",
            "started_at": "2026-10-07T03:00:00Z",
            "ended_at": "2026-10-07T06:00:00Z",
            "energy_wh": 22_000.0,
            "register_wh": None,
            "register_quality": "offline",
            "coverage": 0.9,
            "by_source": {},
            "cost": COST,
            "carbon_kg": 8.8,
        }
    ],
    "vehicles": [
        {
            "vehicle_id": "",
            "sessions": 1,
            "energy_wh": 22_000.0,
            "cost": COST,
            "carbon_kg": 8.8,
        }
    ],
    "nobodys": {"total": "0.0000"},
    "carbon": {"imported_kg": 600.0, "mean_g_per_kwh": 400.0, "source": "yearly mean"},
    "cycles": {"equivalent_full": 1.25, "by_depth": {"50": 2.5}},
    "evses": [
        {
            "evse_id": "evse-1",
            "sessions": 1,
            "energy_wh": 22_000.0,
            "plugged_share": 0.004,
            "charging_share": 0.003,
            "idle_share": 0.001,
        }
    ],
    "remarks": ["the month is not over"],
}


def test_an_account_is_read_from_top_to_bottom() -> None:
    assert list(account_lines(ACCOUNT, ZONE)) == [
        "depot-1 2026-10  (2026-10-01 00:00 to 2026-11-01 00:00, Europe/Berlin)",
        "energy, kWh       total       grid         pv",
        "  charging         22.0       20.0        2.0",
        "bill, EUR, by two prices",
        "  energy  night                          385.0 kWh       38.50"
        "  price source nl, NL, version 0f3a5c, said 2026-10-06 13:00",
        "  fixed   fixed                          1.0 month       31.00",
        "  sum                                                   260.50",
        "highest demand, any hour (not sure: 3 not measured in full)",
        "  2026-10-07 05:00       13.0 kW  50% measured",
        "vehicle               sessions      kWh  "
        "    energy    demand     fixed     total   kg CO2e",
        "  (unknown)                  1     22.0  "
        "      4.40     55.00      0.31     59.71       8.8",
        "charger               sessions      kWh   plugged  charging      idle",
        "  evse-1                     1     22.0      0.4%      0.3%      0.1%",
        "batteries: 1.2 equivalent full cycles (2.5 of up to 50 %)",
        "carbon: 600.0 kg CO2e imported, 400 g/kWh on the mean (yearly mean)",
        "to know:",
        "  - the month is not over",
    ]


def test_without_money_and_carbon_there_are_dashes() -> None:
    bare = {**ACCOUNT, "currency": None, "nobodys": None, "carbon": None, "cycles": None}
    bare["vehicles"] = [{**ACCOUNT["vehicles"][0], "cost": None, "carbon_kg": None}]
    lines = list(account_lines(bare, ZONE))
    assert not any(line.startswith(("bill", "highest", "carbon", "batteries")) for line in lines)
    [van] = [line for line in lines if "(unknown)" in line]
    assert van.split()[-5:] == ["-"] * 5


def test_sessions_as_csv_are_harmless_to_a_spreadsheet() -> None:
    [row] = csv.DictReader(io.StringIO(session_rows(ACCOUNT)))
    assert (row["vehicle_id"], row["cost_total"], row["currency"]) == ("'=cmd()", "59.7100", "EUR")
    assert (row["register_wh"], row["carbon_kg"]) == ("", "8.8")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--gateway", "http://127.0.0.1:9"], 1, "no gateway answers"),
        (["--json", "--csv"], 3, "--json or --csv, not both"),
        (["--zone", "Mars"], 3, "is no time zone"),
    ],
)
def test_what_cannot_be_done_is_said(more: list[str], code: int, said: str) -> None:
    answer = RUN.invoke(app, ["accounts", "depot-1", *more])
    assert said in answer.stderr
    assert answer.exit_code == code


@pytest.mark.parametrize(
    ("month", "path"),
    [("", "sites/depot-1/accounts"), ("2026-10", "sites/depot-1/accounts?month=2026-10")],
)
def test_the_gateway_is_asked_for_the_month(
    monkeypatch: pytest.MonkeyPatch, month: str, path: str
) -> None:
    paths: list[str] = []

    async def asked(_: str, wanted: str, **_more: float) -> dict[str, Any]:
        paths.append(wanted)
        return ACCOUNT

    monkeypatch.setattr("gridyard.at_gateway.asking.asked", asked)
    answer = RUN.invoke(app, ["accounts", "depot-1", "--month", month, "--csv"])
    assert answer.stdout.startswith("session_id,evse_id,vehicle_id")
    assert paths == [path]
