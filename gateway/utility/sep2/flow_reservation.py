"""Flow reservation (IEEE 2030.5-2018, 10.9): what vehicles still need, asked for and granted.

A request says how much energy a device's vehicles need until the last of them leaves. A grant binds
while it lasts: the import of a site, or the load of its chargers. A grant of no duration is a
refusal: nothing is bound, and it is not asked for again at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import PermanentError, ProtocolError
from contracts.sep2.codes import EventState
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import (
    DateTimeInterval,
    FlowReservationRequest,
    FlowReservationResponse,
    FlowReservationResponseList,
    RequestStatus,
    Scaled,
)
from contracts.site_link.messages import VehicleReadiness
from contracts.time import Clock, Interval
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2.bounds import Piece, share_of
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.event_answers import EventAnswers
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.metering import mrid
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport
from gateway.utility.sep2.view import DeviceView, ServerView

_log = structlog.get_logger(__name__)
Readiness = Callable[[str], Awaitable[Sequence[VehicleReadiness]]]
"""The newest word on every vehicle of a site."""
Renew = Callable[[Sequence[str]], Awaitable[None]]
"""Impose anew on these sites (`Steering.renew`)."""

ASK_AT_MOST_EVERY = timedelta(minutes=15)
LEAST_WH = 1000.0
"""Less is not worth a reservation."""
CHANGED_PART = 0.2
"""A need that differs by more than this part is asked for anew."""
_LONGEST = timedelta(seconds=2**16 - 1)
_REQUESTED, _CANCELLED = 0, 1
_OFF = (
    EventState.CANCELLED,
    EventState.CANCELLED_WITH_RANDOMIZATION,
    EventState.SUPERSEDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A device's last request, in the server's time."""

    request: FlowReservationRequest
    href: str | None
    """Where the server keeps it; None: it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What the server grants, in the server's time."""

    interval: Interval
    power_w: float
    """Charging positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What a device is granted; remembered, so that a restart does not lift it for a moment."""

    granted: tuple[Granted, ...]


