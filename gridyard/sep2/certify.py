"""CSIP test procedures a client can run against any server, each by its id.

Reading procedures change nothing. Writing ones (`write=True`) put DER information and post a
LogEvent for the configured devices, as the gateway itself would. What only a utility can start
(events, changed groups) is not here: the simulator's scenarios run those.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from contracts.errors import GridyardError, PermanentError
from contracts.identity import sep2_client_context, sfdi
from contracts.sep2.resources import (
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    LogEvent,
    Registration,
    Time,
)
from contracts.time import Clock
from gateway.utility.sep2.paging import read_list
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport

_CCM8 = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
_HTTPS_PORT = 443
_HANDSHAKE_S = 10.0
_UNCOORDINATED = 7


class NotApplicableError(PermanentError):
    """This server does not offer what the procedure needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one procedure showed; `passed` None: not applicable here."""

    procedure: str
    title: str
    passed: bool | None
    detail: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What procedures work with."""

    settings: Sep2Settings
    transport: Sep2Transport
    clock: Clock

    async def capability(self) -> DeviceCapability:
        """The entry."""
        return await self.transport.get(self.transport.server.entry, DeviceCapability)

    async def devices(self) -> Sequence[EndDevice]:
        """The configured EndDevices as the server lists them.

        Raises:
            PermanentError: one is not listed.
        """
        link = (await self.capability()).end_device_list_link
        if link is None:
            raise NotApplicableError("no EndDeviceListLink")
        limit = self.settings.max_list_items
        listed = (await read_list(self.transport, link.href, EndDeviceList, limit)).content.items
        known = {one.canonical_lfdi: one for one in listed}
        missing = [one.lfdi for one in self.settings.devices if one.lfdi not in known]
        if missing:
            raise PermanentError(f"not listed: {', '.join(missing)}")
        return [known[one.lfdi] for one in self.settings.devices]


Procedure = Callable[[Bench], Awaitable[str]]
"""Returns what was seen; raises a `GridyardError` that says why it failed."""


async def certify(bench: Bench, *, write: bool) -> AsyncIterator[Verdict]:
    """Run every procedure that applies, one after the other; none stops the next."""
    for name, title, procedure in READING + (WRITING if write else ()):
        try:
            passed, detail = True, await procedure(bench)
        except NotApplicableError as error:
            yield Verdict(procedure=name, title=title, passed=None, detail=str(error))
            continue
        except GridyardError as error:
            passed, detail = False, str(error)
        yield Verdict(procedure=name, title=title, passed=passed, detail=detail)


async def _address(bench: Bench) -> str:
    """The configured address is used, and one linked resource fetched."""
    capability = await bench.capability()
    if capability.time_link is None:
        raise PermanentError("DeviceCapability has no TimeLink to follow")
    await bench.transport.get(capability.time_link.href, Time)
    return f"{bench.transport.server.entry} and {capability.time_link.href} fetched"


async def _suite(bench: Bench) -> str:
    """TLS 1.2 with ECDHE-ECDSA-AES128-CCM-8 and nothing else."""
    settings, parts = bench.settings, urlsplit(str(bench.settings.url))
    context = sep2_client_context(settings.ca, settings.cert, settings.key, _CCM8)
    try:
        async with asyncio.timeout(_HANDSHAKE_S):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or _HTTPS_PORT, ssl=context
            )
    except (OSError, TimeoutError, ssl.SSLError) as error:
        raise PermanentError(f"no handshake with CCM-8 alone: {error}") from error
    name, version, _ = writer.get_extra_info("cipher")
    writer.close()
    return f"{version}, {name}"


async def _walk(bench: Bench) -> str:
    """Devices, PINs, list order and poll rates."""
    devices = await bench.devices()
    pins = 0
    for wanted, found in zip(bench.settings.devices, devices, strict=True):
        if wanted.pin is None or found.registration_link is None:
            continue
        there = await bench.transport.get(found.registration_link.href, Registration)
        if there.pin != wanted.pin:
            raise PermanentError(f"PIN of {wanted.lfdi} differs")
        pins += 1
    return f"{len(devices)} devices, {pins} PINs compared"


async def _time(bench: Bench) -> str:
    """Time with quality 7 is followed."""
    link = (await bench.capability()).time_link
    if link is None:
        raise PermanentError("no TimeLink")
    there = await bench.transport.get(link.href, Time)
    ahead = (there.current_time - bench.clock.now()).total_seconds()
    note = "" if there.quality == _UNCOORDINATED else ", quality 7 is what the procedure uses"
    return f"{ahead:+.1f} s from ours, quality {there.quality}{note}"


async def _groups(bench: Bench) -> str:
    """Every function set assignment of every device, however many pages."""
    counts = []
    for device in await bench.devices():
        link = device.function_set_assignments_list_link
        if link is None:
            raise NotApplicableError(f"{device.href} has no function set assignments")
        limit = bench.settings.max_list_items
        listed = await read_list(bench.transport, link.href, FunctionSetAssignmentsList, limit)
        counts.append(len(listed.content.items))
    return f"groups per device: {', '.join(map(str, counts))}"


async def _identities(bench: Bench) -> str:
    """LFDI and SFDI of every managed device agree."""
    for device in await bench.devices():
        expected = sfdi(device.canonical_lfdi)
        if device.sfdi is not None and device.sfdi != expected:
            raise PermanentError(f"{device.href}: SFDI {device.sfdi} instead of {expected}")
    return f"{len(bench.settings.devices)} devices"


async def _log_event(bench: Bench) -> str:
    """A LogEvent for each device that has a list for it."""
    posted = 0
    for number, device in enumerate(await bench.devices()):
        if device.log_event_list_link is None:
            continue
        event = LogEvent(
            created_date_time=bench.clock.now().replace(microsecond=0),
            details="connection test",
            function_set=0,
            log_event_code=0,
            log_event_id=number,
            log_event_pen=bench.settings.pen,
            profile_id=2,
        )
        await bench.transport.post(device.log_event_list_link.href, event)
        posted += 1
    if not posted:
        raise NotApplicableError("no device has a LogEventList")
    return f"{posted} posted"


async def _poll_rates(bench: Bench) -> str:
    """Poll rates lie between a second and a day."""
    link = (await bench.capability()).end_device_list_link
    if link is None:
        raise NotApplicableError("no EndDeviceListLink")
    listed = await read_list(bench.transport, link.href, EndDeviceList, 1_000_000)
    rate = listed.content.poll_rate
    if rate is not None and not timedelta(seconds=1) <= rate <= timedelta(days=1):
        raise PermanentError(f"pollRate {rate.total_seconds():g} s cannot be kept")
    return "default of 900 s" if rate is None else f"{rate.total_seconds():g} s"


READING: tuple[tuple[str, str, Procedure], ...] = (
    ("COMM-002", "configured address, one linked resource", _address),
    ("COMM-003", "TLS 1.2 with ECDHE-ECDSA-AES128-CCM-8", _suite),
    ("CORE-003", "walk, PIN", _walk),
    ("CORE-003", "poll rates", _poll_rates),
    ("CORE-005", "time", _time),
    ("CORE-011", "function set assignments", _groups),
    ("BASIC-001", "SFDI and LFDI of every managed device", _identities),
)
WRITING: tuple[tuple[str, str, Procedure], ...] = (("BASIC-027", "LogEvent", _log_event),)
