"""What a new reading of the server's lists changes: controls received, edited, called off, gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic

from contracts.time import Interval
from gateway.domain.der.control import (
    ControlStatus,
    DerControl,
    DerProgram,
    Known,
    Value,
    Value_co,
)
from gateway.domain.der.device import Device
from gateway.domain.der.draw import draw
from gateway.domain.der.engagement import Engagement, Fate, Standing, shifted
from gateway.domain.der.progress import Happening
from gateway.domain.der.responses import Edition, ResponseCode, ResponseProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Generic[Value_co]):
    """The engagements after the news, before anything follows from them."""

    engagements: Mapping[str, Engagement[Value_co]]
    happened: tuple[Happening, ...] = ()


def take_in(
    engagements: Mapping[str, Engagement[Value]],
    seen: Known[Value],
    now: datetime,
    *,
    device: Device,
    profile: ResponseProfile,
) -> Intake[Value]:
    """Hold what is listed now against what is known; the order of the lists does not matter."""
    programs = {program.program_id: program for program in seen.programs}
    listed = _listed(seen.controls, programs, device)
    taken: dict[str, Engagement[Value]] = {}
    happened: list[Happening] = []
    for mrid in sorted(engagements.keys() | listed.keys()):
        known, control = engagements.get(mrid), listed.get(mrid)
        if known is None and control is not None:
            taken[mrid] = receive(control, now, device)
            happened += _receipt(taken[mrid])
        elif known is not None and known.outcome is None:
            reason = _called_off(known, control, programs, profile.edition)
            if control is not None and control != known.control:
                known, refusals = _edited(known, control, now, device)
                happened += refusals
            off = bool(reason) and known.cancelled_at is None
            taken[mrid] = _cancelled(known, now, reason) if off else known
        elif known is not None and (control is not None or now < _forgettable(known, profile)):
            taken[mrid] = known
    if profile.revive:
        taken.update(_revived(taken, listed, now))
    return Intake(engagements=taken, happened=tuple(happened))


def receive(control: DerControl[Value], now: datetime, device: Device) -> Engagement[Value]:
    """A control seen for the first time: drawn, judged, and refused if it is over.

    A control whose every mode is rejected is never in force; of one rejected in part the other
    modes run, and the rejection is answered beside them.
    """
    engagement = Engagement(
        control=control,
        first_seen=now,
        draws=draw(
            control.mrid,
            device.lfdi,
            randomize_start=control.randomize_start,
            randomize_duration=control.randomize_duration,
        ),
        modes={mode: _judged(mode, value, device) for mode, value in control.modes.items()},
    )
    end = control.window.end
    if (end is not None and end <= now) or control.status is ControlStatus.COMPLETED:
        return replace(engagement, outcome=ResponseCode.EXPIRED, ended_at=now)
    if not any(engagement.open_modes()):
        worst = _worst(engagement) or _EMPTY
        return replace(engagement, outcome=worst.code, ended_at=now)
    if control.status.is_cancelled:
        return _cancelled(engagement, now, "the server has cancelled it")
    return engagement


def opted(
    engagements: Mapping[str, Engagement[Value]],
    opted_out: Mapping[str, Collection[str]] | None,
    now: datetime,
    device: Device,
) -> Intake[Value]:
    """Follow the users' changes of mind, which act at once and without randomisation (10.2.4).

    The device has opted out when all its parts have; what fewer do is told at the end.
    """
    changed: dict[str, Engagement[Value]] = {}
    happened: list[Happening] = []
    for mrid, engagement in engagements.items():
        wish = engagement.parts_out if opted_out is None else opted_out.get(mrid, ())
        parts_out = tuple(part for part in device.parts if part in wish)
        out = parts_out == device.parts
        same = (parts_out, out) == (engagement.parts_out, engagement.opted_out)
        if same or engagement.outcome is not None:
            continue
        changed[mrid] = _chosen(engagement, parts_out, now, out=out)
        if out != engagement.opted_out:
            happened.append(_choice(mrid, now, out=out))
    return Intake(engagements={**engagements, **changed}, happened=tuple(happened))


def _chosen(
    engagement: Engagement[Value], parts_out: tuple[str, ...], now: datetime, *, out: bool
) -> Engagement[Value]:
    back = now if engagement.opted_out else engagement.opted_in_at
    return replace(
        engagement,
        parts_out=parts_out,
        opted_out=out,
        opted_in_at=None if out else back,
        complete_at=None if parts_out else now,
    )


def _choice(mrid: str, now: datetime, *, out: bool) -> Happening:
    code = ResponseCode.OPT_OUT if out else ResponseCode.OPT_IN
    cause = "the user opted out" if out else "the user opted in again"
    return Happening(mrid=mrid, at=now, code=code, cause=cause, turn=0)


def _listed(
    controls: Iterable[DerControl[Value]], programs: Mapping[str, DerProgram], device: Device
) -> dict[str, DerControl[Value]]:
    """Controls of the device's programs that concern it, each mRID once (10.2.5).

    Of two copies the stronger program's counts, then the one further on in its life.
    """
    listed: dict[str, DerControl[Value]] = {}
    usable = [c for c in controls if c.program_id in programs and device.concerns(c)]
    usable.sort(key=lambda c: (programs[c.program_id].primacy, c.program_id, -c.status))
    for control in usable:
        listed.setdefault(control.mrid, control)
    return listed


def _called_off(
    known: Engagement[Value],
    control: DerControl[Value] | None,
    programs: Mapping[str, DerProgram],
    edition: Edition,
) -> str:
    """Why a control is over for the device, or nothing while it is not."""
    if control is not None:
        return "the server has cancelled it" if control.status.is_cancelled else ""
    if known.control.program_id not in programs:
        return "the device is no longer assigned to its program"
    return "the server no longer lists it" if edition is Edition.V2023 else ""


def _edited(
    known: Engagement[Value], control: DerControl[Value], now: datetime, device: Device
) -> tuple[Engagement[Value], list[Happening]]:
    """Follow a server that edits a control though it should not (10.2.3.3 c).

    A new value that the device cannot follow is answered, and the last good one stays in force. One
    that runs goes on to its new end, even if it is to begin anew later: no limit is lost between.
    """
    values, standings = dict(control.modes), dict(known.modes)
    refusals: list[Happening] = []
    for mode, value in control.modes.items():
        standing, kept = standings.get(mode), known.control.modes
        if standing is not None and mode in kept and kept[mode] == value:
            continue
        judged = _judged(mode, value, device)
        if judged.fate is Fate.REJECTED:
            refusals.append(_refusal(control.mrid, judged, now))
        if standing is None or standing.fate is Fate.REJECTED:
            standings[mode] = judged
        elif judged.fate is Fate.REJECTED and mode in kept:
            values[mode] = kept[mode]
    for mode in standings.keys() - control.modes.keys():
        if standings[mode].fate is Fate.OPEN:
            reason = "the server took it out of the control"
            standings[mode] = replace(
                standings[mode], fate=Fate.CANCELLED, ended_at=now, reason=reason
            )
    followed = replace(control, modes=values, window=_window(known, control))
    return replace(known, control=followed, modes=standings), refusals


def _window(known: Engagement[object], control: DerControl[object]) -> Interval:
    """When it holds after an edit; one that runs has begun, whatever its new start."""
    begun = known.control.window.start
    if known.started and begun < control.window.start:
        return Interval(start=begun, end=control.window.end)
    return control.window


def _cancelled(engagement: Engagement[Value], now: datetime, reason: str) -> Engagement[Value]:
    """Stop now; where the server cancelled with randomisation, up to a random delay later."""
    random = engagement.control.status is ControlStatus.CANCELLED_RANDOMLY
    return replace(
        engagement,
        cancelled_at=now,
        cancel_tail=engagement.draws.cancel if random else timedelta(0),
        cancel_reason=reason,
    )


def _judged(mode: str, value: object, device: Device) -> Standing:
    rejection = device.applicable(mode, value)
    if rejection is None:
        return Standing()
    return Standing(fate=Fate.REJECTED, code=rejection.code, reason=rejection.reason)


def _worst(engagement: Engagement[object]) -> Standing | None:
    """The rejection to answer, when one code must stand for all."""
    rejected = (s for s in engagement.modes.values() if s.fate is Fate.REJECTED)
    return max(rejected, key=lambda s: s.code or 0, default=None)


def _receipt(engagement: Engagement[object]) -> list[Happening]:
    mrid, now = engagement.control.mrid, engagement.first_seen
    if engagement.outcome is ResponseCode.EXPIRED:
        code, cause = ResponseCode.EXPIRED, "it was over before it was received"
        return [Happening(mrid=mrid, at=now, code=code, cause=cause, turn=0)]
    code, cause = ResponseCode.RECEIVED, "it was listed for the first time"
    happened = [Happening(mrid=mrid, at=now, code=code, cause=cause, turn=0)]
    worst = _worst(engagement)
    if worst is not None or engagement.outcome is not None:
        happened.append(_refusal(mrid, worst or _EMPTY, now))
    return happened


_EMPTY = Standing(fate=Fate.REJECTED, code=ResponseCode.INVALID, reason="it sets no mode")


def _refusal(mrid: str, standing: Standing, now: datetime) -> Happening:
    code = standing.code or ResponseCode.INVALID
    return Happening(mrid=mrid, at=now, code=code, cause=standing.reason, turn=0)


def _revived(
    engagements: Mapping[str, Engagement[Value]],
    listed: Mapping[str, DerControl[Value]],
    now: datetime,
) -> dict[str, Engagement[Value]]:
    """Controls whose better one was cancelled before it began, with the modes it had cost them."""
    revived: dict[str, Engagement[Value]] = {}
    for mrid, engagement in engagements.items():
        control = listed.get(mrid)
        end = engagement.control.window.end
        if control is None or control.status.is_cancelled or (end is not None and end <= now):
            continue
        back = {
            mode: Standing()
            for mode, standing in engagement.modes.items()
            if standing.fate is Fate.DROPPED and _never_began(engagements.get(standing.by or ""))
        }
        if back:
            modes = {**engagement.modes, **back}
            revived[mrid] = replace(engagement, modes=modes, outcome=None, ended_at=None)
    return revived


def _never_began(rival: Engagement[object] | None) -> bool:
    return rival is not None and rival.cancelled_at is not None and not rival.started


def _forgettable(engagement: Engagement[object], profile: ResponseProfile) -> datetime:
    """When the record of an ended control that is no longer listed may go."""
    ended = engagement.ended_at or engagement.first_seen
    return shifted(max(engagement.control.window.end or ended, ended), profile.remember)
