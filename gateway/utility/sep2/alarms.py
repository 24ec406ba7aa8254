"""Alarms as LogEvents: one when it is raised, one when it is over (CSIP v2.1 G31, G32, P45)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from contracts.sep2.codes import IEEE_2030_5_PEN, IEEE_2030_5_PROFILE, DerAlarm, FunctionSet
from contracts.sep2.resources import LogEvent
from contracts.site_link.messages import Notice
from contracts.time import Clock, Interval
from gateway.ports import SiteStates
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.memory import from_json, to_json
from gateway.utility.sep2.outbox import Message, Sep2Outbox
from gateway.utility.sep2.settings import DeviceSettings, Scope, Sep2Settings
from gateway.utility.sep2.view import ServerView

_log = structlog.get_logger(__name__)
LANES = "log/"
"""Lanes of the outbox that hold alarms, by LFDI."""
LOOK_BACK = timedelta(hours=24)
"""A site that was cut off tells old notices late; older ones than this are not passed on."""
RECENT = timedelta(minutes=10)
LOOK_BACK_EVERY = timedelta(minutes=5)
GENERAL_SOFTWARE = 1
"""`LogEvent.log_event_code` of `FunctionSet.GENERAL`."""
_DETAILS = 32
_EVENT_IDS = 1 << 16

DER_ALARMS: Mapping[str, DerAlarm] = {"limit-not-obeyed": DerAlarm.OVER_CURRENT}
"""Notice codes of sites that mean an alarm of the standard; others are general events.

Sites notice no electrical faults; a device beyond its limit is the one that comes near one.
"""
PRIVATE = frozenset({"departure-at-risk"})
"""What concerns the fleet's owner and no utility."""
_PARTS: Mapping[str, frozenset[Scope]] = {
    "charger-offline": frozenset({"site", "load"}),
    "battery-offline": frozenset({"site", "storage"}),
    "pv-offline": frozenset({"site", "generation"}),
}
"""Of which EndDevices a notice tells; the others concern all of a site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarmed:
    """What must be remembered of one EndDevice's alarms."""

    since: datetime
    """Nothing before is told."""
    next_id: int = 0
    raised: tuple[str, ...] = ()
    """`site|code|subject` of alarms told and not over."""
    told: Mapping[str, datetime] = field(default_factory=dict)
    """When notices passed on within `LOOK_BACK` were made, by fingerprint."""


class Alarms:
    """Every alarm of one utility's devices."""

    def __init__(
        self,
        settings: Sep2Settings,
        states: SiteStates,
        outbox: Sep2Outbox,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._states = states
        self._outbox = outbox
        self._clock = clock
        self._alarmed: dict[str, Alarmed] = {}
        self._difference = Difference()
        self._looked_back_at: datetime | None = None

    def restore(self) -> None:
        """Take up what a predecessor told; the outbox has been restored before."""
        for lane, state in self._outbox.states().items():
            if lane.startswith(LANES):
                try:
                    self._alarmed[lane.removeprefix(LANES)] = from_json(Alarmed, state)
                except ValueError as error:
                    _log.error("sep2_alarms_unreadable", lane=lane, error=str(error))

    def standing(self, lfdi: str) -> frozenset[DerAlarm]:
        """Alarms of the standard that are raised at a device."""
        raised = self._alarmed[lfdi].raised if lfdi in self._alarmed else ()
        codes = (DER_ALARMS.get(key.split("|")[1]) for key in raised)
        return frozenset(code for code in codes if code is not None)

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """Pass on what was raised or is over, to devices whose server keeps LogEvents.

        Raises:
            TransientError: it could not be stored now; call again.
        """
        now = self._clock.now()
        self._difference.measured(now, server_now)
        last = self._looked_back_at
        far = last is None or now - last >= LOOK_BACK_EVERY
        window = Interval(start=now - (LOOK_BACK if far else RECENT), end=now + RECENT)
        notices = await self._states.notices(window)
        by_site: dict[str, list[Notice]] = {}
        for site_id, notice in notices:
            by_site.setdefault(site_id, []).append(notice)
        for device in self._settings.devices:
            shown = view.devices.get(device.lfdi)
            if shown is not None and shown.log_events is not None:
                await self._device(device, shown.log_events, by_site, now)
        self._looked_back_at = now if far else last

    async def _device(
        self,
        device: DeviceSettings,
        href: str,
        by_site: Mapping[str, Sequence[Notice]],
        now: datetime,
    ) -> None:
        known = self._alarmed.get(device.lfdi)
        after = Alarmed(since=now) if known is None else known
        messages: list[Message] = []
        news = [
            (site, notice)
            for site in device.sites
            for notice in by_site.get(site, ())
            if _concerns(device, notice)
        ]
        for site, notice in sorted(news, key=lambda one: (one[1].at, one[1].raised)):
            after, event = self._step(after, site, notice)
            if event is not None:
                key = f"{event.log_event_id}/{notice.at.isoformat()}"
                messages.append(self._outbox.message(key, href, event))
        if after == known:
            return
        after = replace(after, told=_recent(after.told, now))
        await self._outbox.put(LANES + device.lfdi, *messages, state=to_json(after))
        self._alarmed[device.lfdi] = after

    def _step(self, alarmed: Alarmed, site: str, notice: Notice) -> tuple[Alarmed, LogEvent | None]:
        """One notice: an event if it is new, and not raised or over already."""
        print_, key = _fingerprint(site, notice), f"{site}|{notice.code}|{notice.subject}"
        if notice.at < alarmed.since or print_ in alarmed.told:
            return alarmed, None
        told = {**alarmed.told, print_: notice.at}
        if notice.raised == (key in alarmed.raised):
            return replace(alarmed, told=told), None
        raised = (*alarmed.raised, key) if notice.raised else _without(alarmed.raised, key)
        event = log_event(notice, alarmed.next_id, self._difference.theirs(notice.at))
        next_id = (alarmed.next_id + 1) % _EVENT_IDS
        return Alarmed(since=alarmed.since, next_id=next_id, raised=raised, told=told), event


def log_event(notice: Notice, event_id: int, at: datetime) -> LogEvent:
    """A notice in the standard's words; `at` is the server's time."""
    alarm = DER_ALARMS.get(notice.code)
    code = GENERAL_SOFTWARE if alarm is None else int(alarm) + (0 if notice.raised else 1)
    words = f"{'' if notice.raised else 'over: '}{notice.code} {notice.subject}"
    return LogEvent(
        created_date_time=at,
        details=words.encode("ascii", "replace").decode()[:_DETAILS],
        function_set=int(FunctionSet.GENERAL if alarm is None else FunctionSet.DER),
        log_event_code=code,
        log_event_id=event_id,
        log_event_pen=IEEE_2030_5_PEN,
        profile_id=IEEE_2030_5_PROFILE,
    )


def _concerns(device: DeviceSettings, notice: Notice) -> bool:
    return notice.code not in PRIVATE and device.scope in _PARTS.get(notice.code, {device.scope})


def _fingerprint(site: str, notice: Notice) -> str:
    words = f"{site}|{notice.code}|{notice.subject}|{notice.raised}|{notice.at.isoformat()}"
    return sha256(words.encode()).hexdigest()[:16]


def _without(keys: Iterable[str], key: str) -> tuple[str, ...]:
    return tuple(one for one in keys if one != key)


def _recent(told: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    oldest = now - LOOK_BACK - LOOK_BACK_EVERY
    return {print_: at for print_, at in told.items() if at >= oldest}
