from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contracts.openadr import values

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "PT0S"),
        (-timedelta(minutes=5), "-PT5M"),
        (timedelta(seconds=90), "PT1M30S"),
        (-timedelta(seconds=90), "-PT1M30S"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=8, hours=1, seconds=2), "P8DT1H2S"),
    ],
)
def test_durations_have_one_form(duration: timedelta, text: str) -> None:
    assert values.format_duration(duration) == text
    assert values.parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P", timedelta(0)),
        ("P1W", timedelta(weeks=1)),
        ("1W", timedelta(weeks=1)),
        ("+PT120M", timedelta(hours=2)),
        ("P1DT", timedelta(days=1)),
        ("PT1.5S", timedelta(seconds=1.5)),
        (" PT1S\n", SECOND),
    ],
)
def test_other_forms_of_duration_are_read(text: str, duration: timedelta) -> None:
    assert values.parse_duration(text) == duration


@pytest.mark.parametrize(("text", "days"), [("P1Y", 365), ("P2M", 60), ("P1Y1M1D", 396)])
def test_calendar_durations_are_nominal_and_logged(text: str, days: int) -> None:
    with capture_logs() as logs:
        assert values.parse_duration(text) == timedelta(days=days)
    assert [entry["tolerance"] for entry in logs] == ["nominal_calendar"]


@pytest.mark.parametrize(
    "text", ["", "5M", "PTS", "P1", "PT5", "PT1M1H", "P-1D", "P1W1D", "T5M", "P999999999W"]
)
def test_nonsense_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration"):
        values.parse_duration(text)


@given(st.timedeltas())
def test_whole_seconds_survive_and_fractions_are_refused(duration: timedelta) -> None:
    if duration.microseconds:
        with pytest.raises(ValueError, match="whole number of seconds"):
            values.format_duration(duration)
    else:
        assert values.parse_duration(values.format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05T12:00:00Z", datetime(2026, 1, 5, 12, tzinfo=UTC)),
        ("2026-01-05T12:00:00.5Z", datetime(2026, 1, 5, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-05T12:00:00.123456Z", datetime(2026, 1, 5, 12, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_instants_are_read_into_utc(text: str, instant: datetime) -> None:
    with capture_logs() as logs:
        assert values.parse_instant(text) == instant
    assert logs == []


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [
        ("2026-01-05T12:00:00", "zoneless_instant"),
        ("2026-01-05T12:00:00.0000009Z", "long_fraction"),
        ("2026-01-05T13:00:00+01:00", "offset_instant"),
    ],
)
def test_other_forms_of_instant_are_read_and_logged(text: str, tolerance: str) -> None:
    with capture_logs() as logs:
        assert values.parse_instant(text) == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert [entry["tolerance"] for entry in logs] == [tolerance]


@pytest.mark.parametrize("text", ["P1W", "-P2W", "PT1.5S"])
def test_durations_outside_the_schema_are_logged(text: str) -> None:
    with capture_logs() as logs:
        values.parse_duration(text)
    assert [entry["tolerance"] for entry in logs] == ["loose_duration"]


@pytest.mark.parametrize(
    ("value", "text"), [(50.0, "50"), (1e20, "1" + "0" * 20), (1e-7, "0.0000001")]
)
def test_decimals_have_no_exponent(value: float, text: str) -> None:
    assert values.format_decimal(value) == text


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-05", "2026-13-05T12:00:00Z", "2026-01-05 12:00:00Z", "0001-01-01T00:00:00+01:00"],
)
def test_nonsense_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match="not a date-time"):
        values.parse_instant(text)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-5, minutes=30)))))
def test_instants_survive(instant: datetime) -> None:
    text = values.format_instant(instant)
    assert text.endswith("Z")
    assert values.parse_instant(text) == instant


def test_a_naive_instant_is_not_sent() -> None:
    with pytest.raises(ValueError, match="naive"):
        values.format_instant(datetime(2026, 1, 5))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(("code", "factor"), [("none", 1.0), ("k", 1e3), ("M", 1e6), ("m", 1e-3)])
def test_scale_factors(code: str, factor: float) -> None:
    assert values.scale_factor(code) == factor


def test_an_unknown_scale_is_an_error() -> None:
    with pytest.raises(ValueError, match="siScaleCode"):
        values.scale_factor("K")


@pytest.mark.parametrize("text", ["nan", "INF", "-inf", "1_0", "", "1e999", "ten"])
def test_only_finite_numbers_are_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|float"):
        values.parse_number(text)


def test_only_finite_numbers_are_sent() -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        values.format_number(float("nan"))


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)]
)
def test_booleans(text: str, value: bool) -> None:
    assert values.parse_boolean(text) is value


def test_yes_is_no_boolean() -> None:
    with pytest.raises(ValueError, match="boolean"):
        values.parse_boolean("yes")
