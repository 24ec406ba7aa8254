"""Whether a device is ours to steer, and how one gets onto the server's list (6.9, 8.5)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import structlog

from contracts.errors import PermanentError, ProtocolError
from contracts.identity import sfdi
from contracts.sep2.codes import DeviceCategory
from contracts.sep2.resources import EndDevice, Registration
from contracts.time import Clock
from gateway.utility.sep2.settings import DeviceSettings, Scope
from gateway.utility.sep2.transport import RefusedError, Sep2Transport

_log = structlog.get_logger(__name__)
AGAIN_S = 3600.0
"""A device the server still does not list is offered again after this long at the earliest."""
_UNANSWERED_S = 60.0
"""After no answer at all, so that the list is read before the next attempt."""
_CONFLICT = 409
_CATEGORY: dict[Scope, DeviceCategory] = {
    "site": DeviceCategory.VIRTUAL_OR_MIXED_DER,
    "storage": DeviceCategory.OTHER_STORAGE,
    "generation": DeviceCategory.PHOTOVOLTAIC_AND_STORAGE,
    "load": DeviceCategory.EVSE,
}


def pin_fault(pin: int, registration: Registration | None) -> str | None:
    """What is wrong with the server's PIN, in words; a server may offer none (6.9.2)."""
    if registration is None or registration.pin == pin:
        return None
    return "the registration PIN is not the one configured"


class InBandRegistration:
    """Offers EndDevices by POST that a fresh EndDeviceList does not hold (8.5.3)."""

    def __init__(self, transport: Sep2Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._not_before: dict[str, float] = {}

    def due(self, unlisted: Iterable[DeviceSettings]) -> list[DeviceSettings]:
        """Those that may be offered now."""
        now = self._clock.monotonic()
        return [one for one in unlisted if self._not_before.get(one.lfdi, now) <= now]

    def next_s(self, unlisted: Iterable[DeviceSettings]) -> float:
        """Monotonic time at which the next of them may be offered."""
        return min((self._not_before.get(one.lfdi, 0.0) for one in unlisted), default=math.inf)

    async def offer(self, list_path: str, device: DeviceSettings) -> None:
        """POST one EndDevice; the list, read again, says what came of it.

        A conflict means that the server knows it already. A refusal is logged.

        Raises:
            TransientError: the server cannot be reached: whether it has the device, only the list
                knows, so read that first.
        """
        resource = EndDevice(
            lfdi=device.lfdi,
            sfdi=sfdi(device.lfdi),
            device_category=_CATEGORY[device.scope],
            changed_time=self._clock.now(),
        )
        self._not_before[device.lfdi] = self._clock.monotonic() + _UNANSWERED_S
        try:
            await self._transport.post(list_path, resource)
        except RefusedError as error:
            if error.status != _CONFLICT:
                _log.warning("sep2_registration_refused", lfdi=device.lfdi, error=str(error))
        except (PermanentError, ProtocolError) as error:
            _log.warning("sep2_registration_refused", lfdi=device.lfdi, error=str(error))
        else:
            _log.info("sep2_registered", lfdi=device.lfdi, sites=device.sites)
        self._not_before[device.lfdi] = self._clock.monotonic() + AGAIN_S
