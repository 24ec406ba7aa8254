"""Everything that can be checked of a site's devices before it goes into service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from contracts.errors import ConfigError, ProtocolError
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.devices import ProfileChargerSettings
from site_agent.config.mqtt import MqttDeviceSettings
from site_agent.devices.commissioning import looks, sunspec_survey, trials
from site_agent.devices.commissioning.found import Found, Nature
from site_agent.devices.commissioning.probe import NobodyThereError, Survey, meet
from site_agent.devices.commissioning.profile_survey import survey_by
from site_agent.devices.commissioning.trials import BatteryTrial, PvTrial, Trial
from site_agent.devices.commissioning.verdict import Judge, Line
from site_agent.devices.commissioning.yard import METER_ID, Candidate, Yard, yard
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.profiles.library import find
from site_agent.devices.writer import unit_of
from site_agent.ports import Battery, KeyValues, PvInverter, SessionStore


async def check(
    settings: SiteSettings,
    clock: Clock,
    sessions: SessionStore,
    *,
    device: str | None = None,
    moved: frozenset[str] = frozenset(),
    memory: KeyValues | None = None,
    tell: Callable[[Line], None],
) -> None:
    """Line by line, of one device or of all; only those `moved` are written to.

    `memory` is the site's own: what a device proves in a trial the agent then knows.

    Raises:
        ConfigError: there is no such device, or one cannot be made of its settings.
    """
    async with yard(settings, clock, sessions, moved=moved, memory=memory) as devices:
        if moved:
            devices.start(devices.meter)
        for candidate in devices.candidates:
            if device not in (None, candidate.id):
                continue
            one = _Examination(candidate, devices, settings, clock, move=candidate.id in moved)
            async with aclosing(one.lines()) as lines:
                async for line in lines:
                    tell(line)


def movable(settings: SiteSettings, device: str | None) -> list[str]:
    """Which of the devices to be checked can be moved by a trial.

    Raises:
        ConfigError: there is no such device.
    """
    takers = [one.id for one in (*settings.batteries, *settings.pv)]
    others = [one.id for one in settings.sensors]
    others += [one.id for one in settings.chargers if isinstance(one, ProfileChargerSettings)]
    if device not in (None, METER_ID, *takers, *others):
        there = ", ".join((METER_ID, *takers, *others))
        raise ConfigError(f"no device {device!r} in the settings; there are {there}")
    return [one for one in takers if device in (None, one)]


class _Examination:
    """One device."""

    def __init__(
        self,
        candidate: Candidate,
        devices: Yard,
        site: SiteSettings,
        clock: Clock,
        *,
        move: bool,
    ) -> None:
        self._candidate = candidate
        self._devices = devices
        self._site = site
        self._move = move
        self._clock = clock
        self._judge = Judge(candidate.id)
        self._took_s = 0.0

    async def lines(self) -> AsyncGenerator[Line, None]:
        """Every step; those that need an earlier one are left out when that fails."""
        link = self._candidate.link
        if link is not None:
            found = await self._identify(link)
            if isinstance(found, Line):
                yield found
                return
            for line in self._of_registers(found):
                yield line
        self._devices.start(self._candidate)
        if not await looks.first_word(self._candidate, self._clock):
            yield self._speechless()
            return
        for line in self._of_values(await looks.watch(self._candidate, self._clock)):
            yield line
        if self._candidate.nature in (Nature.BATTERY, Nature.PV):
            async with aclosing(self._setpoints()) as steps:
                async for line in steps:
                    yield line

    # --- who it is --------------------------------------------------------------------------------

    async def _identify(self, link: RegisterLink) -> Found | Line:
        unit = unit_of(self._candidate.settings)
        begun_s = self._clock.monotonic()
        try:
            found = await meet(link, unit, self._clock, self._surveys())
        except NobodyThereError as error:
            return self._judge.fail("reach", error.trouble.what, error.trouble.hint)
        except ProtocolError as error:
            return self._judge.fail(
                "identity",
                f"unit {unit} at {link.settings.where} answers, but {error}",
                "`gridyard device probe` shows what it is",
            )
        self._took_s = self._clock.monotonic() - begun_s
        return found

    def _surveys(self) -> Sequence[Survey]:
        profile = getattr(self._candidate.settings, "profile", None)
        if profile is None:
            return (sunspec_survey.survey,)
        return (survey_by(find(profile), self._clock),)

    def _of_registers(self, found: Found) -> Sequence[Line]:
        link = self._candidate.link
        where = "" if link is None else f"{link.settings.where} unit {found.unit} "
        lines = [
            self._judge.ok("reach", f"{where}answers; read whole in {self._took_s:.1f} s"),
            *looks.identity(self._judge, self._candidate, found),
        ]
        if found.profile is None:
            lines.append(looks.scale_factors(self._judge, found))
        return [*lines, *looks.ratings(self._judge, self._candidate, found)]

    # --- what it says -----------------------------------------------------------------------------

    def _speechless(self) -> Line:
        if isinstance(self._candidate.settings, MqttDeviceSettings):
            hint = (
                "is the device connected to the broker with its login, and does it publish to its "
                "topics?"
            )
        elif self._candidate.link is not None:
            hint = "its registers answer, but hold no power: `gridyard device watch` shows them"
        else:
            hint = "is its bus connected, at the right speed, and the device's address right?"
        return self._judge.fail("points", f"nothing usable within {looks.FIRST_S:.0f} s", hint)

    def _of_values(self, watched: looks.Watched) -> Sequence[Line]:
        judge, candidate, site = self._judge, self._candidate, self._site
        of_meter = candidate.nature is Nature.METER
        shown_later = self._move and candidate.nature is Nature.BATTERY
        maybe = (
            *looks.points(judge, candidate, watched),
            looks.plausible(judge, candidate, watched, site),
            looks.phases(judge, watched, site) if of_meter else None,
            None if shown_later else looks.sign(judge, candidate, watched, site),
            looks.moves(judge, candidate, watched),
            looks.period(judge, candidate, watched),
        )
        return [line for line in maybe if line is not None]

    # --- what it does -----------------------------------------------------------------------------

    async def _setpoints(self) -> AsyncGenerator[Line, None]:
        if not self._move:
            yield self._untried()
            return
        trial = trials.run(self._judge, self._trial(), self._clock, self._meter_w)
        async with aclosing(trial) as steps:
            async for line in steps:
                yield line

    def _untried(self) -> Line:
        lapse = self._candidate.settings.lapse.value
        return self._judge.warn(
            "setpoint",
            f"not tried; the settings say lapse: {lapse}",
            "`gridyard device check SITE.yaml DEVICE --write` moves it a little and proves that it "
            "obeys and lapses",
        )

    def _trial(self) -> Trial:
        device = self._candidate.device
        if self._candidate.nature is Nature.BATTERY:
            return BatteryTrial(self._candidate, cast(Battery, device), self._clock, self._room_w)
        return PvTrial(self._candidate, cast(PvInverter, device), self._clock, self._room_w)

    def _meter_w(self) -> float | None:
        reading = self._devices.meter.readings(self._clock.now())["active_power"]
        return reading.value if reading.quality.usable else None

    def _room_w(self) -> float | None:
        """How much more may be imported, by the meter's power and its fullest phase."""
        said, site = self._devices.meter.readings(self._clock.now()), self._site
        power_w = self._meter_w()
        if power_w is None:
            return None
        currents = [said[f"current_l{n}"] for n in (1, 2, 3)]
        known = [one.value for one in currents if one.quality.usable and one.value is not None]
        fullest_a = max(known, default=power_w / site.voltage_v)  # else all on one phase
        by_phase_w = 3 * (site.circuit.limit_a - fullest_a) * site.voltage_v
        return min(site.contract_limit_w - power_w, by_phase_w)
