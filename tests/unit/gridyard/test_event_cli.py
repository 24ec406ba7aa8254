"""`gridyard event`: what is asked is said once, and times are on a wall."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from contracts.errors import ConfigError
from gridyard.at_gateway.options import known_zone
from gridyard.cli import app
from gridyard.event import asking

RUN = CliRunner()
CREATE = ["event", "create", "--program", "p", "--gateway", "http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--start", "2026-07-01T16:00"], 3, "by one of: --reduce-kw"),
        (["--start", "2026-07-01T16:00", "--level", "1", "--limit-kw", "5"], 3, "by one of"),
        (["--start", "tomorrow", "--level", "1"], 3, "'tomorrow' is no time"),
        (["--start", "2026-07-01T16:00", "--level", "1", "--zone", "Mars"], 3, "no time zone"),
        (
            ["--start", "2026-07-01T16:00", "--level", "1", "--end", "2026-07-02", "--hours", "1"],
            3,
            "not both",
        ),
        (["--start", "2026-07-01T16:00", "--level", "4"], 2, "Usage"),
        (["--start", "2026-07-01T16:00", "--level", "1"], 1, "no gateway answers"),
    ],
)
def test_mistakes_are_told_with_what_to_do(options: list[str], code: int, words: str) -> None:
    answer = RUN.invoke(app, [*CREATE, *options])
    assert answer.exit_code == code
    assert words in answer.stderr


def test_kilowatts_become_watts_with_the_sign_of_the_api() -> None:
    assert asking.request({"--reduce-kw": 50.0, "--level": None}, asking.SIGNALS) == (
        "delta_w",
        -50_000.0,
    )
    assert asking.request({"--limit-kw": 0.5}, asking.SIGNALS) == ("import_limit_w", 500.0)


def test_hours_are_elapsed_ones_over_a_clock_change() -> None:
    zone = ZoneInfo("America/New_York")
    start = asking.instant("2026-03-08T00:00", zone)
    assert asking.end_of(start, None, 4, zone) == datetime(2026, 3, 8, 9, tzinfo=UTC)
    assert asking.end_of(start, "2026-03-08T04:00", None, zone) == datetime(
        2026, 3, 8, 8, tzinfo=UTC
    )
    assert asking.end_of(start, None, None, zone) is None


def test_a_time_with_an_offset_keeps_it() -> None:
    assert asking.instant("2026-07-01T16:00+02:00", UTC) == datetime(2026, 7, 1, 14, tzinfo=UTC)
    with pytest.raises(ConfigError):
        known_zone("../etc/passwd")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--end", "2026-07-01", "--endless"], 3, "not both"),
        (["--level", "1", "--limit-kw", "5"], 3, "by one of"),
        (["--start", "soon"], 3, "'soon' is no time"),
        (["--endless"], 1, "no gateway answers"),
    ],
)
def test_mistakes_in_a_change_are_told_too(options: list[str], code: int, words: str) -> None:
    answer = RUN.invoke(
        app, ["event", "change", "u1/e1", "--gateway", "http://127.0.0.1:1", *options]
    )
    assert answer.exit_code == code
    assert words in answer.stderr
