"""A tariff file as a bill needs it, beside what the site's own agent makes of the same file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import site_agent
from contracts.config import load, loads
from contracts.errors import ConfigError
from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.domain.accounts.balance import Metered
from gateway.domain.accounts.bill import Component, bill
from gateway.domain.accounts.grid import SlotGrid
from gateway.domain.accounts.month import Month
from gateway.prices.account_settings import AccountSettings
from gateway.prices.bill_file import BillFile
from gateway.prices.intensity import CsvIntensity
from site_agent.config.tariff_files import load_tariff
from site_agent.domain.horizon import Horizon
from site_agent.domain.tariff.bill import Kind
from site_agent.domain.tariff.bill import bill as agents_bill

TARIFFS = Path(site_agent.__file__).parent / "tariffs"
STEP = timedelta(minutes=5)
OVER_MIDNIGHT = """
name: nights
currency: EUR
time_zone: Europe/Berlin
energy: [{name: all, prices: [{at: "00:00", per_kwh: 0.2}]}]
demand: [{name: nights, per_kw: 3, days: weekdays, from: "22:00", to: "06:00"}]
billing_day: 15
"""


@pytest.mark.parametrize("name", sorted(one.stem for one in TARIFFS.glob("*.yaml")))
@pytest.mark.parametrize("month", ["2026-03", "2026-07", "2026-10", "2026-11"])
def test_both_programs_make_the_same_bill_of_a_file(name: str, month: str) -> None:
    file = load(TARIFFS / f"{name}.yaml", BillFile)
    window = Month.parse(month).window(file.time_zone)
    grid = SlotGrid(window=window, step=STEP)
    power_w = np.random.default_rng(7).normal(20_000, 30_000, grid.count).round()
    net_wh = power_w * grid.seconds / 3600.0
    nothing = np.zeros(grid.count)
    metered = Metered(
        grid=grid,
        import_wh=np.maximum(0.0, net_wh),
        export_wh=np.maximum(0.0, -net_wh),
        pv_wh=nothing,
        charged_wh=nothing,
        discharged_wh=nothing,
        evse_wh={},
        from_evse_wh=nothing,
        soc_pct=nothing,
        covered_s={PCC_POWER_W: np.full(grid.count, grid.seconds)},
    )
    ours = bill(file.terms(window), metered, ())
    horizon = Horizon(start=window.start, count=grid.count, step=STEP)
    theirs = agents_bill(load_tariff(TARIFFS / f"{name}.yaml").tariff(), horizon, power_w)
    for component, kind in (
        (Component.ENERGY, Kind.ENERGY),
        (Component.DEMAND, Kind.DEMAND),
        (Component.EXPORT, Kind.EXPORT),
    ):
        mine = sum(one.amount for one in ours.lines if one.component is component)
        assert float(mine) == pytest.approx(theirs.of(kind), abs=0.01), component
    fixed = sum(one.amount for one in ours.lines if one.component is Component.FIXED)
    days = round(window.duration / timedelta(days=1))  # type: ignore[operator]
    assert fixed == file.customer_per_day * days  # by calendar days, whatever their hours


def test_hours_over_midnight_are_both_ends_of_the_day() -> None:
    file = loads(OVER_MIDNIGHT, BillFile, name="test")
    berlin = ZoneInfo("Europe/Berlin")
    day = Interval.lasting(Month.parse("2026-10").window(berlin).start, timedelta(days=2))
    [term] = file.terms(day).demand
    local = [
        (one.start.astimezone(berlin).hour, (one.end or one.start).astimezone(berlin).hour)
        for one in term.hours
    ]
    assert local == [(0, 6), (22, 6), (22, 0)]
    assert file.billing_day == 15


def test_a_market_tariff_says_what_it_leaves_out() -> None:
    file = load(TARIFFS / "example-europe.yaml", BillFile)
    window = Month.parse("2026-10").window(file.time_zone)
    assert file.terms(window).remarks == (
        "the tariff follows a market: its schedule's prices are used here, not the market's",
    )


async def test_intensities_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "g.csv"
    file.write_text(
        "start,end,g_per_kwh\n2026-10-01T00:00Z,2026-10-01T01:00Z,400\n"
        "2026-10-01T02:00Z,2026-10-01T03:00Z,50.5\n"
    )
    window = Month.parse("2026-10").window(ZoneInfo("UTC"))
    found = await CsvIntensity(file, "the grid operator").intensity(window)
    assert [one.value for one in found.g_per_kwh] == [400.0, 50.5]
    assert found.source == "the grid operator"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "columns start,end,g_per_kwh are wanted"),
        ("start,end,g_per_kwh\n2026-10-01T00:00Z,2026-10-01T01:00Z,nan\n", "2: 'nan' is no"),
        ("start,end,g_per_kwh\n2026-10-01T00:00Z,2026-10-01T01:00Z,-1\n", "2: '-1' is no"),
        ("start,end,g_per_kwh\n2026-10-01T00:00,2026-10-01T01:00Z,4\n", "has no offset"),
        (
            "start,end,g_per_kwh\n2026-10-01T00:00Z,2026-10-01T02:00Z,4\n"
            "2026-10-01T01:00Z,2026-10-01T03:00Z,4\n",
            "steps overlap",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "g.csv"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        CsvIntensity(file, "somebody")


def test_settings_say_who_pays_what(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(OVER_MIDNIGHT)
    settings = AccountSettings.model_validate(
        {
            "of": [
                {
                    "sites": ["depot-1", "depot-2"],
                    "tariff": str(tmp_path / "t.yaml"),
                    "carbon": {"kind": "constant", "g_per_kwh": 350, "source": "2025 mean"},
                },
                {"sites": ["depot-3"]},
            ]
        }
    )
    assert set(settings.tariffs()) == set(settings.intensities()) == {"depot-1", "depot-2"}
    assert settings.sites == {"depot-1", "depot-2", "depot-3"}
    with pytest.raises(ValueError, match="named once"):
        AccountSettings.model_validate({"of": [{"sites": ["a"]}, {"sites": ["a"]}]})
    assert (
        Decimal(3)
        == BillFile.model_validate(
            {
                "name": "x",
                "currency": "EUR",
                "time_zone": "UTC",
                "energy": [{"name": "all", "prices": [{"at": "00:00", "per_kwh": "1"}]}],
                "customer_per_day": 3,
            }
        ).customer_per_day
    )
