"""Asks a station for everything it is: one answer in 1.6, a report in parts from 2.0.1 on."""

from __future__ import annotations

import asyncio
from typing import Protocol

from contracts.errors import LinkDownError, PermanentError, TransientError
from site_agent.devices.ocpp.known.inventory import Inventory
from site_agent.devices.ocpp.known.reports import Entry, Reports
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.settings import StationConfig, Version
from site_agent.devices.ocpp.versions.words import HeldProfile, ProfileFilter, Setting
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

_LONGEST_REPORT_S = 60.0


class Asked(Protocol):
    """A station, as far as it is asked."""

    config: StationConfig
    inventory: Inventory

    @property
    def link(self) -> Link | None:
        """The connection in use, if any."""
        ...

    async def command(self, request: Request) -> Json:
        """Send a CALL and wait for the result."""
        ...


async def all_settings(station: Asked, timeout_s: float = _LONGEST_REPORT_S) -> tuple[Setting, ...]:
    """Every setting of the station; kept in its inventory as well.

    Raises:
        PermanentError: it does not report them.
        TransientError: offline, no answer, or the report does not end in time.
    """
    link, known = station.link, station.inventory
    if link is None:
        raise LinkDownError(f"{station.config.charge_point_id}: offline")
    request_id = known.next_request_id()
    request = link.dialect.inventory(request_id)
    if link.dialect.version is Version.V16:
        known.settings = tuple(link.dialect.found(await station.command(request)))
        return known.settings
    return await _reported(station, known.reports, request_id, request, timeout_s)


async def held_profiles(
    station: Asked, which: ProfileFilter, timeout_s: float = _LONGEST_REPORT_S
) -> tuple[HeldProfile, ...]:
    """The charging profiles it holds, from 2.0.1 on; raises as `all_settings`."""
    link, known = station.link, station.inventory
    if link is None:
        raise LinkDownError(f"{station.config.charge_point_id}: offline")
    request_id = known.next_request_id()
    request = link.dialect.ask_profiles(request_id, which)
    return await _reported(station, known.profile_reports, request_id, request, timeout_s)


async def _reported(
    station: Asked, reports: Reports[Entry], request_id: int, request: Request, timeout_s: float
) -> tuple[Entry, ...]:
    """The report that follows a request; the answer to the request itself may come after it."""
    awaited = reports.expect(request_id)
    try:
        answer = await station.command(request)
        if answer.get("status") == "NoProfiles":
            return ()
        if answer.get("status") != "Accepted":
            refused = str(answer.get("status"))[:50]
            raise PermanentError(f"{request.action}: {refused}")
        async with asyncio.timeout(timeout_s):
            return (await awaited).entries
    except TimeoutError as error:
        raise TransientError(f"{request.action}: no report in {timeout_s:.0f} s") from error
    finally:
        reports.forget(request_id)
