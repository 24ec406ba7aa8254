"""Time goes on: controls begin, end and give way, under what was known at the beginning of a span.

Several steps may be late at once (nobody looked for hours); each keeps its own instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic

from gateway.domain.der.control import DerProgram, Value, Value_co
from gateway.domain.der.engagement import FOREVER, Engagement, Fate, Standing
from gateway.domain.der.resolve import Claim, Hold, Loss, Placement, claim, place
from gateway.domain.der.responses import ResponseCode, ResponseProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something a server may want to hear."""

    mrid: str
    at: datetime
    code: ResponseCode
    cause: str
    turn: int
    """Among what happens at one instant: 0 news, 1 ends, 2 starts, 3 ends of what has no length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Generic[Value_co]):
    """Where everything stands at the end of the span."""

    engagements: Mapping[str, Engagement[Value_co]]
    holds: Mapping[str, tuple[Hold, ...]]
    """Who holds each mode, and will hold it if nothing new is heard."""
    happened: tuple[Happening, ...]

    def next_change(self, after: datetime) -> datetime | None:
        """When the next control begins, ends or gives way."""
        instants = (
            instant
            for holds in self.holds.values()
            for hold in holds
            for instant in (hold.end, *(edge for piece in hold.pieces for edge in piece))
        )
        return min((one for one in instants if after < one < FOREVER), default=None)


def progress(
    engagements: Mapping[str, Engagement[Value]],
    programs: Mapping[str, DerProgram],
    *,
    since: datetime,
    now: datetime,
    profile: ResponseProfile,
) -> Progress[Value]:
    """Go from `since` to `now` with what was known at `since`; both may be the same instant.

    A control that loses to one it did not know before is dropped at `since`.
    """
    placements = _placements(engagements, programs, since, resume=profile.resume)
    changes = _changes(engagements, placements, since, now, resume=profile.resume)
    happened: list[Happening] = []
    after = dict(engagements)
    for mrid, modes in changes.items():
        before = engagements[mrid]
        after[mrid] = _closed(replace(before, modes={**before.modes, **modes}), profile)
        happened += _happenings(before, after[mrid])
    return Progress(
        engagements=after,
        holds={mode: tuple(placement.holds) for mode, placement in placements.items()},
        happened=tuple(happened),
    )


def _placements(
    engagements: Mapping[str, Engagement[Value]],
    programs: Mapping[str, DerProgram],
    at: datetime,
    *,
    resume: bool,
) -> dict[str, Placement]:
    claims: dict[str, list[Claim]] = {}
    for engagement in engagements.values():
        if engagement.outcome is None:
            one = claim(engagement, programs, at)
            for mode in engagement.open_modes():
                claims.setdefault(mode, []).append(one)
    return {mode: place(found, at, resume=resume) for mode, found in claims.items()}


def _changes(
    engagements: Mapping[str, Engagement[Value]],
    placements: Mapping[str, Placement],
    since: datetime,
    now: datetime,
    *,
    resume: bool,
) -> dict[str, dict[str, Standing]]:
    """New standings by control and mode; nothing for one whose modes are all closed already."""
    changes: dict[str, dict[str, Standing]] = {
        mrid: {}
        for mrid, engagement in engagements.items()
        if engagement.outcome is None and not any(engagement.open_modes())
    }
    for mode, placement in placements.items():
        for loss in placement.losses:
            standing = engagements[loss.claim.mrid].modes[mode]
            changes.setdefault(loss.claim.mrid, {})[mode] = _dropped(standing, loss, since)
        for hold in placement.holds:
            standing = engagements[hold.claim.mrid].modes[mode]
            moved = _moved(standing, hold, since, now, resume=resume)
            if moved is not standing:
                changes.setdefault(hold.claim.mrid, {})[mode] = moved
    return changes


def _dropped(standing: Standing, loss: Loss, at: datetime) -> Standing:
    if loss.rival is None:
        reason = "the server marks it superseded"
        return replace(standing, fate=Fate.DROPPED, ended_at=at, reason=reason)
    return _lost(replace(standing, fate=Fate.DROPPED, ended_at=at), loss.rival)


def _moved(
    standing: Standing, hold: Hold, since: datetime, now: datetime, *, resume: bool
) -> Standing:
    """The mode of one control after the span; the same object if nothing became of it."""
    held = standing.held_from
    if held is None:
        held = next((max(start, since) for start, _ in hold.pieces if start <= now), None)
    if hold.end > now:
        return standing if held is standing.held_from else replace(standing, held_from=held)
    at, engagement = max(hold.end, since), hold.claim.engagement
    if engagement.cancelled_at is not None:
        reason = engagement.cancel_reason
        return Standing(fate=Fate.CANCELLED, held_from=held, ended_at=at, reason=reason)
    if hold.rival is not None and not (resume and held is not None):
        moved = Standing(fate=Fate.DISPLACED, held_from=held, ended_at=at)
        return _lost(moved, hold.rival)
    if engagement.opted_out:
        reason = "the user does not take part"
        return Standing(fate=Fate.DONE, held_from=held, ended_at=at, reason=reason)
    return Standing(fate=Fate.DONE, held_from=held or at, ended_at=at, reason="it ran to its end")


def _lost(standing: Standing, rival: Claim) -> Standing:
    control = rival.engagement.control
    reason = f"control {control.mrid} takes over"
    return replace(standing, by=control.mrid, by_program=control.program_id, reason=reason)


def _closed(engagement: Engagement[Value], profile: ResponseProfile) -> Engagement[Value]:
    """The engagement with its outcome, once no mode is open any more."""
    if any(engagement.open_modes()):
        return engagement
    ended_at = max(s.ended_at for s in engagement.modes.values() if s.ended_at is not None)
    return replace(engagement, outcome=outcome(engagement, profile), ended_at=ended_at)


def outcome(engagement: Engagement[object], profile: ResponseProfile) -> ResponseCode:
    """How a control ended none of whose modes is open; not for one that was refused.

    It is completed if any mode ran to its end, whatever became of the others.
    """
    fate = _deciding(engagement).fate
    if fate is Fate.DONE:
        return _completed(engagement)
    if fate is Fate.CANCELLED:
        return ResponseCode.CANCELLED
    own = engagement.control.program_id
    displacers = {s.by_program for s in engagement.modes.values() if s.fate is not Fate.REJECTED}
    if engagement.started or displacers & {own, None}:
        return ResponseCode.SUPERSEDED
    return profile.displaced_before_start


def _deciding(engagement: Engagement[object]) -> Standing:
    """The mode that says how the whole control ended."""
    return max(
        engagement.modes.values(),
        key=lambda s: (_WEIGHT[s.fate], s.ended_at or engagement.first_seen),
    )


_WEIGHT = {
    Fate.REJECTED: 0,
    Fate.DROPPED: 1,
    Fate.DISPLACED: 1,
    Fate.CANCELLED: 2,
    Fate.DONE: 3,
    Fate.OPEN: 4,
}


def _completed(engagement: Engagement[object]) -> ResponseCode:
    """Of a device with parts, it counts who takes part at the end: only all make it whole."""
    if engagement.opted_out and not engagement.started:
        return ResponseCode.NO_PARTICIPATION
    if engagement.parts_out:
        return ResponseCode.PARTIAL_OPT_OUT
    back = engagement.complete_at
    if back is not None and back > replace(engagement, opted_in_at=None).span()[0]:
        return ResponseCode.PARTIAL_OPT_IN
    return ResponseCode.COMPLETED


def _happenings(before: Engagement[object], after: Engagement[object]) -> Iterator[Happening]:
    mrid = after.control.mrid
    start = min((s.held_from for s in after.modes.values() if s.held_from), default=None)
    if start is not None and not before.started:
        cause = "its time has come"
        yield Happening(mrid=mrid, at=start, code=ResponseCode.STARTED, cause=cause, turn=2)
    if after.outcome is not None and after.ended_at is not None:
        yield Happening(
            mrid=mrid,
            at=after.ended_at,
            code=after.outcome,
            cause=_deciding(after).reason,
            turn=3 if start == after.ended_at else 1,
        )
