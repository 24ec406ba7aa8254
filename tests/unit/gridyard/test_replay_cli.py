"""`gridyard replay` against a gateway's pages on a real socket."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from contracts.testing import FakeClock
from gridyard.cli import app
from gridyard.replay.asking import lines
from support.gateway_web import EVENT, NOW, PROGRAM, World, fill, make_world
from support.participation import START, build_report
from support.served_gateway import filled, served

RUN = CliRunner()


async def over() -> World:
    """Two hours after the event."""
    clock = FakeClock(NOW)
    world = make_world(clock)
    await fill(world, build_report(), START, START + timedelta(minutes=30))
    await clock.advance(7200)
    return world


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with served(over) as url:
        yield url


@pytest.mark.row("mv:X2")
def test_an_event_by_another_method_and_for_two_sites(gateway: str) -> None:
    asked = ["replay", "event", EVENT, "--gateway", gateway, "--baseline", "5-in-10-type"]
    answer = RUN.invoke(app, [*asked, "--site", "east", "--site", "north-yard", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert (found["before"]["sites"], found["after"]["sites"]) == (3, 2)
    assert {one["what"] for one in found["changes"]} >= {"baseline rule", "participant"}
    words = RUN.invoke(app, asked).stdout
    assert words.startswith("before: ")
    assert "differs:\n  baseline rule" in words


@pytest.mark.row("mv:X2")
def test_hours_without_an_event(gateway: str) -> None:
    asked = ["replay", "day", PROGRAM, "--start", "2026-11-20T10:00", "--hours", "2"]
    answer = RUN.invoke(app, [*asked, "--energy-price", "0.25 EUR", "--gateway", gateway])
    assert answer.exit_code == 0, answer.output
    assert "3 sites" in answer.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "say what is to be otherwise"),
        (["--baseline", "magic"], "no baseline method 'magic'"),
        (["--energy-price", "cheap EUR"], "write it as '0.25 EUR'"),
        (["--energy-price", "0.25"], "name the currency"),
        (["--site", "west"], "the event was not about any of: west"),
        (["--device-class", "boiler"], "'evse', 'storage' or 'pv'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    gateway: str, options: list[str], why: str
) -> None:
    answer = RUN.invoke(app, ["replay", "event", EVENT, "--gateway", gateway, *options])
    assert answer.exit_code in (1, 3)  # refused there, or here already
    assert why in " ".join(answer.stderr.split())


def test_an_event_that_is_not_over_or_not_known() -> None:
    with served(filled) as url:
        asked = ["--gateway", url, "--baseline", "5-in-10-type"]
        early = RUN.invoke(app, ["replay", "event", EVENT, *asked])
        assert "it is not over yet" in early.stderr
        other = RUN.invoke(app, ["replay", "event", "pacific-utility/no", *asked])
        assert "There is no event 'no'" in other.stderr


def test_differences_are_told_with_their_units() -> None:
    one = {"method": "m", "performance_pct": None, "delivered_mean_w": 1500.0, "sites": 2}
    changes = [
        {"where": "portfolio", "what": "a", "unit": "W", "before": 1e3, "after": 3e3, "by": 2e3},
        {"where": "s", "what": "b", "unit": "EUR", "before": None, "after": "5.00", "by": None},
        {"where": "s", "what": "note", "unit": "", "before": "", "after": "few days", "by": None},
    ]
    assert list(lines({"before": one, "after": one, "changes": changes}))[1:] == [
        "  1.50 kW on average, performance not known, 2 sites",
        "after: m",
        "  1.50 kW on average, performance not known, 2 sites",
        "differs:",
        "  a        1.00 kW -> 3.00 kW (+2.00 kW)",
        "  s: b     none -> 5.00 EUR",
        "  s: note  nothing -> few days",
    ]
    long: dict[str, object] = {
        "where": "s",
        "what": "note",
        "unit": "",
        "by": None,
        "before": "a" * 40,
        "after": "b" * 40,
    }
    assert list(lines({"before": one, "after": one, "changes": [long]}))[-3:] == [
        "  s: note",
        f"    was       {'a' * 40}",
        f"    would be  {'b' * 40}",
    ]
    assert list(lines({"before": one, "after": one, "changes": []}))[-1] == "nothing differs"