class FlowReservations:
    """The reservations of one utility's devices."""

    def __init__(
        self,
        settings: Sep2Settings,
        transport: Sep2Transport,
        polled: Polled,
        answers: EventAnswers,
        readiness: Readiness,
        renew: Renew,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._polled = polled
        self._answers = answers
        self._readiness = readiness
        self._renew = renew
        self._memory = memory
        self._clock = clock
        self._difference = Difference()
        self._asked: dict[str, Asked] = {}
        self._granted: dict[str, tuple[Granted, ...]] = {}
        self._replied: set[str] = set()
        """Devices whose last request has an answer."""

    async def restore(self) -> None:
        """Take up what a predecessor has asked for and been granted."""
        self._asked = await self._memory.all(Asked)
        kept = await self._memory.all(Grants)
        self._granted = {lfdi: one.granted for lfdi, one in kept.items()}
        self._answers.restore()

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """Ask for what is needed, act on what is granted, answer.

        Raises:
            TransientError: the server or the store cannot be reached now; call again.
        """
        self._difference.measured(self._clock.now(), server_now)
        for device in self._settings.devices:
            shown = view.devices.get(device.lfdi)
            if shown is None or shown.flow_reservation_responses is None:
                continue  # what is granted ends by itself
            await self._ask(device, shown, server_now)
            listed = await self._responses(device, shown.flow_reservation_responses)
            if listed is not None:
                await self._grant(device, tuple(_grants(listed, server_now)))
            answered = [] if listed is None else listed
            complete = listed is not None
            await self._answers.answer(device.lfdi, answered, {}, server_now, complete=complete)

    def pieces(self, site: str) -> Iterator[Piece]:
        """What grants bind at a site, in the server's time."""
        for device in self._settings.devices:
            if site not in device.sites:
                continue
            for one in self._granted.get(device.lfdi, ()):
                whole = SiteBounds(import_limit_w=one.power_w)
                if device.scope != "site":
                    whole = SiteBounds(load_limit_w=one.power_w)
                yield Piece(
                    interval=one.interval,
                    bounds=share_of(whole, site, device.shares),
                    what=f"{one.power_w:g} W reserved",
                    why=f"flow reservation of {self._settings.utility_id}",
                )

    async def _responses(
        self, device: DeviceSettings, path: str
    ) -> list[FlowReservationResponse] | None:
        """Answers to our own last request, others are of no concern; None: they cannot be read."""
        asked = self._asked.get(device.lfdi)
        listed = await self._polled.items(path, FlowReservationResponseList)
        if listed is None:
            return None
        if asked is None:
            return []
        ours = canonical_mrid(asked.request.mrid)
        found = [one for one in listed.items if canonical_mrid(one.subject) == ours]
        if found:
            self._replied.add(device.lfdi)
        return found

    async def _grant(self, device: DeviceSettings, granted: tuple[Granted, ...]) -> None:
        if granted != self._granted.get(device.lfdi, ()):
            await self._memory.put(device.lfdi, Grants(granted=granted))
            self._granted[device.lfdi] = granted
            await self._renew(device.sites)

    async def _ask(self, device: DeviceSettings, shown: DeviceView, now: datetime) -> None:
        if shown.flow_reservation_requests is None:
            return
        asked = self._asked.get(device.lfdi)
        if asked is not None and now - asked.request.creation_time < ASK_AT_MOST_EVERY:
            return
        if asked is not None and self._may_be_lost(device, asked, now):
            await self._post(device, shown.flow_reservation_requests, asked.request)
            return
        request = await self._request(device, now)
        if asked is not None and _standing(asked, now):
            if request is not None and not _differs(asked.request, request):
                return
            await self._cancel(device, asked, now)
        if request is not None:
            await self._post(device, shown.flow_reservation_requests, request)

    def _may_be_lost(self, device: DeviceSettings, asked: Asked, now: datetime) -> bool:
        unknown = asked.href is None and device.lfdi not in self._replied
        return unknown and _standing(asked, now)

    async def _request(
        self, device: DeviceSettings, now: datetime
    ) -> FlowReservationRequest | None:
        """What the vehicles of the device's sites need; None if it is too little."""
        found = [one for site in device.sites for one in await self._readiness(site)]
        ours = self._difference.ours_at(now)
        needs = [one for one in found if one.required_wh > 0 and one.departure > ours]
        energy_wh = sum(one.required_wh for one in needs)
        if energy_wh < LEAST_WH:
            return None
        until = self._difference.theirs(max(one.departure for one in needs))
        start = now.replace(microsecond=0)
        power_w = device.ratings.rtg_max_charge_rate_w or device.ratings.rtg_max_w
        return FlowReservationRequest(
            mrid=mrid(self._settings.pen, device.lfdi, "flow", start.isoformat()),
            creation_time=start,
            duration_requested=min(timedelta(hours=energy_wh / power_w), _LONGEST),
            energy_requested=Scaled.of(energy_wh),
            interval_requested=DateTimeInterval(start=start, duration=until - start),
            power_requested=Scaled.of(power_w),
            request_status=RequestStatus(date_time=start, request_status=_REQUESTED),
        )

    async def _post(
        self, device: DeviceSettings, path: str, request: FlowReservationRequest
    ) -> None:
        """Remembered before it is sent: after a kill it is not asked for again at once."""
        self._replied.discard(device.lfdi)
        await self._store(device, Asked(request=request, href=None))
        try:
            href = await self._transport.post(path, request)
        except (PermanentError, ProtocolError) as error:
            _log.warning("sep2_flow_request_refused", lfdi=device.lfdi, error=str(error))
            return
        await self._store(device, Asked(request=request, href=href))

    async def _cancel(self, device: DeviceSettings, asked: Asked, now: datetime) -> None:
        """All that may change of a request is its status."""
        status = RequestStatus(date_time=now, request_status=_CANCELLED)
        cancelled = replace(asked.request, request_status=status)
        if asked.href is not None:
            try:
                await self._transport.put(asked.href, cancelled)
            except (PermanentError, ProtocolError) as error:
                _log.warning("sep2_flow_cancel_refused", lfdi=device.lfdi, error=str(error))
        await self._store(device, Asked(request=cancelled, href=asked.href))

    async def _store(self, device: DeviceSettings, asked: Asked) -> None:
        await self._memory.put(device.lfdi, asked)
        self._asked[device.lfdi] = asked


def _standing(asked: Asked, now: datetime) -> bool:
    request = asked.request
    end = request.interval_requested.window.end
    cancelled = request.request_status.request_status == _CANCELLED
    return not cancelled and end is not None and now < end


def _differs(a: FlowReservationRequest, b: FlowReservationRequest) -> bool:
    before, after = a.energy_requested.number, b.energy_requested.number
    later = b.interval_requested.window.end != a.interval_requested.window.end
    return later or abs(after - before) > CHANGED_PART * before


def _grants(listed: Sequence[FlowReservationResponse], now: datetime) -> Iterator[Granted]:
    """What is granted from now on; discharging is not for us to be asked."""
    for one in listed:
        window, off = one.interval.window, one.event_status.current_status in _OFF
        ahead = window.end is not None and window.end > max(now, window.start)
        if ahead and not off and one.power_available.number >= 0:
            yield Granted(interval=window, power_w=one.power_available.number)
