"""The steps of the checklist that need no vehicle: what a charger is, tells and can be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from contracts.errors import GridyardError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.operate.steps import (
    Step,
    Verdict,
    failed,
    not_tried,
    passed,
    said,
    seen,
)
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Trigger
from site_agent.devices.ocpp.versions.words import Reset
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.domain.device import ChargerState

_NEWS_S = 30.0
_REBOOT_S = 300.0
_TOLD_AGAIN_S = 60.0
_TOLERANCE_A = 1.0
_WRONG_CLOCK = timedelta(seconds=60)


class Checks:
    """Each method is one step; those that ask the charger take its connection."""

    def __init__(
        self, station: Station, number: int, clock: Clock, *, profile: Profile, tls: bool
    ) -> None:
        self._station = station
        self._number = number
        self._evse: OcppCharger = station.evses[number]
        self._clock = clock
        self._profile = profile
        self._tls = tls

    # --- who it is --------------------------------------------------------------------------------

    def identity(self) -> Step:
        """It has said who it is."""
        plate = self._station.nameplate
        if plate is None:
            return failed(
                "identity", "it has not introduced itself", "restart the charger; see `trace`"
            )
        firmware = plate.firmware or "firmware not told"
        return passed("identity", f"{plate.vendor} {plate.model}, {firmware}")

    def security(self) -> Step:
        """How it proves who it is."""
        if self._tls and self._profile is Profile.TLS_CERTIFICATE:
            return passed("security", "TLS and a certificate of its own (profile 3)")
        if self._station.config.password is None:
            return failed(
                "security",
                "profile 0: anyone on its network can pose as this charger",
                "set `password` in the settings and the same one in the charger",
            )
        if self._tls:
            return passed("security", "TLS and a password (profile 2)")
        return Step(
            step="security",
            verdict=Verdict.PASS,
            detail="profile 1: a password, but no TLS",
            hint="keep the chargers on a network of their own, or set `ocpp.cert` and `ocpp.key`",
        )

    # --- what it tells ----------------------------------------------------------------------------

    async def settings(self, link: Link) -> Step:
        """They can be read."""
        found = await self._read(link)
        if not found:
            return failed(
                "settings", "none can be read", "limits are then tried form by form; see `show`"
            )
        return passed("settings", f"{len(found)} of those that matter can be read")

    async def _read(self, link: Link) -> dict[str, str]:
        return link.dialect.settings(await self._command(link.dialect.read_settings()))

    async def sampling(self, link: Link) -> Step:
        """It has taken our heartbeat, sampling interval and measurands."""
        timing, found = self._station.timing, await self._read(link)
        wanting = link.dialect.changes(found, timing.meter_interval_s, timing.heartbeat_s)
        if not wanting:
            return passed(
                "sampling", f"heartbeat, interval {timing.meter_interval_s} s, measurands"
            )
        kept = "; ".join(str(dict(ways[0].payload))[:120] for ways in wanting)
        return failed(
            "sampling",
            f"it has not taken: {kept}",
            "set it at the charger, or set `ocpp.meter_interval_s` to what the charger can do",
        )

    async def measurands(self, link: Link) -> Step:
        """It measures what control needs, and tells it on request."""
        asked = self._clock.now()
        await self._command(link.dialect.trigger(Trigger.METER, self._number))

        def told(state: ChargerState) -> bool:
            return state.power_w.quality.usable and state.power_w.at >= asked - timedelta(seconds=5)

        state = await self._seen(told, _NEWS_S)
        if state is None:
            return failed(
                "measurands",
                f"no power or energy within {_NEWS_S:.0f} s of asking for it",
                "enable Power.Active.Import or Energy.Active.Import.Register in the charger",
            )
        current = "and current" if state.current_a.quality.usable else "but no current"
        return passed("measurands", f"power {current} measured")

    def clock_right(self) -> Step:
        """Its clock is right enough."""
        behind = self._evse.clock_behind
        if abs(behind) > _WRONG_CLOCK:
            way = "behind" if behind > timedelta() else "ahead"
            return failed(
                "clock",
                f"{abs(behind).total_seconds():.0f} s {way}",
                "give the charger a time server; limits are corrected for it, its logs are not",
            )
        return passed("clock", f"within {_WRONG_CLOCK.total_seconds():.0f} s of ours")

    # --- charging profiles ------------------------------------------------------------------------

    def smart_charging(self, link: Link) -> Step:
        """What it says it can do."""
        can = link.capabilities
        units = ",".join(unit.value for unit in can.units)
        told = f"unit {units}, highest stack level {said(can.max_stack_level)}, "
        told += f"periods {said(can.max_periods)}, profiles {said(can.max_profiles)}"
        if can.max_stack_level is None and can.max_periods is None:
            return Step(
                step="smart charging",
                verdict=Verdict.NOT_TRIED,
                detail="it does not say what it can do",
                hint="what it accepts is learnt by trying",
            )
        return passed("smart charging", told)

    def resting(self) -> Step:
        """The fail-safe share is there."""
        share_a, rests_a = self._evse.spec.fail_safe_current_a, self._evse.steering.resting.share_a
        if rests_a is None:
            return failed(
                "resting share",
                f"it refuses {share_a:g} A as TxDefaultProfile in every form",
                "without it the charger is not safe when the agent dies: update its firmware, or "
                "limit it at the charger and set `max_current_a` to that",
            )
        if rests_a > share_a:
            return failed(
                "resting share",
                f"it takes {rests_a:g} A, not {share_a:g} A",
                "set `fail_safe_current_a` to what it takes",
            )
        return passed("resting share", f"{rests_a:g} A accepted as TxDefaultProfile")

    async def composite(self, link: Link) -> Step:
        """What it will allow in the end is no more than the fail-safe share."""
        spec, dialect = self._evse.spec, link.dialect
        answer = await self._command(dialect.ask_composite(self._number, 24 * 3600))
        told = dialect.composite(answer, phases=len(spec.phases), voltage_v=spec.voltage_v)
        if told is None:
            return not_tried("composite schedule", "it does not tell; the meter will judge it")
        last_a = told.periods[-1].limit_a
        if last_a > spec.fail_safe_current_a + _TOLERANCE_A:
            return failed(
                "composite schedule",
                f"it ends at {last_a:g} A, the fail-safe share is {spec.fail_safe_current_a:g} A",
                "another system's profile may be in it: clear it there, or look with `composite`",
            )
        return passed("composite schedule", f"ends at {last_a:g} A, told in {told.unit.value}")

    # --- what it can be told ----------------------------------------------------------------------

    async def trigger(self, link: Link) -> Step:
        """It tells its state on request."""
        answer = await self._command(link.dialect.trigger(Trigger.STATUS, self._number))
        if link.dialect.accepted(answer):
            return passed("remote trigger", "StatusNotification on request")
        return failed(
            "remote trigger",
            f"answered {answer.get('status')}",
            "after a restart of the agent the charger's state is known only when it changes",
        )

    async def local_list(self, link: Link) -> Step:
        """It can hold a list of cards."""
        version = link.dialect.list_version(await self._command(link.dialect.ask_list_version()))
        if version is None:
            return not_tried("local list", "it has none; vehicles start only while connected")
        return passed("local list", f"version {version}")

    def spikes(self) -> Step:
        """It, or its kind, has been seen to spike."""
        spec = self._evse.spec
        return failed(
            "spikes",
            f"it draws up to {spec.max_current_a:g} A for some seconds at every update (a spike)",
            f"keep {spec.max_current_a - spec.min_current_a:g} A free at the fuse, or ask its maker"
            " for a firmware without; of such chargers one of the site is raised at a time",
        )

    # --- a restart --------------------------------------------------------------------------------

    async def rebooted(self, link: Link) -> Step:
        """It restarts at once, comes back, and takes its fail-safe share again."""
        generation = self._station.generation
        answer = await self._command(link.dialect.reset(Reset.HARD))
        if not link.dialect.accepted(answer):
            return failed("reboot", f"answered {answer.get('status')}", "look at the charger")
        begun = self._clock.now()

        def back(_: ChargerState) -> bool:
            now = self._station.link
            return self._station.generation > generation and now is not None and now.ready

        if await self._seen(back, _REBOOT_S) is None:
            return failed("reboot", f"not back within {_REBOOT_S:.0f} s", "look at the charger")
        took_s = (self._clock.now() - begun).total_seconds()
        state = await self._seen(lambda s: s.confirmed_limit_a is not None, _TOLD_AGAIN_S)
        if state is None:
            return failed("reboot", "back, but it has no limit", "see `trace`")
        return passed("reboot", f"back within {took_s:.0f} s, its fail-safe share told again")

    # --- inside -----------------------------------------------------------------------------------

    async def _command(self, request: Request) -> dict[str, object]:
        return dict(await self._station.command(request))

    async def _seen(
        self, condition: Callable[[ChargerState], bool], within_s: float
    ) -> ChargerState | None:
        return await seen(self._evse, self._clock, condition, within_s)


async def tried(name: str, step: Callable[[Link], Awaitable[Step]], link: Link) -> Step:
    """A step that asks the charger: no answer, or a refusal, fails it."""
    try:
        return await step(link)
    except GridyardError as error:
        return failed(name, str(error), "look at `trace` for what was said")
