"""Settings of the plan and its tariff."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from contracts.config import Settings, loads
from contracts.errors import ConfigError
from site_agent.config.planning import AnyTariff, PlanningSettings
from site_agent.domain.plan.policy import PlanningChoices, Strategy

OWN = """
name: own
currency: EUR
time_zone: UTC
energy: [{name: all, prices: [{at: "00:00", per_kwh: 0.2}]}]
"""


class Both(Settings):
    """As the site's settings have them."""

    tariff: AnyTariff | None = None
    planning: PlanningSettings = PlanningSettings()


def read(text: str) -> Both:
    return loads(text, Both, name="site.yaml")


def test_the_defaults_are_those_of_the_planner() -> None:
    assert PlanningSettings().choices() == PlanningChoices()


def test_choices_are_taken_over() -> None:
    found = read("planning: {strategy: soonest, horizon_h: 24, every_s: 60, peak_days: 1}")
    choices = found.planning.choices()
    assert (choices.strategy, choices.every) == (Strategy.SOONEST, timedelta(minutes=1))
    assert (choices.policy.length, choices.policy.peak_days) == (timedelta(hours=24), 1.0)


def test_a_tariff_is_named_or_a_file_or_in_place(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    shipped = read("tariff: sce-tou-ev-8-2019").tariff
    from_file = read(f"tariff: {file}").tariff
    indented = "\n".join(f"  {line}" for line in OWN.strip().splitlines())
    in_place = read(f"tariff:\n{indented}").tariff
    assert shipped is not None
    assert shipped.name == "SCE TOU-EV-8"
    assert from_file == in_place


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tariff: nothing-like-it", "none that comes with the agent"),
        ("planning: {horizon_h: 48}", "less than or equal to 36"),
        ("planning: {strategy: luck}", "'plan', 'rules' or 'soonest'"),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(text)
