"""Procedures that tell the server something, and leave it as it was as far as it lets them.

Each takes the first configured device that has what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from contracts.errors import PermanentError
from contracts.reading import Quality, Reading
from contracts.sep2.resources import (
    DER,
    DERAvailability,
    DERCapability,
    DERList,
    DERSettings,
    EndDevice,
    LogEvent,
    LogEventList,
    MirrorUsagePoint,
    Resource,
    Scaled,
    Time,
)
from contracts.time import Interval
from gateway.ports import SiteState
from gateway.utility.sep2 import der_info, metering
from gateway.utility.sep2.hrefs import with_page
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.transport import NotVisibleError
from gridyard.sep2.certify.bench import CREATED, Bench, NotApplicableError, needed

_LOG_EVENTS = 5
_NOT_COMPARED = {"href", "subscribable", "extension"}
_PERIOD = timedelta(minutes=5)
_OVERWRITTEN = {CREATED, 200, 204}


# --- DER information ---------------------------------------------------------------------------


async def ratings(bench: Bench) -> str:
    """CORE-009: DERCapability and DERSettings, taken and shown as they were told."""
    wanted, der = await _der(bench)
    now, csipaus = await _server_now(bench), bench.settings.csipaus
    capability = der_info.capability(wanted, csipaus)
    settings = der_info.settings(wanted, csipaus, now)
    beyond = list(_beyond(capability, settings))
    if beyond:
        raise PermanentError(f"our settings lie beyond our ratings: {', '.join(beyond)}")
    told = [
        await _told(bench, needed(der.der_capability_link, "DERCapabilityLink").href, capability),
        await _told(bench, needed(der.der_settings_link, "DERSettingsLink").href, settings),
    ]
    return ", ".join(told)


async def modes(bench: Bench) -> str:
    """CORE-014: the modes a DER supports, taken and shown as they were told."""
    wanted, der = await _der(bench)
    capability = der_info.capability(wanted, bench.settings.csipaus)
    link = needed(der.der_capability_link, "DERCapabilityLink")
    told = await _told(bench, link.href, capability)
    return f"{told}, modesSupported {capability.modes_supported:08X}"


async def status(bench: Bench) -> str:
    """BASIC-028: DERStatus, and DERAvailability where it is offered."""
    wanted, der = await _der(bench)
    now = await _server_now(bench)
    unknown = [SiteState(online=False, readings={}) for _ in wanted.sites]
    found = der_info.condition(wanted, unknown, (), bench.clock.now())
    link = needed(der.der_status_link, "DERStatusLink")
    told = [await _told(bench, link.href, der_info.status(wanted, found, (), now))]
    if der.der_availability_link is not None:
        available = DERAvailability(availability_duration=timedelta(0), reading_time=now)
        told.append(await _told(bench, der.der_availability_link.href, available))
    return ", ".join(told)


async def _der(bench: Bench) -> tuple[DeviceSettings, DER]:
    for wanted, device in await bench.devices():
        if device.der_list_link is not None:
            ders = (await bench.items(device.der_list_link, DERList)).items
            if ders:
                return wanted, ders[0]
    raise NotApplicableError("no device has a DER")


async def _told(bench: Bench, href: str, resource: Resource) -> str:
    """PUT, read back, and put back what was there before."""
    kind = type(resource)
    try:
        before = await bench.transport.get(href, kind)
    except NotVisibleError:
        before = None
    await bench.transport.put(href, resource)
    try:
        differing = list(_differing(resource, await bench.transport.get(href, kind)))
    finally:
        if before is not None:
            await bench.transport.put(href, replace(before, href=None))
    if differing:
        raise PermanentError(f"{kind.__name__} comes back with another {', '.join(differing)}")
    return f"{kind.__name__} {'told' if before is None else 'told and put back'}"


def _differing(ours: Resource, theirs: Resource) -> Iterator[str]:
    """Fields that we have set and that come back otherwise."""
    for field in fields(ours):
        told, shown = getattr(ours, field.name), getattr(theirs, field.name)
        if told is None or field.name in _NOT_COMPARED:
            continue
        if isinstance(told, Scaled) and isinstance(shown, Scaled):
            told, shown = told.number, shown.number
        if told != shown:
            yield field.name


def _beyond(capability: DERCapability, settings: DERSettings) -> Iterator[str]:
    for field in fields(capability):
        rated = getattr(capability, field.name)
        chosen = getattr(settings, field.name.replace("rtg_", "set_", 1), None)
        if not isinstance(rated, Scaled) or not isinstance(chosen, Scaled):
            continue
        if chosen.number > rated.number:
            yield field.name


async def _server_now(bench: Bench) -> datetime:
    """The server's time, in whole seconds."""
    link = needed((await bench.capability()).time_link, "TimeLink")
    return (await bench.transport.get(link.href, Time)).current_time.astimezone(UTC)


