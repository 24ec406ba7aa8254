"""Demand response and load control (IEEE 2030.5-2018, 10.3): load events to our grid events.

One `EndDeviceControl` asks each device it reaches; our event asks all their sites together, so a
reduction in W counts once for every device, and the random start is drawn once for all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from contracts.sep2.codes import EventState, ResponseStatus
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import (
    DemandResponseProgram,
    DemandResponseProgramList,
    EndDeviceControl,
    EndDeviceControlList,
    TargetReduction,
)
from contracts.series import StepSeries
from contracts.time import Clock
from gateway.domain.event import EventSource, GridEvent, Opt, Signal, SignalKind
from gateway.ports import EventIntake
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.event_answers import EventAnswers, effective
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.view import DeviceView, ServerView

_log = structlog.get_logger(__name__)
_KWH, _KW, _W = 0, 1, 2
_KILO = 1000.0
_LEVELS = 3
_HOUR = timedelta(hours=1)
_PERCENT, _HUNDREDTHS = 100, 10_000
_OFF = (
    EventState.CANCELLED,
    EventState.CANCELLED_WITH_RANDOMIZATION,
    EventState.SUPERSEDED,
)


class UnusableControlError(Exception):
    """A control we must refuse, with the code to answer."""

    def __init__(self, code: ResponseStatus, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A control as last handed in."""

    content: str
    """Digest of what was asked of whom."""
    modification: int
    ends_at: datetime
    taken: bool
    over: bool = False
    """Cancelled or superseded."""


@dataclass(slots=True)
class _Asked:
    """One control with everybody it reaches."""

    control: EndDeviceControl
    program: DemandResponseProgram
    devices: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)


