"""How much load could be shed (IEEE 2030.5-2018, 10.3): `LoadShedAvailability`, kept up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.errors import PermanentError, ProtocolError
from contracts.sep2.resources import LoadShedAvailability, Scaled
from contracts.site_link import points
from contracts.time import Clock
from gateway.ports import SiteStates
from gateway.utility.sep2.der_info import STALE_AFTER
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.transport import NotVisibleError, Sep2Transport
from gateway.utility.sep2.view import DeviceView, ServerView

_log = structlog.get_logger(__name__)
EVERY = timedelta(minutes=15)
SOONER = timedelta(minutes=1)
"""A large change is told sooner than `EVERY`, but not sooner than this."""
_LARGE = 0.1
_FOR = timedelta(hours=1)
"""Sites say what they could hold for an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shed:
    """Where a device's availability is kept; None: the server did not say."""

    href: str | None


class LoadShed:
    """The availability of every device whose server wants to know it."""

    def __init__(
        self,
        settings: Sep2Settings,
        transport: Sep2Transport,
        polled: Polled,
        states: SiteStates,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._polled = polled
        self._states = states
        self._memory = memory
        self._clock = clock
        self._kept: dict[str, Shed] = {}
        self._told: dict[str, tuple[datetime, float]] = {}

    async def restore(self) -> None:
        """Take up where a predecessor has put them."""
        self._kept = await self._memory.all(Shed)

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """Post what is not there, and put what has changed.

        Raises:
            TransientError: the server cannot be reached now.
        """
        for device in self._settings.devices:
            shown = view.devices.get(device.lfdi)
            path = None if shown is None else self._list(shown)
            watts = self._watts(device)
            if path is not None and watts is not None and self._due(device, watts, server_now):
                await self._send(device, path, watts)
                self._told[device.lfdi] = server_now, watts

    def _list(self, shown: DeviceView) -> str | None:
        link = shown.end_device.load_shed_availability_list_link
        return self._polled.path(link, shown.href)

    def _watts(self, device: DeviceSettings) -> float | None:
        """What its sites together could shed now; None while one of them does not say."""
        total, now = 0.0, self._clock.now()
        for site in device.sites:
            try:
                reading = self._states.state(site).readings.get(points.FLEX_DOWN_W)
            except KeyError:
                return None
            watts = None if reading is None else reading.fresh(now, STALE_AFTER)
            if watts is None:
                return None
            total += watts
        return total

    def _due(self, device: DeviceSettings, watts: float, now: datetime) -> bool:
        told = self._told.get(device.lfdi)
        if told is None:
            return True
        at, before = told
        large = abs(watts - before) > _LARGE * max(abs(before), 1.0)
        return now - at >= (SOONER if large else EVERY)

    async def _send(self, device: DeviceSettings, path: str, watts: float) -> None:
        resource = LoadShedAvailability(
            availability_duration=_FOR, sheddable_power=Scaled.of(watts)
        )
        kept = self._kept.get(device.lfdi)
        try:
            if kept is not None and kept.href is not None:
                try:
                    await self._transport.put(kept.href, resource)
                except NotVisibleError:
                    kept = None
            if kept is None:
                kept = Shed(href=await self._transport.post(path, resource))
                await self._memory.put(device.lfdi, kept)
                self._kept[device.lfdi] = kept
        except (PermanentError, ProtocolError) as error:
            _log.warning("sep2_load_shed_refused", lfdi=device.lfdi, error=str(error))
