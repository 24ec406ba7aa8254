"""One EndDevice on its way through time: what it was told, what it has answered, what holds.

The state of the event rules and the Responses that follow from a step are one document in the
outbox, written in one go. A kill before that write repeats the step from the old state, which gives
the same Responses; a kill after it finds them waiting. They are never told from two states.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from pydantic import TypeAdapter, ValidationError

from contracts.sep2.resources import DERControlResponse
from gateway.domain.der.engagement import DeviceState, Engagement
from gateway.domain.der.engine import advance
from gateway.domain.der.responses import ResponseCode, ResponseDue, ResponseProfile
from gateway.domain.der.schedule import Schedule, Segment, coalesce
from gateway.utility.sep2 import mapping
from gateway.utility.sep2.bounds import Piece, at_least_as_tight, share_of
from gateway.utility.sep2.curves import Setting
from gateway.utility.sep2.mapping_modes import bounds_of, words
from gateway.utility.sep2.outbox import Message, Sep2Outbox
from gateway.utility.sep2.refusals import UnusableModeError
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.view import DeviceView

_log = structlog.get_logger(__name__)
_STATE: TypeAdapter[DeviceState[Setting]] = TypeAdapter(DeviceState[Setting])
LANES = "device/"
"""Lanes of the outbox that hold the devices' states, by LFDI."""
SHORTEST = timedelta(seconds=10)
"""A shorter value is passed over for the next one where that is at least as tight."""
GONE_AFTER = timedelta(hours=1)
"""A device not seen since our start that cannot be read for this long counts as gone."""
_CHOICES = (ResponseCode.OPT_OUT, ResponseCode.OPT_IN)
"""May be due more than once."""


