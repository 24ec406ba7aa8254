"""The mode follows from what is seen and decided; nobody sets it."""

from __future__ import annotations

import pytest

from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.mode import Mode, mode_of, surplus
from site_agent.domain.price import NO_PRICE, Level, PriceView, price_view
from site_agent.domain.site import SiteSnapshot
from support.site import battery, charger, envelope, need, pv, snapshot

HIGH = PriceView(now=0.4, level=Level.HIGH)
LOW = PriceView(now=0.1, level=Level.LOW)


def seen(
    *, building_w: float = 20_000.0, made_w: float = 0.0, event_w: float | None = None
) -> tuple[SiteSnapshot, Decision]:
    sun = [pv(-made_w)] if made_w else []
    here = snapshot(
        building_w=building_w,
        chargers=[charger(drawn_a=16.0, limit_a=16.0)],
        needs=[need()],
        pv_states=sun,
    )
    return here, decide(here, envelope(here.model, event_w))


@pytest.mark.row("site:E10")
@pytest.mark.parametrize(
    ("facts", "prices", "island", "mode", "why"),
    [
        pytest.param({}, NO_PRICE, "", Mode.NORMAL, "nothing binds", id="nothing special"),
        pytest.param({}, LOW, "", Mode.OFF_PEAK, "0.100 per kWh is low for the day", id="cheap"),
        pytest.param({}, HIGH, "", Mode.PEAK_AVOIDANCE, "is high for the day", id="dear"),
        pytest.param(
            {"made_w": 30_000.0}, NO_PRICE, "", Mode.SOLAR_SURPLUS, "PV makes 10.0 kW", id="sun"
        ),
        pytest.param(
            {"made_w": 30_000.0}, HIGH, "", Mode.SOLAR_SURPLUS, "PV makes 10.0 kW", id="dear sun"
        ),
        pytest.param(
            {"made_w": 15_000.0}, NO_PRICE, "", Mode.NORMAL, "nothing binds", id="sun, but less"
        ),
        pytest.param(
            {"event_w": 100_000.0}, LOW, "", Mode.PEAK_AVOIDANCE, "an event is in force", id="event"
        ),
        pytest.param(
            {"building_w": 195_000.0},
            LOW,
            "",
            Mode.PEAK_AVOIDANCE,
            "the connection contract",
            id="a limit binds",
        ),
        pytest.param(
            {"event_w": 100_000.0, "made_w": 30_000.0},
            HIGH,
            "the grid is away",
            Mode.ISLAND,
            "the grid is away",
            id="island before all",
        ),
    ],
)
def test_the_mode_of_a_site(
    facts: dict[str, float], prices: PriceView, island: str, mode: Mode, why: str
) -> None:
    found = mode_of(*seen(**facts), prices, island=island)
    assert found.mode is mode
    assert why in found.why


def test_cheap_power_that_nobody_takes_is_no_off_peak_charging() -> None:
    here = snapshot(chargers=[charger(plugged=False)])
    calm = decide(here, envelope(here.model))
    nobody = [one for one in calm.chargers if one.limit_a > 0 and "no vehicle" not in one.cause]
    assert nobody == []
    assert mode_of(here, calm, LOW).mode is Mode.NORMAL


def test_a_battery_that_holds_an_import_limit_avoids_a_peak() -> None:
    here = snapshot(
        building_w=60_000.0,
        chargers=[charger(drawn_a=29.0, limit_a=29.0)],
        needs=[need(hours=1.0)],
        batteries=[battery()],
    )
    limits = envelope(here.model, 70_000.0, standing=True)
    assert mode_of(here, decide(here, limits)).mode is Mode.PEAK_AVOIDANCE


def test_surplus_is_what_would_be_exported_without_batteries_and_vehicles() -> None:
    taken = snapshot(
        building_w=10_000.0,
        pv_states=[pv(-40_000.0)],
        batteries=[battery(power_w=20_000.0)],
        chargers=[charger(drawn_a=10.0)],
    )
    assert surplus(taken) == pytest.approx(30_000.0)
    assert surplus(snapshot(building_w=10_000.0)) == 0.0
    assert surplus(snapshot(building_w=None)) is None


@pytest.mark.parametrize(
    ("now", "day", "level"),
    [
        (0.30, [0.10, 0.20, 0.40], Level.HIGH),
        (0.29, [0.10, 0.20, 0.40], Level.MIDDLE),
        (0.20, [0.10, 0.20, 0.40], Level.LOW),
        (0.30, [0.30, 0.30, 0.30], Level.MIDDLE),
        (0.302, [0.30, 0.31], Level.MIDDLE),
        (-0.05, [-0.05, 0.02, 0.10], Level.LOW),
        (0.0, [], Level.MIDDLE),
    ],
)
def test_a_price_within_its_day(now: float, day: list[float], level: Level) -> None:
    assert price_view(now, day).level is level
