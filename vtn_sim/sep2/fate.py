"""What should become of a control at one device (IEEE 2030.5-2018, 10.2.3.3; CSIP BASIC, AGG).

Worked out from what was asked alone, so that a client can be held against it. Where two readings
are fair (a client learns of something just as an event begins), both are allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.sep2.codes import ResponseStatus as Code
from vtn_sim.sep2.events import Booked
from vtn_sim.sep2.server_time import whole
from vtn_sim.sep2.spec import ControlSpec, LoadControlSpec

DISPLACED = frozenset({Code.SUPERSEDED, Code.ABORTED_OTHER_PROGRAM})
"""Tests differ on which one: both are taken."""

Control = Booked[ControlSpec] | Booked[LoadControlSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A control and the primacy of its program."""

    event: Control
    primacy: int

    def beats(self, other: Ranked) -> bool:
        """The lower primacy wins, then the newer control (10.2.3.3 f)."""
        mine, theirs = (self.primacy, -self.event.number), (other.primacy, -other.event.number)
        return mine < theirs

    def ties(self, other: Ranked) -> bool:
        """Created in the same second: nobody can tell which one is newer."""
        same = whole(self.event.created_at) == whole(other.event.created_at)
        return same and self.primacy == other.primacy


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When a response may come at the earliest, and the change it tells may be at the latest."""

    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What should happen, and be told."""

    text: str
    starts: bool | None
    """None: it may or may not."""
    start: Span
    ends: frozenset[Code]
    """Any of these says that it is over."""
    end: Span
    certain: bool = True
    """False: the client may never have learned of it, or told nothing; no answer is no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """When a control loses one of its modes to a better one."""

    at: datetime
    before_start: bool | None


def fate(own: Ranked, rivals: Sequence[Ranked], slack: timedelta) -> Fate:
    """What should become of `own` beside the other controls that a device is given.

    `slack` is how long a client may take to learn of a change.
    """
    event = own.event
    begun = max(event.earliest_start, event.created_at)
    start = Span(earliest=begun, latest=max(event.latest_start, event.created_at))
    if event.end <= event.created_at:
        over = Span(earliest=event.created_at, latest=event.created_at)
        return _fate("had expired", False, start, {Code.EXPIRED}, over, certain=False)
    losses = {mode: _loss(mode, own, rivals, slack) for mode in event.target[0]}
    lost = [loss for loss in losses.values() if loss is not None]
    displaced = max((loss.at for loss in lost), default=None) if len(lost) == len(losses) else None
    cancelled = event.cancelled_at
    if cancelled is not None and (displaced is None or cancelled < displaced):
        return _cancelled(event, cancelled, start, slack)
    if displaced is not None and lost:
        return _displaced(lost, displaced, start, tie=any(own.ties(r) for r in rivals))
    end = Span(earliest=event.earliest_end, latest=event.latest_end)
    kept = f", without {len(lost)} of its modes" if lost else ""
    return _fate(f"runs{kept}", True, start, {Code.COMPLETED}, end)


def _loss(mode: str, own: Ranked, rivals: Sequence[Ranked], slack: timedelta) -> _Loss | None:
    """The first better control takes the mode."""
    found = [
        loss
        for rival in rivals
        if mode in rival.event.target[0] and rival.beats(own)
        for loss in [_loss_to(own.event, rival.event, slack)]
        if loss is not None
    ]
    return min(found, key=lambda loss: loss.at, default=None)


def _loss_to(event: Control, rival: Control, slack: timedelta) -> _Loss | None:
    if event.window.intersection(rival.window) is None:
        return None
    known = max(rival.created_at, event.created_at)
    early = rival.created_at <= max(event.earliest_start, event.created_at)
    at = known if early else max(rival.earliest_start, rival.created_at)
    withdrawn = rival.cancelled_at
    if withdrawn is not None and withdrawn <= at:
        return None
    unsure = abs(rival.created_at - event.earliest_start) <= slack
    if withdrawn is not None and early and withdrawn <= event.earliest_start:
        unsure = True
    return _Loss(at=at, before_start=None if unsure else early)


def _displaced(lost: list[_Loss], at: datetime, start: Span, *, tie: bool) -> Fate:
    before = {loss.before_start for loss in lost}
    starts = None if tie or None in before else before != {True}
    ends = DISPLACED | ({Code.COMPLETED} if tie else frozenset())
    text = {None: "is displaced about its start", True: "runs until it is displaced"}.get(
        starts, "is displaced before its start"
    )
    return _fate(text, starts, start, ends, Span(earliest=at, latest=max(at, start.latest)))


def _cancelled(event: Control, at: datetime, start: Span, slack: timedelta) -> Fate:
    """The random tail of status 3 is at most the larger of both bounds (10.2.4)."""
    randomized = event.cancelled is not None and event.cancelled.randomized
    spec = event.spec
    bound_s = max(abs(spec.randomize_start_s), abs(spec.randomize_duration_s)) if randomized else 0
    end = Span(earliest=at, latest=at + timedelta(seconds=bound_s))
    starts: bool | None = at > start.earliest
    if start.earliest - slack <= at <= start.latest + slack:
        starts = None
    certain = at - event.created_at > slack
    return _fate("is cancelled", starts, start, {Code.CANCELLED}, end, certain=certain)


def _fate(
    text: str,
    starts: bool | None,
    start: Span,
    ends: frozenset[Code] | set[Code],
    end: Span,
    *,
    certain: bool = True,
) -> Fate:
    return Fate(
        text=text, starts=starts, start=start, ends=frozenset(ends), end=end, certain=certain
    )