class DeviceTrack:
    """One configured EndDevice. Times are the server's."""

    def __init__(
        self,
        settings: DeviceSettings,
        utility_id: str,
        profile: ResponseProfile,
        outbox: Sep2Outbox,
    ) -> None:
        self.settings = settings
        self._lane = LANES + settings.lfdi
        self._utility_id = utility_id
        self._profile = profile
        self._outbox = outbox
        self._state: DeviceState[Setting] = DeviceState()
        self._schedule: Schedule[Setting] | None = None
        self._apart: Mapping[str, Schedule[Setting]] = {}
        """For sites that have opted out of something the others follow."""
        self._stepping = asyncio.Lock()
        self._view: DeviceView | None = None
        self._met = False
        self._missed_since: datetime | None = None
        self._next_change: datetime | None = None

    def restore(self) -> None:
        """Take up what a predecessor knew."""
        stored = self._outbox.state(self._lane)
        if stored is None:
            return
        try:
            self._state = _STATE.validate_python(stored)
        except ValidationError as error:
            _log.error("sep2_state_unreadable", lfdi=self.settings.lfdi, error=str(error))

    @property
    def next_look(self) -> datetime | None:
        """When to follow again at the latest; None: no need."""
        doubtful = self.known and self._missed_since is not None
        given_up = self._missed_since + GONE_AFTER if doubtful and self._missed_since else None
        return min((at for at in (self._next_change, given_up) if at is not None), default=None)

    @property
    def known(self) -> bool:
        """Whether we have ever been told anything for it."""
        return self._state.at is not None

    def controls(self) -> Iterator[Engagement[Setting]]:
        """Controls that are in force or may still be."""
        return (one for one in self._state.engagements if one.outcome is None)

    @property
    def at(self) -> datetime | None:
        """Up to when it is worked out: what holds then has begun."""
        return self._state.at

    @property
    def worked_out(self) -> bool:
        """Whether it is known what holds: nothing, or what `pieces` has."""
        return self._schedule is not None or not self.known

    async def follow(self, view: DeviceView | None, now: datetime) -> bool:
        """Go on to `now`, with what the server shows of the device (None: as before).

        True when what holds, now or later, may have changed. Durable when it returns.

        Raises:
            TransientError: it could not be stored; nothing has changed.
        """
        async with self._stepping:
            news = view is not None and view is not self._view
            due = self._next_change is not None and self._next_change <= now
            if not news and not due and self._schedule is not None:
                return False
            if not news and not self.known:
                return False
            await self._step(view if news else None, now)
            return True

    async def choose(self, mrid: str, site: str, now: datetime, *, out: bool) -> bool:
        """Take one of its sites out of a control, or back in; whether that was a change.

        Nothing comes of it when the control is over. Durable when it returns.

        Raises:
            TransientError: it could not be stored; nothing has changed.
        """
        async with self._stepping:
            wishes = {one.control.mrid: {*one.parts_out} for one in self.controls()}
            if mrid not in wishes or (site in wishes[mrid]) == out:
                return False
            wishes[mrid] ^= {site}
            await self._step(None, now, wishes)
            return any(one.control.mrid == mrid for one in self.controls())

    async def _step(
        self,
        view: DeviceView | None,
        now: datetime,
        wishes: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        current = view or self._view
        device = mapping.device(self.settings, current)
        step = advance(
            self._state,
            None if view is None else mapping.known(view, self.settings, self._state),
            now,
            device=replace(device, parts=self.settings.sites),
            profile=self._profile,
            opted_out=wishes,
        )
        changed = replace(step.state, at=self._state.at) != self._state or not self.known
        await self._outbox.put(
            self._lane,
            *self._answers(step.responses, current, now),
            state=_STATE.dump_python(step.state, mode="json") if changed else None,
        )
        self._state, self._view, self._next_change = step.state, current, step.next_change
        self._schedule = coalesce(step.schedule, SHORTEST, self._as_tight)
        self._apart = {
            site: coalesce(schedule, SHORTEST, self._as_tight)
            for site, schedule in step.apart.items()
        }

    async def missed(self, now: datetime, *, absent: bool) -> bool:
        """The server shows other devices, but not this one: whether it is gone.

        It is at once when it is `absent` for certain or we have seen it since our start; otherwise
        it may not have been read yet.
        """
        if self._missed_since is None:
            self._missed_since = now
        if not (absent or self._met) and now - self._missed_since < GONE_AFTER:
            return False
        if not self.known:
            return False
        async with self._stepping:
            await self._outbox.forget(self._lane)
            self._state, self._schedule, self._view = DeviceState(), None, None
            self._apart, self._next_change = {}, None
            self._met, self._missed_since = False, None
        return True

    def met(self) -> None:
        """The server shows this device."""
        self._met, self._missed_since = True, None

    def pieces(self, site: str) -> Iterator[Piece]:
        """What the device's controls and defaults bind at one of its sites."""
        schedule = self._apart.get(site, self._schedule)
        if schedule is None:
            return
        named = mapping.descriptions(self._view)
        shares = self.settings.shares
        for mode, segments in schedule.modes.items():
            for segment in segments:
                try:
                    bounds = bounds_of(mode, segment.value, self.settings)
                except UnusableModeError as error:  # the ratings have changed since its receipt
                    _log.warning("sep2_mode_unusable", lfdi=self.settings.lfdi, why=str(error))
                    continue
                yield Piece(
                    interval=segment.interval,
                    bounds=share_of(bounds, site, shares),
                    what=self._what(mode, segment),
                    why=self._why(segment, named),
                )

    def _what(self, mode: str, segment: Segment[Setting]) -> str:
        what = words(mode, segment.value)
        count = len(self.settings.sites)
        return what if count == 1 else f"{what} for {count} sites together"

    def _why(self, segment: Segment[Setting], named: Mapping[str, str]) -> str:
        name = named.get(segment.mrid or "")
        return f"{segment.cause}{f' ({name!r})' if name else ''} of {self._utility_id}"

    def _as_tight(self, mode: str, one: Setting, other: Setting) -> bool:
        try:
            return at_least_as_tight(
                bounds_of(mode, one, self.settings), bounds_of(mode, other, self.settings)
            )
        except UnusableModeError:
            return False

    def _answers(
        self, responses: tuple[ResponseDue, ...], view: DeviceView | None, now: datetime
    ) -> list[Message]:
        written = mapping.as_listed(view)
        messages = [
            self._outbox.message(_key(one), one.reply_to, mapping.response(one, subject))
            for one in responses
            for subject in [written.get(one.mrid, one.mrid)]
        ]
        return messages + list(self._refusals(view, now))

    def _refusals(self, view: DeviceView | None, now: datetime) -> Iterator[Message]:
        """Answers to controls that cannot be read: 253, once (the outbox remembers)."""
        code = self._profile.spoken(ResponseCode.INVALID)
        for mrid, item in mapping.rejected(view) if view is not None and code else ():
            if item.reply_to is not None and code is not None:
                answer = DERControlResponse(
                    created_date_time=now,
                    end_device_lfdi=self.settings.lfdi,
                    status=int(code),
                    subject=item.mrid or mrid,
                )
                yield self._outbox.message(f"{mrid}/{int(code)}", item.reply_to, answer)


def _key(due: ResponseDue) -> str:
    key = f"{due.mrid}/{int(due.code)}"
    return f"{key}/{due.at.isoformat()}" if due.code in _CHOICES else key
