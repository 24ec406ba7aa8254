"""Prices of files: a CSV, and the energy prices of a tariff."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import ConfigError
from gateway.domain.price.market import market_day
from gateway.domain.price.timeline import Quality
from gateway.prices.files import CsvSource, TariffSource
from gateway.prices.settings import CsvSettings, TariffSettings
from support.prices import hours

pytestmark = pytest.mark.row("portfolio:U8")
TABLE = """start,end,price
2026-11-27T00:00:00Z,2026-11-27T01:00:00Z,80.5
2026-11-27T02:00:00+01:00,2026-11-27T03:00:00+01:00,-3
"""
BERLIN = ZoneInfo("Europe/Berlin")


def csv_source(folder: Path, text: str = TABLE, quality: str = "published") -> CsvSource:
    (folder / "prices.csv").write_text(text)
    return CsvSource(
        CsvSettings.model_validate(
            {
                "kind": "csv",
                "source_id": "desk",
                "file": folder / "prices.csv",
                "area": "our desk",
                "currency": "EUR",
                "unit": "MWh",
                "quality": quality,
                "time_zone": "Europe/Berlin",
            }
        )
    )


async def test_rows_are_prices_and_the_rest_is_a_gap(tmp_path: Path) -> None:
    said = await csv_source(tmp_path, quality="forecast").fetch(hours(0, 3))
    assert said is not None
    assert [(one.interval, one.per_kwh) for one in said.prices] == [
        (hours(0, 1), Decimal("0.0805")),
        (hours(1, 2), Decimal("-0.003")),
    ]
    assert {one.quality for one in said.prices} == {Quality.FORECAST}
    assert said.whole


async def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    source = csv_source(tmp_path)
    await source.fetch(hours(0, 3))
    csv_source(tmp_path, TABLE.replace("80.5", "90"))
    said = await source.fetch(hours(0, 1))
    assert said is not None
    assert said.prices.steps[0].per_kwh == Decimal("0.09")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from,to\n1,2\n", "columns start,end,price"),
        (TABLE.replace("80.5", "dear"), r"prices\.csv:2: 'dear'"),
        (TABLE.replace("+01:00,2026", ",2026"), r"prices\.csv:3: .*no offset"),
        (TABLE + TABLE.splitlines()[1] + "\n", "two prices"),
        ("start,end,price\n2026-11-27T00:00Z\n", r"prices\.csv:2"),
    ],
)
async def test_a_mistake_names_its_row(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        await csv_source(tmp_path, text).fetch(hours(0, 3))


async def test_a_file_that_is_missing(tmp_path: Path) -> None:
    source = csv_source(tmp_path)
    (tmp_path / "prices.csv").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        await source.fetch(hours(0, 3))


TARIFF = """
name: Depot tariff
currency: EUR
time_zone: Europe/Berlin
energy:
  - name: weekday
    days: weekdays
    prices:
      - {at: "00:00", per_kwh: 0.19, name: night}
      - {at: "02:00", per_kwh: 0.15}
      - {at: "06:00", per_kwh: 0.29}
  - name: weekend
    days: weekends
    prices: [{at: "00:00", per_kwh: 0.10}]
demand: [{name: any hour, per_kw: 4.50}]
holidays: ["12-25"]
"""


def tariff_source(folder: Path, text: str = TARIFF) -> TariffSource:
    (folder / "tariff.yaml").write_text(text)
    settings = TariffSettings(kind="tariff", source_id="fallback", file=folder / "tariff.yaml")
    return TariffSource(settings)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 27), [(0, 2, 0.19), (2, 6, 0.15), (6, 24, 0.29)]),
        (date(2026, 11, 28), [(0, 24, 0.10)]),
        (date(2026, 12, 25), [(0, 24, 0.10)]),  # a Friday, and a holiday
        (date(2026, 3, 29), [(0, 23, 0.10)]),
        (date(2026, 10, 25), [(0, 25, 0.10)]),
    ],
)
async def test_a_tariff_has_a_price_for_every_hour(
    tmp_path: Path, day: date, expected: list[tuple[float, float, float]]
) -> None:
    window = market_day(day, BERLIN)
    said = await tariff_source(tmp_path).fetch(window)
    assert said is not None
    found = [
        (
            (one.start - window.start).total_seconds() / 3600,
            (one.end - window.start).total_seconds() / 3600,
            float(one.per_kwh),
        )
        for one in said.prices
    ]
    assert found == expected
    assert said.prices.covers(window)


async def test_prices_follow_the_wall_clock_when_it_is_set(tmp_path: Path) -> None:
    every_day = TARIFF.replace("days: weekdays", "days: all").replace(
        '  - name: weekend\n    days: weekends\n    prices: [{at: "00:00", per_kwh: 0.10}]\n',
        "",
    )
    lengths = {}
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        said = await tariff_source(tmp_path, every_day).fetch(market_day(day, BERLIN))
        assert said is not None
        lengths[day] = [(one.end - one.start).total_seconds() / 3600 for one in said.prices]
    # In spring 02:00-03:00 is left out; in autumn 02:00-03:00 comes twice.
    assert lengths == {date(2026, 3, 29): [2, 3, 18], date(2026, 10, 25): [2, 5, 18]}


def test_the_tariffs_of_a_site_agent_can_be_read() -> None:
    folder = Path(__file__).parents[4] / "site_agent" / "tariffs"
    files = sorted(folder.glob("*.yaml"))
    assert files
    for file in files:
        assert TariffSource(TariffSettings(kind="tariff", source_id="t", file=file)).area


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("days: weekends", "days: weekdays"), "all hold on"),
        (('at: "02:00"', 'at: "07:00"'), "times ascend"),
        (("currency: EUR", "currency: euro"), "currency"),
        (('"12-25"', '"soon"'), "no holiday"),
        (("time_zone: Europe/Berlin", "time_zone: Mars"), "time zone"),
    ],
)
def test_a_tariff_that_makes_no_sense_is_refused(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        tariff_source(tmp_path, TARIFF.replace(*change))
