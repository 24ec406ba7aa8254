"""Procedures that read who is there and what time it is, and change nothing (CSIP CORE, BASIC)."""

from __future__ import annotations

from datetime import timedelta

from contracts.errors import PermanentError
from contracts.identity import sfdi
from contracts.sep2.resources import EndDeviceList, Registration, Time
from gateway.utility.sep2.hrefs import with_page
from gridyard.sep2.certify.bench import Bench, needed, shown

_UNCOORDINATED = 7
_AT_MOST = 10
"""Items read one by one."""


async def pins(bench: Bench) -> str:
    """CORE-003: every configured device is listed, with the PIN we know."""
    found, compared = await bench.devices(), 0
    for wanted, there in found:
        if wanted.pin is None or there.registration_link is None:
            continue
        registration = await bench.transport.get(there.registration_link.href, Registration)
        if registration.pin != wanted.pin:
            raise PermanentError(f"the PIN of {wanted.lfdi} differs")
        compared += 1
    return f"{len(found)} devices, {compared} PINs compared"


async def poll_rates(bench: Bench) -> str:
    """CORE-003: poll rates lie between a second and a day."""
    rate = (await bench.end_devices()).poll_rate
    if rate is not None and not timedelta(seconds=1) <= rate <= timedelta(days=1):
        raise PermanentError(f"pollRate {rate.total_seconds():g} s cannot be kept")
    return "default of 900 s" if rate is None else f"{rate.total_seconds():g} s"


async def pages(bench: Bench) -> str:
    """CORE-003: `s` and `l` do what they should, and `all` and `results` count right (4.6)."""
    link = needed((await bench.capability()).end_device_list_link, "EndDeviceListLink")
    whole = (await bench.items(link, EndDeviceList)).items
    one_by_one = []
    for start in range(min(len(whole), _AT_MOST)):
        page = await bench.transport.get(with_page(link.href, start, 1), EndDeviceList)
        if len(page.items) != 1 or page.results != 1 or page.all != len(whole):
            said = f"{shown(page)}, results={page.results}, all={page.all}"
            raise PermanentError(f"{link.href}?s={start}&l=1: {said}; there are {len(whole)}")
        one_by_one.append(page.items[0].canonical_lfdi)
    if one_by_one != [one.canonical_lfdi for one in whole[: len(one_by_one)]]:
        raise PermanentError(f"{link.href}: page by page other devices than at once")
    past = await bench.transport.get(with_page(link.href, len(whole), 1), EndDeviceList)
    if past.items:
        raise PermanentError(f"{link.href}?s={len(whole)}: {shown(past)} beyond the end")
    return f"{len(one_by_one)} of {len(whole)} EndDevices read one by one; none beyond the end"


async def time(bench: Bench) -> str:
    """CORE-005: the server tells the time."""
    link = (await bench.capability()).time_link
    if link is None:
        raise PermanentError("no TimeLink")
    there = await bench.transport.get(link.href, Time)
    ahead = (there.current_time - bench.clock.now()).total_seconds()
    note = "" if there.quality == _UNCOORDINATED else ", quality 7 is what the procedure uses"
    return f"{ahead:+.1f} s from ours, quality {there.quality}{note}"


async def identities(bench: Bench) -> str:
    """BASIC-001: LFDI and SFDI of every managed device agree."""
    found = await bench.devices()
    for _, device in found:
        expected = sfdi(device.canonical_lfdi)
        if device.sfdi is not None and device.sfdi != expected:
            raise PermanentError(f"{device.href}: SFDI {device.sfdi} instead of {expected}")
    return f"{len(found)} devices"


async def commissioned(bench: Bench) -> str:
    """UTIL-002: every device has a place for its DER information and a group."""
    found = await bench.devices()
    for wanted, device in found:
        needs = {
            "DERListLink": device.der_list_link,
            "FunctionSetAssignmentsListLink": device.function_set_assignments_list_link,
        }
        missing = [name for name, link in needs.items() if link is None]
        if missing:
            raise PermanentError(f"{wanted.lfdi} has no {' and no '.join(missing)}")
    return f"{len(found)} devices with DERs and groups"
