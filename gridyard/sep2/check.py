"""Is the way to a utility's IEEE 2030.5 server open, and does it know our devices? Step by step."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

from contracts.errors import GridyardError, LinkDownError
from contracts.identity import certificate_der, lfdi, sfdi
from contracts.sep2.resources import (
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Link,
    Registration,
    Time,
)
from contracts.time import Clock
from gateway.utility.sep2.paging import read_list
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.transport import NotVisibleError, Sep2Transport
from gridyard.findings import Finding

_CLOCK_ALARM = timedelta(seconds=60)


async def check(
    settings: Sep2Settings, transport: Sep2Transport, clock: Clock
) -> AsyncIterator[Finding]:
    """Every step in order; ends with the first that makes the rest pointless."""
    der = certificate_der(settings.cert)
    own = lfdi(der)
    yield Finding(step="our certificate", ok=True, detail=f"LFDI {own}, SFDI {sfdi(own)}")
    try:
        capability = await transport.get(transport.server.entry, DeviceCapability)
    except GridyardError as error:
        yield _unreachable(error)
        return
    yield Finding(
        step="DeviceCapability", ok=True, detail=f"answered by {transport.server.base}, TLS held"
    )
    yield await _time(transport, capability, clock)
    if capability.end_device_list_link is None:
        yield Finding(
            step="EndDevices",
            ok=False,
            detail="DeviceCapability has no EndDeviceListLink",
            hint=f"ask the utility whether LFDI {own} is enrolled as an aggregator",
        )
        return
    async for finding in _devices(settings, transport, capability.end_device_list_link):
        yield finding


async def _time(transport: Sep2Transport, capability: DeviceCapability, clock: Clock) -> Finding:
    if capability.time_link is None:
        return Finding(
            step="Time", ok=False, detail="no TimeLink", hint="without it no event may be followed"
        )
    try:
        there = await transport.get(capability.time_link.href, Time)
    except GridyardError as error:
        return Finding(step="Time", ok=False, detail=str(error))
    ahead = there.current_time - clock.now()
    near = abs(ahead) <= _CLOCK_ALARM
    return Finding(
        step="Time",
        ok=True,
        detail=f"the server is {ahead.total_seconds():+.1f} s from us, quality {there.quality}",
        hint="" if near else "its time is followed all the same; look at both clocks",
    )


async def _devices(
    settings: Sep2Settings, transport: Sep2Transport, link: Link
) -> AsyncIterator[Finding]:
    try:
        listed = await read_list(transport, link.href, EndDeviceList, settings.max_list_items)
    except GridyardError as error:
        yield Finding(step="EndDevices", ok=False, detail=str(error))
        return
    known = {device.canonical_lfdi: device for device in listed.content.items}
    yield Finding(step="EndDevices", ok=True, detail=f"{len(known)} listed for us")
    for wanted in settings.devices:
        yield await _device(settings, transport, wanted, known.get(wanted.lfdi))


async def _device(
    settings: Sep2Settings,
    transport: Sep2Transport,
    wanted: DeviceSettings,
    found: EndDevice | None,
) -> Finding:
    step = f"{' + '.join(wanted.sites)} ({wanted.scope})"
    if found is None:
        hint = "it will be registered in band" if settings.in_band else "the utility must enrol it"
        detail = f"LFDI {wanted.lfdi} is not listed"
        return Finding(step=step, ok=settings.in_band, detail=detail, hint=hint)
    try:
        wrong = await _pin_fault(transport, wanted, found)
        programs = await _programs(settings, transport, found)
    except GridyardError as error:
        return Finding(step=step, ok=False, detail=str(error))
    return Finding(
        step=step,
        ok=not wrong,
        detail=wrong or programs,
        hint="compare the PIN in our settings with the utility's" if wrong else "",
    )


async def _pin_fault(transport: Sep2Transport, wanted: DeviceSettings, found: EndDevice) -> str:
    if wanted.pin is None or found.registration_link is None:
        return ""
    there = await transport.get(found.registration_link.href, Registration)
    return "" if there.pin == wanted.pin else "the PIN differs: we would not follow this device"


async def _programs(settings: Sep2Settings, transport: Sep2Transport, found: EndDevice) -> str:
    if found.function_set_assignments_list_link is None:
        return "registered; no function set assignments yet"
    groups = await read_list(
        transport,
        found.function_set_assignments_list_link.href,
        FunctionSetAssignmentsList,
        settings.max_list_items,
    )
    names = []
    for group in groups.content.items:
        if group.der_program_list_link is not None:
            listed = await read_list(
                transport,
                group.der_program_list_link.href,
                DERProgramList,
                settings.max_list_items,
            )
            names += [p.description or p.canonical_mrid for p in listed.content.items]
    return f"registered; {len(groups.content.items)} groups, programs: {', '.join(names) or 'none'}"


def _unreachable(error: GridyardError) -> Finding:
    return Finding(step="DeviceCapability", ok=False, detail=str(error), hint=_diagnosis(error))


_TLS_HINTS = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate does not lead to `ca`, or its name is not the one in `url`",
    ),
    ("UNKNOWN_CA", "the server does not accept the root of our certificate"),
    ("CERTIFICATE_REQUIRED", "the server wants a client certificate and got none it accepts"),
    ("BAD_CERTIFICATE", "the server refuses our certificate"),
    (
        "HANDSHAKE_FAILURE",
        "no cipher suite in common, or our certificate is not accepted: compare "
        "`ciphers` with the utility's list",
    ),
    ("WRONG_VERSION_NUMBER", "the other side does not speak TLS on this port"),
    (
        "connection attempts failed",
        "nobody listens at this address: host and port of `url`, or a firewall",
    ),
    ("Name or service not known", "the host name of `url` cannot be resolved"),
    ("no answer in time", "reachable, but silent: a firewall between us, or an overloaded server"),
)


def _diagnosis(error: GridyardError) -> str:
    if isinstance(error, NotVisibleError):
        return (
            "TLS holds, but the server shows us nothing: is our LFDI enrolled, is the path right?"
        )
    if not isinstance(error, LinkDownError):
        return ""
    text = f"{error} {_causes(error)}"
    return next((hint for sign, hint in _TLS_HINTS if sign.lower() in text.lower()), "")


def _causes(error: BaseException | None) -> str:
    """What lies below: an SSL library says more than its wrappers."""
    texts = []
    while error is not None:
        texts.append(
            getattr(error, "reason", "") if isinstance(error, ssl.SSLError) else str(error)
        )
        error = error.__cause__ or error.__context__
    return " ".join(str(text) for text in texts)
