"""In-band registration: a configured device the server does not list yet (8.5.3)."""

from __future__ import annotations

from contracts.errors import PermanentError
from contracts.identity import sfdi
from contracts.sep2.resources import EndDevice
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.transport import NotVisibleError
from gridyard.sep2.certify.bench import Bench, NotApplicableError, needed


async def in_band(bench: Bench) -> str:
    """Offer it by POST, find it listed, and take it away again if the server lets us."""
    if not bench.settings.in_band:
        raise NotApplicableError("in_band is off in the settings: the utility enrols devices")
    wanted = await _unlisted(bench)
    link = needed((await bench.capability()).end_device_list_link, "EndDeviceListLink")
    href = await bench.create(link.href, _offer(bench, wanted))
    if not await _listed(bench, wanted):
        raise PermanentError(f"{href}: 201, but {wanted.lfdi} is not in the list")
    return f"{wanted.lfdi} registered at {href}; {await _removed(bench, href, wanted)}"


def _offer(bench: Bench, wanted: DeviceSettings) -> EndDevice:
    now = bench.clock.now()
    return EndDevice(lfdi=wanted.lfdi, sfdi=sfdi(wanted.lfdi), changed_time=now)


async def _unlisted(bench: Bench) -> DeviceSettings:
    known = {one.canonical_lfdi for one in (await bench.end_devices()).items}
    for one in bench.settings.devices:
        if one.lfdi not in known:
            return one
    raise NotApplicableError("every configured device is listed already; none is posted twice")


async def _listed(bench: Bench, wanted: DeviceSettings) -> bool:
    return any(one.canonical_lfdi == wanted.lfdi for one in (await bench.end_devices()).items)


async def _removed(bench: Bench, href: str, wanted: DeviceSettings) -> str:
    try:
        await bench.transport.delete(href, EndDevice)
    except NotVisibleError as error:
        raise PermanentError(f"what was just registered cannot be found: {error}") from error
    except PermanentError as error:
        return f"it stays registered ({error})"
    if await _listed(bench, wanted):
        raise PermanentError(f"{href}: deleted, and still listed")
    return "removed"
