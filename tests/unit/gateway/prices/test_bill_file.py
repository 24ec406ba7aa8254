"""A tariff file as a bill needs it, beside what the site's own agent makes of the same file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
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
from gateway.domain.accounts.bill import BillLine, Component, bill
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.accounts.month import Month
from gateway.domain.price.market import market_day
from gateway.domain.price.timeline import PriceStep, PriceTimeline, Quality
from gateway.prices.account_settings import AccountSettings
from gateway.prices.bill_file import BillFile
from gateway.prices.intensity import CsvIntensity
from site_agent.config.tariff import TariffSettings
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


def a_month(window: Interval) -> tuple[Metered, Numbers]:
    """Power at the connection point alone, and the same as the agent takes it."""
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
    return metered, power_w


@pytest.mark.parametrize("name", sorted(one.stem for one in TARIFFS.glob("*.yaml")))
@pytest.mark.parametrize("month", ["2026-03", "2026-07", "2026-10", "2026-11"])
def test_both_programs_make_the_same_bill_of_a_file(name: str, month: str) -> None:
    file = load(TARIFFS / f"{name}.yaml", BillFile)
    window = Month.parse(month).window(file.time_zone)
    metered, power_w = a_month(window)
    grid = metered.grid
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


def day_ahead(window: Interval, source_id: str, *, currency: str = "EUR") -> PriceTimeline:
    """Another price every quarter of an hour, some negative."""
    quarter = timedelta(minutes=15)
    steps = [
        PriceStep(
            interval=one,
            per_kwh=Decimal((n * 37) % 101 - 20) / 400,
            source_id=source_id,
            as_of=window.start - timedelta(hours=12),
        )
        for n, one in enumerate(window.split(quarter))
    ]
    return PriceTimeline.of("10YNL----------L", currency, steps)


@pytest.mark.parametrize("export", ["{per_kwh: 0.07}", "{share_of_import: 0.5}"])
@pytest.mark.parametrize("first", [date(2026, 3, 28), date(2026, 10, 24)])
def test_a_market_tariff_is_priced_as_its_agent_does_by_the_market(
    first: date, export: str
) -> None:
    """Three days, clocks are set amid them; without a market price both take the schedule's."""
    text = (TARIFFS / "example-europe.yaml").read_text()
    text = text.replace("export: {per_kwh: 0.07}", f"export: {export}")
    file = loads(text, BillFile, name="test")
    agents = loads(text, TariffSettings, name="test").tariff()
    window = Interval(
        start=market_day(first, file.time_zone).start,
        end=market_day(first + timedelta(days=2), file.time_zone).end,
    )
    hours = timedelta(hours=30)
    known = day_ahead(window, "nl").clip(Interval(start=window.start + hours, end=window.end))
    metered, power_w = a_month(window)
    ours = bill(file.terms(window, [known]), metered, ())
    horizon = Horizon(start=window.start, count=metered.grid.count, step=STEP)
    theirs = agents_bill(agents, horizon, power_w, known.series())
    for component, kind in ((Component.ENERGY, Kind.ENERGY), (Component.EXPORT, Kind.EXPORT)):
        mine = sum(one.amount for one in ours.lines if one.component is component)
        assert float(mine) == pytest.approx(theirs.of(kind), abs=0.01), component
    wh = metered.import_wh[: hours // STEP].sum()
    assert ours.without_market_wh == pytest.approx(wh)
    assert ours.unpriced_wh == 0.0


def test_each_line_names_who_said_the_price_and_which_one() -> None:
    file = load(TARIFFS / "example-europe.yaml", BillFile)
    window = Month.parse("2026-10").window(file.time_zone)
    day = timedelta(days=1)
    first = day_ahead(window, "nl").clip(Interval.lasting(window.start, 2 * day))
    second = day_ahead(window, "fallback").clip(Interval.lasting(window.start, 3 * day))
    metered, _ = a_month(window)

    def lines(*market: PriceTimeline) -> dict[str, BillLine]:
        found = bill(file.terms(window, market), metered, ()).lines
        return {one.source: one for one in found if one.component is Component.ENERGY}

    found = lines(first, second)
    assert set(found) == {
        "price source nl, 10YNL----------L",
        "price source fallback, 10YNL----------L",
        "Example with everything",
    }
    nl, fallback, own = (found[name] for name in (sorted(found)[2], sorted(found)[1], file.name))
    wh = metered.import_wh
    per_day = day // STEP
    assert float(nl.quantity) == pytest.approx(wh[: 2 * per_day].sum() / 1e3)
    assert float(fallback.quantity) == pytest.approx(wh[2 * per_day : 3 * per_day].sum() / 1e3)
    assert nl.as_of == fallback.as_of == window.start - timedelta(hours=12)
    assert own.as_of is None
    corrected = replace(first.steps[0], per_kwh=Decimal("0.5"))
    again = lines(replace(first, steps=(corrected, *first.steps[1:])), second)
    assert again[nl.source].version != nl.version
    assert again[fallback.source].version == fallback.version
    assert again[own.source].version == own.version


def test_what_a_source_withdrew_has_a_line_of_its_own() -> None:
    file = load(TARIFFS / "example-europe.yaml", BillFile)
    window = Month.parse("2026-10").window(file.time_zone)
    first, *others = day_ahead(window, "nl").steps
    steps = (replace(first, quality=Quality.CARRIED_OVER), *others)
    metered, _ = a_month(window)
    metered.import_wh[:3] = 1000.0
    found = bill(
        file.terms(window, [PriceTimeline(area="x", currency="EUR", steps=steps)]), metered, ()
    )
    [line] = [one for one in found.lines if one.name == "market, carried over"]
    assert line.quantity == Decimal(3)


@pytest.mark.parametrize(
    ("market", "remark"),
    [
        (None, "the gateway has no prices for this site"),
        ("USD", "prices in USD are not used: the tariff is in EUR"),
    ],
)
def test_what_cannot_be_used_of_a_market_is_told(market: str | None, remark: str) -> None:
    file = load(TARIFFS / "example-europe.yaml", BillFile)
    window = Month.parse("2026-10").window(file.time_zone)
    known = None if market is None else [day_ahead(window, "x", currency=market)]
    terms = file.terms(window, known)
    [told] = terms.remarks
    assert remark in told
    assert terms.imports == file.terms(window).imports


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


async def no_market(_site_id: str, _window: Interval) -> None:
    """No site follows any prices."""


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
    assert set(settings.tariffs(no_market)) == set(settings.intensities()) == {"depot-1", "depot-2"}
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
