"""Signals to points, and currents and voltages to powers."""

import pytest

from contracts.errors import ConfigError
from site_agent.devices.can.database import SignalDatabase
from site_agent.devices.can.signals import BATTERY_MAP, Limits, SignalMap, SignalRule, value_of

DATABASE = SignalDatabase.load()


def limits(**told: float) -> Limits:
    made = Limits()
    for name, value in told.items():
        made = made.heard(name, value)
    return made


FULL = {
    "charge_current": 100,
    "discharge_current": 200,
    "highest_voltage": 56,
    "lowest_voltage": 44,
}


@pytest.mark.row("trap:B3")
@pytest.mark.parametrize(
    ("told", "volts", "charge_w", "discharge_w"),
    [
        (FULL, 50, 5000, 10_000),
        (FULL | {"discharge_current": -200}, 50, 5000, 10_000),  # some send it negative
        (FULL, 56.1, 0, 11_220),  # too high: no charging
        (FULL, 43.9, 4390, 0),  # too low: no discharging
        (FULL, None, 4400, 8800),  # no voltage told: the lowest makes the least
        (FULL | {"charge_enable": 0}, 50, 0, 10_000),
        (FULL | {"discharge_enable": 0}, 50, 5000, 0),
        ({"charge_current": 100}, None, None, None),  # nothing to multiply with
        ({}, 50, None, None),
    ],
)
def test_what_a_battery_takes_and_gives(
    told: dict[str, float],
    volts: float | None,
    charge_w: float | None,
    discharge_w: float | None,
) -> None:
    made = limits(**told)
    assert made.charge_w(volts) == (None if charge_w is None else pytest.approx(charge_w))
    assert made.discharge_w(volts) == (None if discharge_w is None else pytest.approx(discharge_w))


def test_rules() -> None:
    told = {"M.a": 2.0, "M.b": 0.0}
    assert value_of(SignalRule(signals=("M.a",), scale=10, offset=1), told) == 21
    assert value_of(SignalRule(signals=("M.a", "M.b"), equals=2), told) == 1
    assert value_of(SignalRule(signals=("M.b",), equals=2), told) == 0
    assert value_of(SignalRule(signals=("M.b", "M.a"), differs=0), told) == 1
    assert value_of(SignalRule(signals=("M.b",), differs=0), told) == 0
    assert value_of(SignalRule(signals=("M.c",), equals=2), told) is None


def test_the_map_of_the_usual_frames_names_what_there_is() -> None:
    BATTERY_MAP.check(DATABASE)
    assert {"soc", "fault", "max_charge_power", "max_discharge_power"} <= {*BATTERY_MAP.points}


@pytest.mark.parametrize(
    "rules",
    [
        {"soc": SignalRule(signals=("Charge.nothing",))},
        {"state_of_mind": SignalRule(signals=("Charge.soc",))},
    ],
)
def test_a_map_that_names_what_there_is_not(rules: dict[str, SignalRule]) -> None:
    with pytest.raises(ConfigError, match="no s"):
        SignalMap(rules=rules).check(DATABASE)
