"""The commissioning checklist, run on a real charger through the agent that will control it.

Every step tells PASS, FAIL or NOT TRIED and what to do. Nothing here allows more current than the
control loop does; what is lowered for a step is given back after it.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.errors import GridyardError
from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Trigger
from site_agent.devices.ocpp.versions.words import Reset
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.domain.device import ChargerSetpoint, ChargerState

_FOLLOWS_S = 60.0
"""How long a charger may take to follow a limit; longer counts as not following."""
_NEWS_S = 30.0
_REBOOT_S = 300.0
_LOOK_S = 0.5
_TOLERANCE_A = 1.0
_TOLERANCE_SHARE = 0.05
_STILL_A = 1.0
_WRONG_CLOCK = timedelta(seconds=60)
_ROOM_A = 2.0
"""A vehicle must draw this much above the minimum for a lower limit to show."""


class Verdict(StrEnum):
    """How a step went."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    NOT_TRIED = "NOT TRIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the checklist."""

    step: str
    verdict: Verdict
    detail: str
    hint: str = ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


class CheckIn:
    """Checks one EVSE. `tls`: the server speaks `wss`; `reboot`: the charger may be restarted."""

    def __init__(
        self, station: Station, number: int, clock: Clock, *, tls: bool, reboot: bool
    ) -> None:
        self._station = station
        self._number = number
        self._evse: OcppCharger = station.evses[number]
        self._clock = clock
        self._tls = tls
        self._reboot = reboot

    async def run(self) -> AsyncGenerator[Step, None]:
        """Every step, in order; the first one decides whether there is anything to check."""
        link = self._station.link
        if link is None or not link.ready:
            yield _fail(
                "connected",
                "the charger is not connected" if link is None else "it has only just connected",
                "check its central system URL, its id and its password; the agent's log names "
                "every charger it refuses",
            )
            return
        yield _pass("connected", f"since {self._station.trace.connected_at:%Y-%m-%d %H:%M:%SZ}")
        yield self._identity()
        yield self._security()
        yield _pass("version", link.dialect.version.value)
        yield await self._tried("settings", self._settings, link)
        yield await self._tried("sampling", self._sampling, link)
        yield await self._tried("measurands", self._measurands, link)
        yield self._clock_right()
        yield self._smart_charging(link)
        yield self._resting()
        yield await self._tried("composite schedule", self._composite, link)
        yield await self._tried("remote trigger", self._trigger, link)
        yield await self._tried("local list", self._local_list, link)
        async for step in self._with_a_vehicle():
            yield step
        yield await self._tried("reboot", self._rebooted, link)

    # --- who it is --------------------------------------------------------------------------------

    def _identity(self) -> Step:
        plate = self._station.nameplate
        if plate is None:
            return _fail(
                "identity", "it has not introduced itself", "restart the charger; see `trace`"
            )
        firmware = plate.firmware or "firmware not told"
        return _pass("identity", f"{plate.vendor} {plate.model}, {firmware}")

    def _security(self) -> Step:
        has_password = self._station.config.password is not None
        if not has_password:
            return _fail(
                "security",
                "profile 0: anyone on its network can pose as this charger",
                "set `password` in the settings and the same one in the charger",
            )
        if self._tls:
            return _pass("security", "TLS and a password (profile 2 or 3)")
        return Step(
            step="security",
            verdict=Verdict.PASS,
            detail="profile 1: a password, but no TLS",
            hint="keep the chargers on a network of their own, or set `ocpp.cert` and `ocpp.key`",
        )

    # --- what it tells ----------------------------------------------------------------------------

    async def _settings(self, link: Link) -> Step:
        found = await self._read(link)
        if not found:
            return _fail(
                "settings", "none can be read", "limits are then tried form by form; see `show`"
            )
        return _pass("settings", f"{len(found)} of those that matter can be read")

    async def _read(self, link: Link) -> dict[str, str]:
        return link.dialect.settings(await self._command(link.dialect.read_settings()))

    async def _sampling(self, link: Link) -> Step:
        timing, found = self._station.timing, await self._read(link)
        wanting = link.dialect.changes(found, timing.meter_interval_s, timing.heartbeat_s)
        if not wanting:
            return _pass("sampling", f"heartbeat, interval {timing.meter_interval_s} s, measurands")
        kept = "; ".join(str(dict(ways[0].payload))[:120] for ways in wanting)
        return _fail(
            "sampling",
            f"it has not taken: {kept}",
            "set it at the charger, or set `ocpp.meter_interval_s` to what the charger can do",
        )

    async def _measurands(self, link: Link) -> Step:
        asked = self._clock.now()
        await self._command(link.dialect.trigger(Trigger.METER, self._number))

        def told(state: ChargerState) -> bool:
            return _good(state.power_w.quality) and state.power_w.at >= asked - timedelta(seconds=5)

        state = await self._seen(told, _NEWS_S)
        if state is None:
            return _fail(
                "measurands",
                "no power or energy within 30 s of asking for it",
                "enable Power.Active.Import or Energy.Active.Import.Register in the charger",
            )
        current = "and current" if _good(state.current_a.quality) else "but no current"
        return _pass("measurands", f"power {current} measured")

    def _clock_right(self) -> Step:
        behind = self._evse.clock_behind
        if abs(behind) > _WRONG_CLOCK:
            way = "behind" if behind > timedelta() else "ahead"
            return _fail(
                "clock",
                f"{abs(behind).total_seconds():.0f} s {way}",
                "give the charger a time server; limits are corrected for it, its logs are not",
            )
        return _pass("clock", f"within {_WRONG_CLOCK.total_seconds():.0f} s of ours")

    # --- charging profiles ------------------------------------------------------------------------

    def _smart_charging(self, link: Link) -> Step:
        can = link.capabilities
        units = ",".join(unit.value for unit in can.units)
        told = f"unit {units}, highest stack level {_said(can.max_stack_level)}, "
        told += f"periods {_said(can.max_periods)}, profiles {_said(can.max_profiles)}"
        if can.max_stack_level is None and can.max_periods is None:
            return Step(
                step="smart charging",
                verdict=Verdict.NOT_TRIED,
                detail="it does not say what it can do",
                hint="what it accepts is learnt by trying",
            )
        return _pass("smart charging", told)

    def _resting(self) -> Step:
        state, spec = self._state(), self._evse.spec
        if state.transaction_id is not None:
            return _not_tried("resting share", "a transaction runs; end it and check in again")
        if state.confirmed_limit_a is None:
            return _fail(
                "resting share",
                f"it refuses {spec.fail_safe_current_a:g} A as TxDefaultProfile in every form",
                "without it the charger is not safe when the agent dies: update its firmware, or "
                "limit it at the charger and set `max_current_a` to that",
            )
        if state.confirmed_limit_a > spec.fail_safe_current_a:
            return _fail(
                "resting share",
                f"it takes {state.confirmed_limit_a:g} A, not {spec.fail_safe_current_a:g} A",
                "set `fail_safe_current_a` to what it takes",
            )
        return _pass("resting share", f"{state.confirmed_limit_a:g} A accepted")

    async def _composite(self, link: Link) -> Step:
        spec, dialect = self._evse.spec, link.dialect
        answer = await self._command(dialect.ask_composite(self._number, 24 * 3600))
        told = dialect.composite(answer, phases=len(spec.phases), voltage_v=spec.voltage_v)
        if told is None:
            return _not_tried("composite schedule", "it does not tell; the meter will judge it")
        last_a = told.periods[-1].limit_a
        if last_a > spec.fail_safe_current_a + _TOLERANCE_A:
            return _fail(
                "composite schedule",
                f"it ends at {last_a:g} A, the fail-safe share is {spec.fail_safe_current_a:g} A",
                "another system's profile may be in it: clear it there, or look with `composite`",
            )
        return _pass("composite schedule", f"ends at {last_a:g} A, told in {told.unit.value}")

    # --- what it can be told ----------------------------------------------------------------------

    async def _trigger(self, link: Link) -> Step:
        answer = await self._command(link.dialect.trigger(Trigger.STATUS, self._number))
        if link.dialect.accepted(answer):
            return _pass("remote trigger", "StatusNotification on request")
        return _fail(
            "remote trigger",
            f"answered {answer.get('status')}",
            "after a restart of the agent the charger's state is known only when it changes",
        )

    async def _local_list(self, link: Link) -> Step:
        version = link.dialect.list_version(await self._command(link.dialect.ask_list_version()))
        if version is None:
            return _not_tried("local list", "it has none; vehicles start only while connected")
        return _pass("local list", f"version {version}")

    # --- with a vehicle ---------------------------------------------------------------------------

    async def _with_a_vehicle(self) -> AsyncIterator[Step]:
        steps = ("phases", "limit followed", "0 A taken", "resumes", "lapse")
        state = await self._seen(lambda s: _drawn(s) > _STILL_A, _NEWS_S)
        if self._state().transaction_id is None or state is None:
            why = "plug in a vehicle that charges, and check in again"
            for name in steps:
                yield _not_tried(name, why)
            return
        yield self._phases(state)
        yield await self._followed(_drawn(state))
        async with self._trying(0.0):
            yield await self._paused()
        yield await self._resumes()
        yield await self._lapses()

    def _phases(self, state: ChargerState) -> Step:
        used, wired = state.phases_used, len(self._evse.spec.phases)
        if used is None:
            return _not_tried("phases", "it does not measure current phase by phase")
        if used > wired:
            return _fail("phases", f"draws on {used}, the settings say {wired}", "correct `phases`")
        return _pass("phases", f"draws on {used} of {wired}")

    async def _followed(self, drawn_a: float) -> Step:
        floor_a = self._evse.spec.min_current_a
        if drawn_a < floor_a + _ROOM_A:
            return _not_tried(
                "limit followed", f"the vehicle draws {drawn_a:.1f} A, too little to show it"
            )
        limit_a = float(max(math.ceil(floor_a), math.floor(drawn_a / 2)))
        async with self._trying(limit_a) as begun:
            state = await self._seen(lambda s: _keeps(s, limit_a, begun), _FOLLOWS_S)
            took_s = (self._clock.now() - begun).total_seconds()
        if state is None:
            return _fail(
                "limit followed",
                f"{limit_a:g} A accepted, {_drawn(self._state()):.1f} A drawn after 60 s",
                "the agent counts this charger at what it draws; update its firmware",
            )
        return _pass("limit followed", f"{drawn_a:.1f} A to {limit_a:g} A within {took_s:.0f} s")

    async def _paused(self) -> Step:
        begun = self._clock.now()
        state = await self._seen(lambda s: _keeps(s, 0.0, begun), _FOLLOWS_S)
        if not self._state().pausable:
            return _fail(
                "0 A taken",
                f"it takes {self._evse.spec.min_current_a:g} A instead of 0 A",
                "it cannot be paused; the agent plans for that",
            )
        if state is None:
            return _fail("0 A taken", "it goes on charging", "the agent counts what it draws")
        return _pass("0 A taken", f"stopped in {(self._clock.now() - begun).total_seconds():.0f} s")

    async def _resumes(self) -> Step:
        if await self._seen(lambda s: _drawn(s) > _STILL_A, _FOLLOWS_S) is not None:
            return _pass("resumes", "charges again after the pause")
        if not self._evse.asked_a:
            return _not_tried("resumes", "the control loop asks for 0 A")
        return _fail("resumes", "does not charge again", "avoid 0 A: see how-to, stuck vehicles")

    async def _lapses(self) -> Step:
        return _not_tried("lapse", "this agent has no probe for it")

    # --- a restart --------------------------------------------------------------------------------

    async def _rebooted(self, link: Link) -> Step:
        if not self._reboot:
            return _not_tried("reboot", "say --reboot to restart the charger")
        generation = self._station.generation
        answer = await self._command(link.dialect.reset(Reset.SOFT, None))
        if not link.dialect.accepted(answer):
            return _fail("reboot", f"answered {answer.get('status')}", "end its transactions first")
        begun = self._clock.now()

        def back(_: ChargerState) -> bool:
            now = self._station.link
            return self._station.generation > generation and now is not None and now.ready

        if await self._seen(back, _REBOOT_S) is None:
            return _fail("reboot", "not back within 300 s", "look at the charger")
        took_s = (self._clock.now() - begun).total_seconds()
        state = await self._seen(lambda s: s.confirmed_limit_a is not None, _FOLLOWS_S)
        if state is None:
            return _fail("reboot", "back, but it has no limit", "see `trace`")
        return _pass("reboot", f"back within {took_s:.0f} s, its fail-safe share told again")

    # --- inside -----------------------------------------------------------------------------------

    def _state(self) -> ChargerState:
        return self._evse.state(self._clock.now())

    async def _command(self, request: Request) -> dict[str, object]:
        return dict(await self._station.command(request))

    async def _tried(self, name: str, step: Callable[[Link], Awaitable[Step]], link: Link) -> Step:
        """A step that asks the charger: no answer, or a refusal, fails it."""
        try:
            return await step(link)
        except GridyardError as error:
            return _fail(name, str(error), "look at `trace` for what was said")

    async def _seen(
        self, condition: Callable[[ChargerState], bool], within_s: float
    ) -> ChargerState | None:
        """The first state that fulfils a condition; None when there is none in time."""
        until = self._clock.now() + timedelta(seconds=within_s)
        while not condition(state := self._state()):
            if self._clock.now() >= until:
                return None
            await self._clock.sleep(_LOOK_S)
        return state

    @asynccontextmanager
    async def _trying(self, limit_a: float) -> AsyncIterator[datetime]:
        """Hold a lower limit meanwhile; when it was told."""
        self._evse.trial_a = limit_a
        try:
            await self._ask()
            yield self._clock.now()
        finally:
            self._evse.trial_a = None
            await self._ask()

    async def _ask(self) -> None:
        """Tell the charger now what the control loop has asked for last, or the trial."""
        asked_a = self._evse.asked_a
        spec = self._evse.spec
        setpoint = ChargerSetpoint(
            evse_id=spec.evse_id,
            limit_a=spec.fail_safe_current_a if asked_a is None else asked_a,
            cause="check-in",
        )
        try:
            await self._evse.set_limit(setpoint)
        except GridyardError:
            return  # the steps see by the meter what comes of it; the control loop asks again


def _pass(step: str, detail: str) -> Step:
    return Step(step=step, verdict=Verdict.PASS, detail=detail)


def _fail(step: str, detail: str, hint: str) -> Step:
    return Step(step=step, verdict=Verdict.FAIL, detail=detail, hint=hint)


def _not_tried(step: str, why: str) -> Step:
    return Step(step=step, verdict=Verdict.NOT_TRIED, detail=why)


def _said(value: int | None) -> str:
    return "not told" if value is None else str(value)


def _good(quality: Quality) -> bool:
    return quality in (Quality.GOOD, Quality.ESTIMATED)


def _drawn(state: ChargerState) -> float:
    """A per phase, from power where current is not measured."""
    spec = state.spec
    if _good(state.current_a.quality) and state.current_a.value is not None:
        return state.current_a.value
    power_w = state.power_w.value if _good(state.power_w.quality) else None
    phases = state.phases_used or len(spec.phases)
    return 0.0 if power_w is None else power_w / (phases * spec.voltage_v)


def _keeps(state: ChargerState, limit_a: float, since: datetime) -> bool:
    """Whether a sample taken since then is within the limit."""
    sampled = max(state.current_a.at, state.power_w.at)
    most_a = limit_a + max(_TOLERANCE_A, _TOLERANCE_SHARE * limit_a)
    return sampled > since and _drawn(state) <= most_a