# --- LogEvents ---------------------------------------------------------------------------------


async def log_events(bench: Bench) -> str:
    """BASIC-027: five LogEvents, each answered 201 and listed."""
    device = await _logging(bench)
    href = needed(device.log_event_list_link, "LogEventListLink").href
    now = await _server_now(bench)
    for number in range(_LOG_EVENTS):
        event = LogEvent(
            created_date_time=now,
            details="connection test",
            function_set=0,
            log_event_code=0,
            log_event_id=number,
            log_event_pen=bench.settings.pen,
            profile_id=2,
        )
        await bench.create(href, event)
    newest = await bench.transport.get(with_page(href, 0, 255), LogEventList)
    listed = [one for one in newest.items if one.details == "connection test"]
    if len(listed) < _LOG_EVENTS:
        raise PermanentError(f"{href}: {len(listed)} of {_LOG_EVENTS} posted events are listed")
    return f"{_LOG_EVENTS} posted and listed"


async def _logging(bench: Bench) -> EndDevice:
    for _, device in await bench.devices():
        if device.log_event_list_link is not None:
            return device
    raise NotApplicableError("no device has a LogEventList")


# --- mirror metering ---------------------------------------------------------------------------


async def device_mirror(bench: Bench) -> str:
    """BASIC-029, AGG: a mirror usage point of a device: made, read, filled, made again, removed."""
    wanted, _ = (await bench.devices())[0]
    return await _mirrored(bench, wanted.lfdi, wanted.sites)


async def own_mirror(bench: Bench) -> str:
    """BASIC-029: the same for the aggregator itself, which tells the sum of its DERs."""
    return await _mirrored(bench, bench.own_lfdi, bench.settings.devices[0].sites)


async def _mirrored(bench: Bench, lfdi: str, sites: tuple[str, ...]) -> str:
    link = (await bench.capability()).mirror_usage_point_list_link
    place = needed(link, "MirrorUsagePointListLink").href
    meter = metering.Meter(
        lfdi=lfdi,
        name="connection test",
        sites=sites,
        parts=(metering.SITE,),
        role=metering.SITE.role,
        directions=metering.BOTH,
    )
    point = metering.usage_point(bench.settings.pen, meter, _PERIOD)
    href = await bench.create(place, point)
    try:
        said = await _filled(bench, meter, point, place, href)
    except BaseException:
        await _removed(bench, href)
        raise
    return f"{said}; {await _removed(bench, href)}"


async def _filled(
    bench: Bench, meter: metering.Meter, point: MirrorUsagePoint, place: str, href: str
) -> str:
    shown = await bench.transport.get(href, MirrorUsagePoint)
    await bench.transport.post(place, point)
    again = bench.trace.exchanges[-1]
    moved = again.location and bench.transport.server.resolve(again.location, place)
    if again.status not in _OVERWRITTEN or moved not in {None, href}:
        raise PermanentError(f"the same mRID again: {again.status}, Location {moved}, not {href}")
    end = metering.aligned(await _server_now(bench), _PERIOD)
    nothing = Reading(value=0.0, quality=Quality.ESTIMATED, at=end)
    found = [(Interval(start=end - _PERIOD, end=end), nothing)]
    for direction in meter.directions:
        reading = metering.meter_reading(bench.settings.pen, meter, direction, _PERIOD, found)
        await bench.transport.post(href, reading)
    rate = "none" if shown.post_rate is None else f"{shown.post_rate.total_seconds():g} s"
    return f"made at {href}, postRate {rate}, {len(meter.directions)} readings of 0 W taken"


async def _removed(bench: Bench, href: str) -> str:
    try:
        await bench.transport.delete(href, MirrorUsagePoint)
    except PermanentError as error:
        return f"it stays there ({error}): ask the utility to remove it"
    try:
        await bench.transport.get(href, MirrorUsagePoint)
    except NotVisibleError:
        return "removed"
    raise PermanentError(f"{href}: deleted, and still there")
