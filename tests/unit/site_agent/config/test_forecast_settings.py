"""Settings of the forecasts: the place, the modules, holidays as people write them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.config import load, loads
from contracts.days import HOLIDAY, Holidays, holiday
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.config.forecast import ForecastSettings
from site_agent.domain.forecast.calendar import DayType

EXAMPLE = Path(__file__).parents[4] / "site_agent" / "config" / "example.yaml"


def example() -> str:
    """The example's settings without its forecast."""
    before, after = EXAMPLE.read_text().split("\nforecast:", 1)
    return before + after[after.index("\n\n") :]


@pytest.mark.parametrize(
    ("text", "day", "other"),
    [
        ("2026-12-24", date(2026, 12, 24), date(2027, 12, 24)),
        ("12-25", date(2031, 12, 25), date(2031, 12, 26)),
        ("02-29", date(2028, 2, 29), date(2028, 2, 28)),
        ("easter", date(2026, 4, 5), date(2026, 4, 6)),
        ("easter-2", date(2026, 4, 3), date(2026, 4, 2)),
        ("11 thu 4", date(2026, 11, 26), date(2026, 11, 19)),
        ("05 mon -1", date(2026, 5, 25), date(2026, 5, 18)),
    ],
)
def test_a_holiday_is_understood(text: str, day: date, other: date) -> None:
    rules = Holidays(rules=(holiday(text),))
    assert rules.kind(day) == HOLIDAY
    assert rules.kind(other) == other.weekday()


@pytest.mark.parametrize(
    "text", ["", "christmas", "13-01", "02-30", "00-10", "11 thu 6", "13 mon 1", "easter+1000"]
)
def test_what_is_no_holiday_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValidationError, match="is no holiday: write"):
        ForecastSettings(holidays=(text,))


def test_half_a_place_is_none() -> None:
    with pytest.raises(ValidationError, match="go together"):
        ForecastSettings(latitude_deg=48.0)


def test_the_site_as_forecasts_see_it() -> None:
    settings = load(EXAMPLE, SiteSettings)
    name = settings.pv[0].id
    known = loads(
        "latitude_deg: -33.9\nlongitude_deg: 18.4\nholidays: ['12-25']\n"
        f"arrays: {{{name}: {{tilt_deg: 30, modules_w: 70000}}}}\n",
        ForecastSettings,
        name="forecast",
    )
    ground = known.ground(settings.model(), "Africa/Johannesburg")
    assert ground.largest_w == settings.max_building_w
    assert ground.calendar.day_type(date(2026, 12, 25)) is DayType.RESTDAY
    array = ground.arrays[0]
    assert (array.pv_id, array.rated_w) == (name, settings.pv[0].rated_w)
    assert (array.tilt_deg, array.azimuth_deg, array.modules_w) == (30.0, 0.0, 70_000.0)


def test_without_holidays_of_its_own_those_of_the_tariff_count() -> None:
    text = f"{EXAMPLE.read_text()}\ntariff: example-europe\n"
    settings = loads(text, SiteSettings, name="site.yaml")
    christmas, friday = date(2026, 12, 25), date(2026, 12, 11)
    for own, kinds in (
        ((), (DayType.RESTDAY, DayType.WORKDAY)),
        (("12-11",), (DayType.WORKDAY, DayType.RESTDAY)),
    ):
        known = ForecastSettings(holidays=own)
        calendar = known.ground(settings.model(), "UTC", settings.tariff_paid()).calendar
        assert (calendar.day_type(christmas), calendar.day_type(friday)) == kinds


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("outdoor_sensor: nowhere", "sensor 'nowhere'"),
        ("arrays: {nothing: {}}", "'nothing', which is no PV inverter"),
    ],
)
def test_names_that_there_are_none_of_are_refused(part: str, words: str) -> None:
    text = f"{example()}\nforecast:\n  {part}\n"
    with pytest.raises(ConfigError, match=words):
        loads(text, SiteSettings, name="site.yaml")
