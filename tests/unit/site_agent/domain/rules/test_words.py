"""A rule in settings, said back in one sentence; a mistake in it is explained."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config.rules import RuleSettings
from site_agent.domain.rules.words import sentence

SENTENCES = [
    (
        'when: {time: "16:00-21:00", days: weekdays}\nthen: {battery: discharge 20 kW}',
        "between 16:00 and 21:00 on weekdays, the battery gives up to 20 kW",
    ),
    (
        "when: {price_above: 0.3, soc_above_pct: 40}\nthen: {battery: discharge, vehicles: wait}",
        "while the price is above 0.3 per kWh and the batteries hold more than 40 %, the battery "
        "gives what the site draws and vehicles wait as long as they stay on time",
    ),
    (
        'when: {time: ["22:00-06:00", "12:00-14:00"], days: [fri, sat], months: [6, 7, 8]}\n'
        "then: {vehicles: at most 11 kW}",
        "between 22:00 and 06:00 or between 12:00 and 14:00 on Fridays and Saturdays in June, July "
        "and August, vehicles charge with at most 11 kW each",
    ),
    (
        "when: {vehicle: [bus-1, bus-2], rank: 2, spare_above_h: 3}\nthen: {vehicles: charge now}",
        "vehicles bus-1 and bus-2 of rank 2 with more than 3 h to spare charge now",
    ),
    (
        "when: {vehicle: bus-1}\nthen: {vehicles: wait}",
        "vehicle bus-1 waits as long as it stays on time",
    ),
    (
        "when: {vehicle: bus-1}\nthen: {vehicles: at most 11 kW}",
        "vehicle bus-1 charges with at most 11 kW",
    ),
    (
        "when: {event: false, mode: [island, off-peak], surplus_above_w: 5000}\n"
        "then: {battery: charge from surplus 10 kW, import_limit_w: 250000}",
        "while PV makes over 5 kW more than the building draws, no event is in force and the mode "
        "is island or off-peak, the battery charges from surplus PV only, up to 10 kW and the "
        "site never draws more than 250 kW",
    ),
    (
        "when: {building_above_w: 80000, price: high, price_below: 1, soc_below_pct: 90}\n"
        "then: {battery: hold, import_below_w: 9e4, export_limit_w: 0}",
        "while the price is below 1 per kWh, the batteries hold less than 90 %, the price is high "
        "for the day and the building draws more than 80 kW, the battery rests, the site stays "
        "below 90 kW unless vehicles would be late and the site never feeds in more than 0 kW",
    ),
    (
        "when: {building_below_w: 100, days: weekends, event: true}\nthen: {battery: charge 500 W}",
        "at weekends, while the building draws less than 0.1 kW and an event is in force, the "
        "battery charges with up to 0.5 kW",
    ),
]


@pytest.mark.row("site:E9")
@pytest.mark.parametrize(("written", "said"), SENTENCES)
def test_a_rule_is_said_back(written: str, said: str) -> None:
    assert sentence(loads(f"name: r\n{written}", RuleSettings, name="site.yaml").rule) == said


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"then": {}}, "asks for nothing"),
    ({"then": {"battery": "explode"}}, "is none of hold, charge"),
    ({"then": {"battery": "hold 20 kW"}}, "is none of hold, charge"),
    ({"then": {"battery": "discharge 20 MW"}}, "or one with a power (20 kW)"),
    ({"then": {"vehicles": "later"}}, 'is none of "wait", "charge now", "at most 11 kW"'),
    ({"when": {"time": "16-21"}, "then": {"vehicles": "wait"}}, 'no time such as "16:00-21:00"'),
    ({"when": {"time": "16:00-24:30"}, "then": {"vehicles": "wait"}}, "no time such as"),
    ({"when": {"days": "sometimes"}, "then": {"vehicles": "wait"}}, "when.days"),
    ({"when": {"moon": "full"}, "then": {"vehicles": "wait"}}, "when.moon"),
    ({"when": {"soc_below_pct": 140}, "then": {"vehicles": "wait"}}, "less than or equal to 100"),
    ({"when": {"mode": "turbo"}, "then": {"vehicles": "wait"}}, "'island'"),
]


@pytest.mark.parametrize(("written", "words"), MISTAKES)
def test_a_mistake_is_explained(written: dict[str, Any], words: str) -> None:
    text = yaml.safe_dump({"name": "r", **written})
    with pytest.raises(ConfigError) as error:
        loads(text, RuleSettings, name="site.yaml")
    assert words in str(error.value)
