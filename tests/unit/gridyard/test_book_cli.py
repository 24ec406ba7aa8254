"""The words of `gridyard book`."""

from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gridyard.book.words import book_lines
from gridyard.cli import app

RUN, ZONE = CliRunner(), ZoneInfo("Europe/Brussels")


def line(hour: int, sites: int) -> dict[str, object]:
    return {
        "start": f"2026-11-27T{hour:02d}:00:00Z",
        "end": f"2026-11-27T{hour + 1:02d}:00:00Z",
        "sites": sites,
        "down_w": 60_000.0,
        "sure_w": 42_500.0,
        "up_w": 5_000.0,
        "energy_wh": 120_000.0,
    }


def test_hours_with_offers_and_sites_without() -> None:
    page = {
        "program_id": "bip",
        "group": "north",
        "oldest_s": 75.0,
        "lines": [line(10, 2), line(11, 0)],
        "out": [{"site_id": "c", "why": "it is offline"}],
    }
    assert list(book_lines([page, {**page, "group": "", "oldest_s": None, "lines": []}], ZONE)) == [
        "bip, group north (oldest reading 1 min 15 s ago)",
        "  hour              sites  down kW  sure kW    up kW  energy kWh",
        "  2026-11-27 11:00      2     60.0     42.5      5.0       120.0",
        "  not counted: c: it is offline",
        "bip (no offers)",
        "  hour              sites  down kW  sure kW    up kW  energy kWh",
        "  not counted: c: it is offline",
    ]
    assert list(book_lines([], ZONE)) == ["this gateway takes part in no program"]


def test_without_a_gateway_that_is_said() -> None:
    answer = RUN.invoke(app, ["book", "show", "--gateway", "http://127.0.0.1:9"])
    assert answer.exit_code == 1
    assert "no gateway answers" in answer.stderr


def test_each_class_of_devices_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[str] = []

    async def asked(_: str, path: str) -> list[object]:
        queries.append(path)
        return []

    monkeypatch.setattr("gridyard.at_gateway.asking.asked", asked)
    answer = RUN.invoke(app, ["book", "show", "--by-class"])
    assert answer.exit_code == 0
    assert [q.partition("device_class=")[2] for q in queries] == ["", "evse", "storage", "pv"]
    assert "storage alone" in answer.stdout
