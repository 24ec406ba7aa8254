"""The whole step for one EndDevice: what was due, what is new, what holds, when to look again.

`advance` is pure: the same state, lists and instant give the same step, however often it is asked
and however long nobody asked. A server out of reach is `seen=None`: the schedule is finished, then
the defaults hold (CSIP v2.1 G12).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic

from gateway.domain.der.control import DerDefault, DerProgram, Known, Value, Value_co
from gateway.domain.der.device import Device
from gateway.domain.der.engagement import DeviceState, Engagement
from gateway.domain.der.intake import Intake, opted, take_in
from gateway.domain.der.progress import Happening, Progress, progress
from gateway.domain.der.resolve import Hold
from gateway.domain.der.responses import CSIP, ResponseCode, ResponseDue, ResponseProfile, wanted
from gateway.domain.der.schedule import Schedule, make_schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[Value_co]):
    """The outcome of one look at one device."""

    state: DeviceState[Value_co]
    """To be stored before, or with, the Responses: they are not told again."""
    responses: tuple[ResponseDue, ...]
    """In order of time."""
    schedule: Schedule[Value_co]
    """For the device as a whole."""
    apart: Mapping[str, Schedule[Value_co]]
    """For each of its parts that has opted out of something: without that."""

    @property
    def next_change(self) -> datetime | None:
        """When to look again at the latest, should nothing be heard; None: no need."""
        return self.state.next_change


def advance(
    state: DeviceState[Value],
    seen: Known[Value] | None,
    now: datetime,
    *,
    device: Device,
    profile: ResponseProfile = CSIP,
    opted_out: Mapping[str, Collection[str]] | None = None,
) -> Step[Value]:
    """Work out everything up to `now`, then take in what the server lists and the user wants.

    `seen` is what a complete walk found, or None when nothing new was heard since. `opted_out`
    has, by control (mRID), the parts of the device that do not take part at present; None: those
    that did not before. A `now` before the last one counts as the last one: corrections of the
    clock never step the rules back.
    """
    now = now if state.at is None else max(now, state.at)
    known = {engagement.control.mrid: engagement for engagement in state.engagements}
    former = programs = _by_id(state.programs)
    defaults = state.defaults
    past = _overdue(state, known, programs, now, profile)
    before = known if past is None else past.engagements
    news = Intake(engagements=before)
    if seen is not None:
        news = take_in(before, seen, now, device=device, profile=profile)
        programs, defaults = _by_id(seen.programs), _in_order(seen.defaults)
    wishes = opted(news.engagements, opted_out, now, device)
    present = past
    if present is None or programs != former or not _same(wishes.engagements, before):
        present = progress(wishes.engagements, programs, since=now, now=now, profile=profile)
    steps = (past, news, wishes, present if present is not past else None)
    happened = [one for step in steps if step is not None for one in step.happened]
    told, responses = _told({**before, **present.engagements}, happened, device, profile)
    state = DeviceState(
        at=now,
        next_change=present.next_change(now),
        programs=tuple(programs.values()),
        defaults=defaults,
        engagements=tuple(told[mrid] for mrid in sorted(present.engagements)),
    )
    return Step(
        state=state,
        responses=responses,
        schedule=make_schedule(told, present.holds, defaults, programs, now),
        apart={
            part: make_schedule(told, _others(present.holds, out), defaults, programs, now)
            for part, out in _left(told).items()
        },
    )


def _left(engagements: Mapping[str, Engagement[object]]) -> dict[str, set[str]]:
    """What each part of the device has opted out of while others take part."""
    left: dict[str, set[str]] = {}
    for mrid, engagement in engagements.items():
        if engagement.outcome is None and not engagement.opted_out:
            for part in engagement.parts_out:
                left.setdefault(part, set()).add(mrid)
    return left


def _others(
    holds: Mapping[str, Sequence[Hold]], out: Collection[str]
) -> dict[str, tuple[Hold, ...]]:
    """All but these controls; in their place there is the default."""
    return {
        mode: tuple(hold for hold in found if hold.claim.mrid not in out)
        for mode, found in holds.items()
    }


def _overdue(
    state: DeviceState[Value],
    engagements: Mapping[str, Engagement[Value]],
    programs: Mapping[str, DerProgram],
    now: datetime,
    profile: ResponseProfile,
) -> Progress[Value] | None:
    """What went on by itself since the last look, under what was known then; None: nothing."""
    if state.at is None or state.next_change is None or now < state.next_change:
        return None
    return progress(engagements, programs, since=state.at, now=now, profile=profile)


def _same(after: Mapping[str, Engagement[Value]], before: Mapping[str, Engagement[Value]]) -> bool:
    """Whether nothing new was heard of any control."""
    return len(after) == len(before) and all(before.get(m) is e for m, e in after.items())


def _in_order(defaults: Iterable[DerDefault[Value]]) -> tuple[DerDefault[Value], ...]:
    return tuple(sorted(defaults, key=lambda default: default.program_id))


def _by_id(programs: Iterable[DerProgram]) -> dict[str, DerProgram]:
    """Each program once, under its strongest primacy, in order of id."""
    ordered = sorted(programs, key=lambda p: (p.program_id, -p.primacy, p.description))
    return {program.program_id: program for program in ordered}


_UNDOES = {
    ResponseCode.OPT_OUT: ResponseCode.OPT_IN,
    ResponseCode.OPT_IN: ResponseCode.OPT_OUT,
}
"""Changes of mind that make the earlier one worth telling again."""


def _told(
    engagements: Mapping[str, Engagement[Value]],
    happened: Iterable[Happening],
    device: Device,
    profile: ResponseProfile,
) -> tuple[dict[str, Engagement[Value]], tuple[ResponseDue, ...]]:
    """The Responses that follow, and the engagements that remember them."""
    told, due = dict(engagements), list[ResponseDue]()
    sent: dict[str, list[ResponseCode]] = {}
    for one in sorted(happened, key=lambda h: (h.at, h.turn, h.mrid)):
        engagement = engagements[one.mrid]
        codes = sent.setdefault(one.mrid, list(engagement.sent))
        undone = _UNDOES.get(one.code)
        if undone is not None and undone in codes:
            codes.remove(undone)
        code, reply_to = profile.spoken(one.code), engagement.control.reply_to
        if (code or one.code) in codes:
            continue
        codes.append(code or one.code)
        if code is not None and reply_to is not None and wanted(engagement.control, one.code):
            due.append(
                ResponseDue(
                    mrid=one.mrid,
                    lfdi=device.lfdi,
                    code=code,
                    at=one.at,
                    reply_to=reply_to,
                    cause=one.cause,
                )
            )
    for mrid, codes in sent.items():
        told[mrid] = replace(told[mrid], sent=tuple(codes))
    return told, tuple(due)
