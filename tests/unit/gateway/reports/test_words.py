from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.time import Interval
from gateway.reports import words

LA = ZoneInfo("America/Los_Angeles")
NEPAL = ZoneInfo("Asia/Kathmandu")
NOON = datetime(2026, 7, 1, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value_w", "text"),
    [
        (None, "n/a"),
        (0.0, "0.0 kW"),
        (-0.04, "0.0 kW"),
        (-40.0, "0.0 kW"),
        (-60.0, "−0.1 kW"),
        (62_440.0, "62.4 kW"),
        (-3_000.0, "−3.0 kW"),
        (1_234_567.0, "1\u202f235 kW"),
    ],
)
def test_power_in_kw(value_w: float | None, text: str) -> None:
    assert words.power(value_w) == text


@pytest.mark.parametrize(
    ("value_w", "text"),
    [(None, "n/a"), (12_000.0, "import 12.0 kW"), (-3_000.0, "export 3.0 kW"), (-20.0, "0.0 kW")],
)
def test_direction_is_a_word(value_w: float | None, text: str) -> None:
    assert words.signed_power(value_w) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "100 %"), (0.999, "99 %"), (0.0, "0 %"), (None, "n/a")],
)
def test_a_share_is_never_rounded_up_to_all(value: float | None, text: str) -> None:
    assert words.share(value) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, "until further notice"),
        (timedelta(0), "0 s"),
        (timedelta(minutes=2, seconds=5), "2 min 5 s"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, seconds=5), "1 h"),
        (timedelta(days=1, hours=2, minutes=3), "1 d 2 h"),
    ],
)
def test_durations(span: timedelta | None, text: str) -> None:
    assert words.duration(span) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "never"), (-2.0, "0 s"), (3.9, "3 s"), (60.0, "1 min"), (7300.0, "2 h"), (9e5, "10 d")],
)
def test_ages(seconds: float | None, text: str) -> None:
    assert words.age(seconds) == text


@pytest.mark.parametrize(
    ("at", "tz", "text"),
    [
        (NOON, LA, "PDT (UTC−07:00)"),
        (datetime(2026, 12, 1, tzinfo=UTC), LA, "PST (UTC−08:00)"),
        (NOON, NEPAL, "UTC+05:45"),  # its abbreviation is only a number
        (NOON, ZoneInfo("UTC"), "UTC"),
        (datetime(2026, 12, 1, tzinfo=UTC), ZoneInfo("Europe/London"), "GMT (UTC)"),
    ],
)
def test_the_zone_in_force_is_named(at: datetime, tz: ZoneInfo, text: str) -> None:
    assert words.zone(at, tz) == text


def test_a_span_over_a_clock_change_names_both_zones() -> None:
    autumn = Interval(
        start=datetime(2026, 11, 1, 8, 30, tzinfo=UTC), end=datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    )
    assert words.span(autumn, LA) == (
        "Sun 1 Nov 2026, 01:30:00 PDT (UTC−07:00)–01:30:00 PST (UTC−08:00)"
    )


def test_an_open_span_says_so() -> None:
    text = words.span(Interval(start=NOON, end=None), LA)
    assert text == "from Wed 1 Jul 2026, 12:00:00 PDT (UTC−07:00), until further notice"
