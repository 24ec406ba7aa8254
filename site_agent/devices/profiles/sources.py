"""Sources of devices on Modbus from their settings and profiles."""

from __future__ import annotations

from collections.abc import Callable

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.config.devices import (
    ModbusSettings,
    ProfileBatterySettings,
    ProfileChargerSettings,
    ProfilePvSettings,
    ProfileSettings,
)
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.profiles.library import of_nature
from site_agent.devices.profiles.schema import Nature, Profile
from site_agent.devices.profiles.source import ProfileSource
from site_agent.devices.profiles.steered import source_of
from site_agent.domain.device import Lapse
from site_agent.ports import Wake


class ProfileSources:
    """Makes sources; `link` gives the link to a socket or serial line."""

    def __init__(
        self, link: Callable[[ModbusSettings], RegisterLink], clock: Clock, wake: Wake
    ) -> None:
        self._link = link
        self._clock = clock
        self._wake = wake

    def source(self, name: str, nature: Nature, settings: ProfileSettings) -> ProfileSource:
        """The source these settings describe.

        Raises:
            ConfigError: its profile cannot be used, or keeps setpoints that the settings expect to
                lapse.
        """
        profile = of_nature(settings.profile, nature)
        if profile.lapse == "none":
            _check_lasting(name, profile, settings)
        fail_safe_a = 0.0
        if isinstance(settings, ProfileChargerSettings):
            fail_safe_a = settings.fail_safe_current_a
        return source_of(
            profile,
            self._link(settings),
            name=name,
            clock=self._clock,
            wake=self._wake,
            unit_id=settings.own_unit,
            fail_safe_a=fail_safe_a,
        )


def _check_lasting(name: str, profile: Profile, settings: ProfileSettings) -> None:
    """What is safe with no agent alive was judged by the settings: they must know it."""
    told = f"{name}: {profile.id} keeps its last setpoint when the agent dies: "
    if isinstance(settings, ProfileBatterySettings | ProfilePvSettings) and (
        settings.lapse is Lapse.DEVICE
    ):
        raise ConfigError(told + "say lapse: none")
    if isinstance(settings, ProfileChargerSettings) and (
        settings.fail_safe_current_a < settings.max_current_a
    ):
        raise ConfigError(told + "fail_safe_current_a must be its max_current_a")
