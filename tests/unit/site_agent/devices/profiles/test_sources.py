"""Profiles that keep setpoints: the settings must know it, for they were judged safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import ConfigError
from contracts.testing import FakeClock
from site_agent.config.devices import (
    ProfileBatterySettings,
    ProfileChargerSettings,
    ProfilePvSettings,
    ProfileSettings,
)
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.profiles.schema import Nature
from site_agent.devices.profiles.source import ProfileSource
from site_agent.devices.profiles.sources import ProfileSources
from support.profile_text import CHARGER

WHERE = {"kind": "profile", "host": "192.0.2.9"}
CELLS = {"id": "b", "capacity_wh": 9, "max_charge_w": 5, "max_discharge_w": 6}


def source(nature: Nature, settings: ProfileSettings) -> ProfileSource:
    clock = FakeClock()
    sources = ProfileSources(
        lambda one: RegisterLink(link_settings(one), clock), clock, lambda: None
    )
    return sources.source("it", nature, settings)


@pytest.mark.row("trap:P5")
def test_a_battery_that_keeps_its_setpoint_must_be_called_so() -> None:
    facts = {**WHERE, **CELLS, "profile": "victron.multi"}
    with pytest.raises(ConfigError, match=r"victron\.multi keeps its last setpoint.*lapse: none"):
        source("battery", ProfileBatterySettings.model_validate(facts))
    source("battery", ProfileBatterySettings.model_validate({**facts, "lapse": "none"}))
    facts["profile"] = "sungrow.sh"
    source("battery", ProfileBatterySettings.model_validate(facts))


@pytest.mark.row("trap:P5")
def test_so_must_an_inverter() -> None:
    facts = {**WHERE, "id": "pv", "rated_w": 9, "profile": "sungrow.sg"}
    with pytest.raises(ConfigError, match="lapse: none"):
        source("pv", ProfilePvSettings.model_validate(facts))
    source("pv", ProfilePvSettings.model_validate({**facts, "profile": "sma.tripower"}))


@pytest.mark.row("trap:P5")
def test_a_charger_that_keeps_its_limit_counts_with_its_most(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(CHARGER.partition("lapse:")[0] + "lapse: none\n")
    facts = {**WHERE, "id": "ac", "profile": str(path), "max_current_a": 16}
    with pytest.raises(ConfigError, match="fail_safe_current_a must be its max_current_a"):
        source("charger", ProfileChargerSettings.model_validate(facts))
    source("charger", ProfileChargerSettings.model_validate({**facts, "fail_safe_current_a": 16}))


def test_another_nature_is_refused() -> None:
    facts = {**WHERE, **CELLS, "profile": "abb.b23"}
    with pytest.raises(ConfigError, match="of a meter"):
        source("battery", ProfileBatterySettings.model_validate(facts))
