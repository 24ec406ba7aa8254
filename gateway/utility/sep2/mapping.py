"""Resources of the server to the event rules' words, and answers back; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import (
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERControlResponse,
    RejectedItem,
)
from gateway.domain.der.control import (
    ControlStatus,
    DerControl,
    DerDefault,
    DerProgram,
    Known,
    ResponseRequired,
)
from gateway.domain.der.device import Device
from gateway.domain.der.engagement import DeviceState
from gateway.domain.der.responses import Edition, ResponseCode, ResponseDue, ResponseProfile
from gateway.utility.sep2.curves import NO_CURVES, Curves, Setting, followed, is_curve
from gateway.utility.sep2.mapping_modes import applicable
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.view import DeviceView, ProgramView

_TAG = re.compile(rb"<\s*(?:[\w.-]+:)?([\w.-]{1,64})")
_KNOWN_STATUS = frozenset(ControlStatus)
_NOTHING: Mapping[str, Setting] = MappingProxyType({})


def profile(settings: Sep2Settings) -> ResponseProfile:
    """How this utility wants the rules read."""
    return ResponseProfile(
        edition=Edition(settings.edition),
        codes=frozenset(ResponseCode(code) for code in settings.response_codes),
        displaced_before_start=ResponseCode(settings.displaced_code),
    )


def device(settings: DeviceSettings, view: DeviceView | None) -> Device:
    """The device for the rules; its kind is the deviceCategory the server has on record."""
    category = None if view is None else view.end_device.device_category
    return Device(lfdi=settings.lfdi, categories=category or None, applicable=applicable(settings))


def known(
    view: DeviceView, settings: DeviceSettings, state: DeviceState[Setting]
) -> Known[Setting]:
    """Everything the server lists for the device.

    A control known before that has become unreadable stays as it was: garbage cancels nothing.
    """
    controls: list[DerControl[Setting]] = []
    for program in view.programs:
        curves = _curves(program, settings)
        controls += [control(one, program_id(program), curves) for one in program.controls]
    before = {one.program_id: one.modes for one in state.defaults}
    unreadable = {mrid for mrid, _ in rejected(view)}
    controls += [
        engagement.control
        for engagement in state.engagements
        if engagement.control.mrid in unreadable
    ]
    return Known(
        programs=tuple(
            DerProgram(
                program_id=program_id(one),
                primacy=one.program.primacy,
                description=one.program.description or "",
            )
            for one in view.programs
        ),
        controls=tuple(controls),
        defaults=tuple(
            default(
                one.default,
                program_id(one),
                settings,
                _curves(one, settings),
                before.get(program_id(one), {}),
            )
            for one in view.programs
            if one.default is not None
        ),
    )


def _curves(program: ProgramView, settings: DeviceSettings) -> Curves:
    """Those of a program, for a device that can follow any."""
    return program.curves if settings.inverter_modes else NO_CURVES


def program_id(program: ProgramView) -> str:
    """The program's mRID, or where it is when it has none."""
    return program.program.canonical_mrid or program.href


def control(resource: DERControl, program: str, curves: Curves = NO_CURVES) -> DerControl[Setting]:
    """One DERControl. A status we do not know changes nothing: only verified ones act (k)."""
    status = resource.event_status.current_status
    return DerControl(
        mrid=canonical_mrid(resource.mrid),
        program_id=program,
        created_at=resource.creation_time,
        window=resource.interval.window,
        modes=dict(_modes(resource.der_control_base, curves)),
        randomize_start=resource.randomize_start or timedelta(0),
        randomize_duration=resource.randomize_duration or timedelta(0),
        status=ControlStatus(status if status in _KNOWN_STATUS else ControlStatus.SCHEDULED),
        response_required=ResponseRequired(resource.response_required & _ALL_BITS),
        reply_to=resource.reply_to,
        device_category=resource.device_category,
        ramp=resource.der_control_base.ramp_tms,
    )


_ALL_BITS = sum(ResponseRequired)


def default(
    resource: DefaultDERControl,
    program: str,
    settings: DeviceSettings,
    curves: Curves = NO_CURVES,
    before: Mapping[str, Setting] = _NOTHING,
) -> DerDefault[Setting]:
    """A program's default: the modes the device can follow, and the ramp rates.

    Nobody is told of the others: a default is not answered (CSIP v2.1 G7). A curve that has become
    unreadable or invalid leaves the one of `before` in force.
    """
    judge = applicable(settings)
    modes: dict[str, Setting] = {}
    for mode, value in _modes(resource.der_control_base, curves):
        if judge(mode, value) is None:
            modes[mode] = value
        elif is_curve(value) and mode in before and judge(mode, before[mode]) is None:
            modes[mode] = before[mode]
    if resource.set_grad_w is not None:
        modes["setGradW"] = resource.set_grad_w
    if resource.set_soft_grad_w is not None:
        modes["setSoftGradW"] = resource.set_soft_grad_w
    return DerDefault(program_id=program, modes=modes)


def _modes(base: DERControlBase, curves: Curves) -> Iterator[tuple[str, Setting]]:
    """Modes by name; elements nobody knows are modes too, which the device will refuse."""
    yield from ((mode, followed(value, curves)) for mode, value in base.modes.items())
    for raw in base.extension:
        tag = _TAG.match(raw.strip())
        yield (tag.group(1).decode(errors="replace") if tag else "an unknown mode"), True


def rejected(view: DeviceView) -> Iterator[tuple[str, RejectedItem]]:
    """Listed controls that cannot be read, by mRID; one without an mRID cannot be answered."""
    for program in view.programs:
        for item in program.rejected:
            if item.mrid:
                yield canonical_mrid(item.mrid), item


def as_listed(view: DeviceView | None) -> dict[str, str]:
    """How the server writes each mRID, by its canonical form: answers echo it."""
    controls = (one for program in view.programs for one in program.controls) if view else ()
    return {canonical_mrid(one.mrid): one.mrid for one in controls}


def descriptions(view: DeviceView | None) -> dict[str, str]:
    """What the utility calls its controls, by canonical mRID."""
    controls = (one for program in view.programs for one in program.controls) if view else ()
    return {canonical_mrid(one.mrid): one.description for one in controls if one.description}


def response(due: ResponseDue, subject: str) -> DERControlResponse:
    """One answer, as posted; its time is the server's."""
    return DERControlResponse(
        created_date_time=due.at,
        end_device_lfdi=due.lfdi,
        status=int(due.code),
        subject=subject,
    )
