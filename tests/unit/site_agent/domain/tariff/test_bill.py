"""The bill of a metered series, and the demand of a running month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contracts.days import Days
from site_agent.domain.horizon import Horizon
from site_agent.domain.tariff.bill import Kind, bill
from site_agent.domain.tariff.demand import DemandRecord, averages, windows
from site_agent.domain.tariff.tariff import (
    DemandCharge,
    EnergySchedule,
    Export,
    PriceStep,
    Tariff,
)

START = datetime(2026, 1, 30, tzinfo=UTC)
HALF = timedelta(minutes=30)


def tariff(interval: timedelta = timedelta(minutes=15), *, rolling: bool = False) -> Tariff:
    prices = (
        PriceStep(minute=0, per_kwh=0.1, name="night"),
        PriceStep(minute=480, per_kwh=0.3, name="day"),
    )
    return Tariff(
        name="t",
        currency="EUR",
        zone=ZoneInfo("UTC"),
        energy=(EnergySchedule(name="all", days=Days(), steps=prices),),
        demand=(
            DemandCharge(name="any", per_kw=10.0),
            DemandCharge(name="evening", per_kw=5.0, from_minute=1020, to_minute=1200),
        ),
        demand_interval=interval,
        rolling=rolling,
        export=Export(per_kwh=0.05),
        customer_per_day=2.0,
    )


@pytest.mark.row("site:U8")
def test_a_bill_sums_energy_by_period_demand_by_month_and_export() -> None:
    horizon = Horizon(start=START, count=4 * 96)
    power = np.full(horizon.count, 1_000.0)
    power[40] = 50_000.0  # 30 January, 10:00
    power[72] = 20_000.0  # 30 January, 18:00
    power[2 * 96 + 50] = 30_000.0  # 1 February
    power[60:64] = -8_000.0
    found = {(line.kind, line.name): line for line in bill(tariff(), horizon, power).lines}
    night = found[Kind.ENERGY, "night"]
    assert (night.quantity, night.amount) == pytest.approx((4 * 8_000.0, 3.2))
    assert found[Kind.DEMAND, "any 2026-01"].amount == pytest.approx(500.0)
    assert found[Kind.DEMAND, "any 2026-02"].amount == pytest.approx(300.0)
    assert found[Kind.DEMAND, "evening 2026-01"].amount == pytest.approx(100.0)
    assert found[Kind.EXPORT, "fed in"].amount == pytest.approx(-0.4)
    assert found[Kind.CUSTOMER, "fixed charge"].amount == pytest.approx(8.0)
    whole = bill(tariff(), horizon, power)
    assert whole.total == pytest.approx(sum(line.amount for line in whole.lines))
    assert whole.of(Kind.DEMAND) == pytest.approx(500 + 300 + 100 + 5)


def test_a_short_spike_is_averaged_over_half_an_hour_by_the_clock_or_rolling() -> None:
    """Two quarters at 40 kW on either side of the half hour."""
    power = np.array([0.0, 40_000.0, 40_000.0, 0.0])
    horizon = Horizon(start=START, count=4)
    by_clock = averages(power, horizon, HALF, rolling=False)
    assert by_clock.tolist() == [20_000.0, 20_000.0]
    assert averages(power, horizon, HALF, rolling=True).max() == 40_000.0


def test_windows_that_began_before_the_horizon_are_cut() -> None:
    horizon = Horizon(start=START + timedelta(minutes=15), count=4)
    assert windows(horizon, HALF, rolling=False) == [(0, 1), (1, 3), (3, 4)]
    with pytest.raises(ValueError, match="is no multiple"):
        windows(horizon, timedelta(minutes=20), rolling=False)


def test_a_bill_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a number for each of 4 slots"):
        bill(tariff(), Horizon(start=START, count=4), np.zeros(3))


def test_the_record_knows_what_is_drawn_and_the_months_peak() -> None:
    of, record, at = tariff(), DemandRecord(), START
    for minute in range(31):
        watts = 40_000.0 if 5 <= minute < 15 else 10_000.0
        record = record.counted(of, at + timedelta(minutes=minute), watts)
    assert record.window == at + timedelta(minutes=30)
    assert record.taken_wh == 0.0
    assert record.peaks_w["any", (2026, 1)] == pytest.approx(30_000.0)
    assert ("evening", (2026, 1)) not in record.peaks_w
    later = record.counted(of, at + timedelta(minutes=36), None)
    assert later.taken_wh == pytest.approx(1_000.0), "power that is not known goes on"


def test_a_new_month_begins_without_a_peak() -> None:
    of, record = tariff(), DemandRecord()
    for minute in range(0, 3 * 24 * 60, 5):
        record = record.counted(of, START + timedelta(minutes=minute), 20_000.0)
    assert {month for _, month in record.peaks_w} == {(2026, 2)}


def test_a_year_is_billed_in_one_go() -> None:
    horizon = Horizon(start=START, count=365 * 96)
    found = bill(tariff(), horizon, np.full(horizon.count, 1_000.0))
    assert found.of(Kind.ENERGY) == pytest.approx(365 * (8 * 0.1 + 16 * 0.3))