class LoadControl:
    """The load events of one utility; its answers draw their random start with its id."""

    def __init__(
        self,
        settings: Sep2Settings,
        polled: Polled,
        answers: EventAnswers,
        intake: EventIntake,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._polled = polled
        self._answers = answers
        self._intake = intake
        self._memory = memory
        self._clock = clock
        self._difference = Difference()
        self._handed_in: dict[str, HandedIn] = {}
        self._refused: set[str] = set()
        self._gone_is_cancelled = settings.edition == "2023"
        """In 2018 what is no longer listed goes on (10.2.3.3 s), in 2023 it is cancelled."""

    async def restore(self) -> None:
        """Take up what a predecessor has handed in."""
        self._handed_in = await self._memory.all(HandedIn)
        self._answers.restore()

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """Read what is due, hand in what changed, answer.

        Raises:
            TransientError: the server or the store cannot be reached now; call again.
        """
        self._difference.measured(self._clock.now(), server_now)
        unread = self._polled.unread
        asked: dict[str, _Asked] = {}
        listed: dict[str, list[EndDeviceControl]] = {}
        for device in self._settings.devices:
            shown = view.devices.get(device.lfdi)
            if shown is None or not shown.demand_response_programs:
                continue
            controls = listed.setdefault(device.lfdi, [])
            for program, control in await self._read(shown):
                one = asked.setdefault(
                    canonical_mrid(control.mrid), _Asked(control=control, program=program)
                )
                one.devices.append(device.lfdi)
                one.sites += [site for site in device.sites if site not in one.sites]
                controls.append(control)
        complete = self._polled.unread == unread
        refused = {mrid: await self._take(mrid, asked[mrid], server_now) for mrid in sorted(asked)}
        self._refused &= asked.keys()
        for mrid in self._handed_in.keys() - asked.keys():
            await self._gone(mrid, server_now, cancelled=complete and self._gone_is_cancelled)
        codes = {mrid: code for mrid, code in refused.items() if code is not None}
        for lfdi, found in listed.items():
            await self._answers.answer(lfdi, found, codes, server_now, complete=complete)

    async def _read(
        self, shown: DeviceView
    ) -> list[tuple[DemandResponseProgram, EndDeviceControl]]:
        """Every control that concerns a device, the strongest program first."""
        found: list[tuple[DemandResponseProgram, EndDeviceControl]] = []
        for path in shown.demand_response_programs:
            programs = await self._polled.items(path, DemandResponseProgramList)
            for program in programs.items if programs is not None else ():
                at = self._polled.path(program.end_device_control_list_link, path)
                rate = programs.poll_rate if programs is not None else None
                controls = await self._polled.items(at, EndDeviceControlList, rate)
                listed = controls.items if controls is not None else ()
                found += [(program, one) for one in listed if _concerns(shown, one)]
        return sorted(found, key=lambda one: (one[0].primacy, one[1].mrid))

    async def _take(self, mrid: str, asked: _Asked, now: datetime) -> int | None:
        """Hand in a control that is new or changed; the code of its refusal, if it is refused."""
        known = self._handed_in.get(mrid)
        off = asked.control.event_status.current_status in _OFF
        ends_at = asked.control.interval.window.end or now
        if known is None and (off or ends_at <= now):
            return None  # it was over before we saw it: answered, not handed in
        try:
            event = self._event(mrid, asked, known)
        except UnusableControlError as error:
            if mrid not in self._refused:
                key = f"{self._settings.utility_id}/{mrid}"
                await self._intake.note(key, f"refused, code {int(error.code)}", str(error))
                self._refused.add(mrid)
                _log.warning("sep2_load_control_refused", mrid=mrid, why=str(error))
            return int(error.code)
        content = repr((asked.devices, asked.control.interval, event.program_id))
        content += repr([(one.kind, one.series.steps[0].value) for one in event.signals])
        if known is None or known.over != off or (known.content != content and not off):
            number = 0 if known is None else known.modification + 1
            event = replace(event, modification=number, cancelled=off)
            decision = (await self._intake.receive([event]))[event.key]
            known = HandedIn(
                content=content,
                modification=number,
                ends_at=ends_at,
                taken=known.taken if known is not None and off else decision.opt is Opt.IN,
                over=off,
            )
            await self._memory.put(mrid, known)
            self._handed_in[mrid] = known
        return None if known.taken else int(ResponseStatus.OPT_OUT)

    async def _gone(self, mrid: str, now: datetime, *, cancelled: bool) -> None:
        """No longer listed: it goes on, or is cancelled by that."""
        known = self._handed_in[mrid]
        if known.ends_at <= now:
            await self._memory.drop(HandedIn, [mrid])
            del self._handed_in[mrid]
        elif cancelled and not known.over:
            cause = "no longer listed by the utility"
            await self._intake.withdraw(f"{self._settings.utility_id}/{mrid}", cause)
            self._handed_in[mrid] = replace(known, over=True)
            await self._memory.put(mrid, self._handed_in[mrid])

    def _event(self, mrid: str, asked: _Asked, known: HandedIn | None) -> GridEvent:
        control, program = asked.control, asked.program
        window = self._difference.ours(effective(control, self._settings.utility_id))
        if window.end is None or window.end <= window.start:
            raise UnusableControlError(ResponseStatus.INVALID, "it lasts no time")
        kind, value = meaning(control, len(asked.devices))
        return GridEvent(
            utility_id=self._settings.utility_id,
            event_id=mrid,
            modification=0 if known is None else known.modification,
            program_id=program.description or program.canonical_mrid,
            created_at=self._difference.ours_at(control.creation_time),
            window=window,
            signals=(Signal(kind=kind, series=StepSeries.of([(window, value)])),),
            priority=program.primacy + 1,
            targets=tuple(sorted(asked.sites)),
            comment=control.description or "",
            source=EventSource.SEP2,
        )


def meaning(control: EndDeviceControl, devices: int) -> tuple[SignalKind, float]:
    """What a control asks of so many devices together: W of load, or a level.

    A duty cycle and a load offset ask for a part of the load; the level that is at least as much is
    taken: a third, two thirds, everything.

    Raises:
        UnusableControlError: 252, it is for thermostats or appliances, or asks for more load;
            253, a value out of range.
    """
    if control.load_shift_forward:
        raise _not_applicable("it asks for more consumption")
    if control.target_reduction is not None:
        watts = _reduction_w(control.target_reduction, control.interval.duration)
        return SignalKind.DELTA_W, 0.0 - watts * devices
    if control.duty_cycle is not None:
        on = control.duty_cycle.normal_value
        return SignalKind.LEVEL, _level(_PERCENT - on, _PERCENT)
    offset = control.offset
    if offset is not None and offset.load_adjustment_percentage_offset is not None:
        return SignalKind.LEVEL, _level(offset.load_adjustment_percentage_offset, _HUNDREDTHS)
    raise _not_applicable("it names nothing a depot can do")


def _reduction_w(target: TargetReduction, duration: timedelta) -> float:
    if target.type == _W:
        return float(target.value)
    if target.type == _KW:
        return target.value * _KILO
    if target.type != _KWH:
        raise _not_applicable(f"a target reduction of type {target.type}")
    if not duration:
        raise UnusableControlError(ResponseStatus.INVALID, "energy over no time")
    return target.value * _KILO * (_HOUR / duration)


def _level(part: int, whole: int) -> float:
    if not 0 <= part <= whole:
        raise UnusableControlError(ResponseStatus.INVALID, f"{part} of {whole} is no part")
    return float(math.ceil(part * _LEVELS / whole))


def _not_applicable(reason: str) -> UnusableControlError:
    return UnusableControlError(ResponseStatus.NOT_APPLICABLE, reason)


def _concerns(shown: DeviceView, control: EndDeviceControl) -> bool:
    ours, theirs = shown.end_device.device_category, control.device_category
    return not ours or not theirs or bool(ours & theirs)
