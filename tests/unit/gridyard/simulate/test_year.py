"""A year by representative days, PV from a file, and who guides."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import ConfigError
from gridyard.simulate import profile, year
from gridyard.simulate.setup import Inputs, simulated
from support.simulated import case, group

TARIFF = "example-europe"


@pytest.fixture
def small(tmp_path: Path) -> Inputs:
    """Vans that could wait for the night, when power is cheap."""
    case(tmp_path, fleet=[group(departs=["06:00", "06:30"])], hours=13)
    return Inputs(scenario=str(tmp_path / "small.yaml"), tariff=TARIFF)


def test_the_plan_has_all_ready_and_costs_less_a_kilowatt_hour(small: Inputs) -> None:
    first, planned = (simulated(small, name, 1) for name in ("first-come", "plan"))
    assert planned.all_ready
    assert planned.within_limit
    assert first.cost is not None
    assert planned.cost is not None
    assert planned.cost / planned.charged_wh < first.cost / first.charged_wh
    evening = slice(4, 12)
    assert sum(planned.quarters_w[evening]) < 0.5 * sum(first.quarters_w[evening])


def test_guides_need_prices(small: Inputs) -> None:
    with pytest.raises(ConfigError, match="--tariff"):
        simulated(Inputs(scenario=small.scenario), "plan", 1)


def test_a_day_stands_for_its_quarter(small: Inputs) -> None:
    (one,) = year.quarters(
        year.Task(inputs=small, strategy="first-come", tariffs=(TARIFF,), month=5)
    )
    assert (one.vehicles, one.ready) == (3, 3)
    assert one.energy_cost > 0
    demand = one.peak_w / 1000 * 4.50
    assert one.demand_cost == pytest.approx(3 * demand, rel=1e-6), "three months, no winter"
    assert one.other_cost == pytest.approx(365 / 4 * 2.40), "from noon to noon is one day"


def test_the_day_is_a_wednesday_from_noon_on() -> None:
    begin = year._day(11, 2026, ZoneInfo("Europe/Berlin"))
    assert begin == datetime(2026, 11, 11, 11, 0, tzinfo=UTC)


def pv_case(folder: Path) -> Inputs:
    case(folder)
    site = folder / "site.yaml"
    pv = "pv: [{id: roof, kind: sunspec, host: 192.0.2.9, rated_w: 10000}]\n"
    site.write_text(site.read_text() + pv)
    scenario = folder / "small.yaml"
    scenario.write_text(scenario.read_text() + "pv: [{id: roof, rated_w: 10000}]\n")
    return Inputs(scenario=str(scenario), pv=folder / "pv.csv")


def test_measured_pv_replaces_the_sky(tmp_path: Path) -> None:
    inputs = pv_case(tmp_path)
    rows = ["time,power_w", "2026-03-03T18:00:00,8000", "2026-03-03T19:00:00,8000"]
    (tmp_path / "pv.csv").write_text("\n".join(rows) + "\n")
    result = simulated(inputs, "llf", 1)
    assert result.pv_wh == pytest.approx(8_000, rel=0.02)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["time,power_w", "noon,8000"], "pv.csv:2"),
        (["time,power_w"], "ascend"),
        (["time,power_w", "2026-03-03T19:00:00,1", "2026-03-03T18:00:00,1"], "ascend"),
        (["when,what", "1,2"], "needs time"),
    ],
)
def test_bad_profiles_are_named(tmp_path: Path, rows: list[str], says: str) -> None:
    inputs = pv_case(tmp_path)
    (tmp_path / "pv.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(ConfigError, match=says):
        profile.read(tmp_path / "pv.csv", inputs.case())
