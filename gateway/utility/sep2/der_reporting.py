"""DER information on its way: PUT at the start, on every change, and as often as the server asks.

A PUT overwrites itself, so nothing waits in an outbox: what could not be told is told, as it is
then, at the next look.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.sep2.resources import ConnectionPoint, DERStatus, Resource
from contracts.time import Clock
from gateway.ports import SiteState, SiteStates
from gateway.utility.sep2 import der_info
from gateway.utility.sep2.alarms import Alarms
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.pace import Pace
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport
from gateway.utility.sep2.view import DeviceView, ServerView

_log = structlog.get_logger(__name__)
REFUSED_PAUSE = timedelta(hours=1)
"""A resource the server refuses is offered again after this long."""
STATUS_AT_MOST_EVERY = timedelta(seconds=30)
"""Changes of status in quick succession are told together."""
MESSAGES_PER_S = 20.0
_FIRST_WAIT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsTold:
    """The settings as last told; their time of change must survive a restart."""

    content: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _Told:
    at: datetime
    content: Resource


class DerReporting:
    """The DER information of every device of one utility."""

    def __init__(
        self,
        settings: Sep2Settings,
        transport: Sep2Transport,
        states: SiteStates,
        alarms: Alarms,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._states = states
        self._alarms = alarms
        self._memory = memory
        self._clock = clock
        self._set: dict[str, SettingsTold] = {}
        self._told: dict[str, _Told] = {}
        self._refused_until: dict[str, datetime] = {}
        self._pace = Pace(clock, MESSAGES_PER_S)
        self._backoff = Backoff(_FIRST_WAIT_S, settings.max_backoff_s)
        self._not_before = 0.0

    async def restore(self) -> None:
        """Take up what a predecessor told."""
        self._set = await self._memory.all(SettingsTold)

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """PUT whatever is due at the server's time; what fails is told later."""
        if self._clock.monotonic() < self._not_before:
            return
        for device in self._settings.devices:
            shown = view.devices.get(device.lfdi)
            if shown is None:
                continue
            try:
                await self._device(device, shown, server_now)
            except TransientError as error:
                self._not_before = self._clock.monotonic() + self._backoff.next_s()
                _log.warning("sep2_der_info_postponed", error=str(error))
                return
        self._backoff.reset()

    async def _device(self, device: DeviceSettings, shown: DeviceView, now: datetime) -> None:
        if shown.connection_point is not None and device.nmi is not None:
            nmi = ConnectionPoint(connection_point_id=device.nmi)
            await self._on_change(shown.connection_point, nmi, now)
        links = shown.der
        if links is None:
            return
        csipaus = self._settings.csipaus
        if links.capability is not None:
            await self._on_change(links.capability, der_info.capability(device, csipaus), now)
        if links.settings is not None:
            updated = await self._updated_at(device, now)
            await self._on_change(links.settings, der_info.settings(device, csipaus, updated), now)
        alarms = self._alarms.standing(device.lfdi)
        ours = self._clock.now()
        found = der_info.condition(device, list(self._site_states(device)), alarms, ours)
        if links.status is not None:
            status = der_info.status(device, found, alarms, now)
            await self._status(links.status, status, now, links.poll_rate)
        available = der_info.availability(device, found, now)
        if links.availability is not None and available is not None:
            await self._at_rate(links.availability, available, now, links.poll_rate)

    def _site_states(self, device: DeviceSettings) -> Iterator[SiteState]:
        for site in device.sites:
            try:
                yield self._states.state(site)
            except KeyError:
                yield SiteState(online=False, readings={})

    async def _updated_at(self, device: DeviceSettings, now: datetime) -> datetime:
        """When the settings became what they are."""
        content = repr((device.scope, device.ratings, self._settings.csipaus))
        known = self._set.get(device.lfdi)
        if known is None or known.content != content:
            known = SettingsTold(content=content, updated_at=now.replace(microsecond=0))
            await self._memory.put(device.lfdi, known)
            self._set[device.lfdi] = known
        return known.updated_at

    async def _on_change(self, href: str, resource: Resource, now: datetime) -> None:
        told = self._told.get(href)
        if told is None or told.content != resource:
            await self._put(href, resource, now)

    async def _status(self, href: str, resource: DERStatus, now: datetime, rate: timedelta) -> None:
        told = self._told.get(href)
        if told is not None and isinstance(told.content, DERStatus):
            changed = _codes(told.content) != _codes(resource)
            if changed and now - told.at >= min(STATUS_AT_MOST_EVERY, rate):
                await self._put(href, resource, now)
                return
        await self._at_rate(href, resource, now, rate)

    async def _at_rate(self, href: str, resource: Resource, now: datetime, rate: timedelta) -> None:
        told = self._told.get(href)
        if told is None or now - told.at >= rate:
            await self._put(href, resource, now)

    async def _put(self, href: str, resource: Resource, now: datetime) -> None:
        """Tell one resource; a refusal concerns it alone (CSIP v2.1 P4)."""
        if now < self._refused_until.get(href, now):
            return
        await self._pace.turn()
        try:
            await self._transport.put(href, resource)
        except (PermanentError, ProtocolError) as error:
            self._refused_until[href] = now + REFUSED_PAUSE
            _log.warning("sep2_der_info_refused", href=href, error=str(error))
        else:
            self._told[href] = _Told(now, resource)


def _codes(status: DERStatus) -> tuple[int | None, ...]:
    """What of a status is worth telling at once when it changes: all but times and the charge."""
    parts = (
        status.gen_connect_status,
        status.stor_connect_status,
        status.operational_mode_status,
        status.storage_mode_status,
    )
    return (status.alarm_status, *(None if part is None else part.value for part in parts))
