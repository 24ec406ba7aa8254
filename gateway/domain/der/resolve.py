"""Which control holds a mode, and from when to when (IEEE 2030.5-2018, 10.2.3.3 f, i, n, o, p, t).

::

    worse, running       |=====|                        displaced when the better one begins
    better                     |=======|
    worse, not begun                |.........|         dropped when both are known
    next                               |=======|        takes over without gap or overlap

Each mode is settled by itself. Overlap is judged by the specified times, so that randomisation
alone makes no conflict; the change-over is at the effective start of whoever takes over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.der.control import MAX_PRIMACY, ControlStatus, DerProgram
from gateway.domain.der.engagement import FOREVER, Engagement

Piece = tuple[datetime, datetime]
"""An effective `[start, end)` that is not empty."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claim:
    """An engagement as a competitor, with its times worked out at one instant."""

    engagement: Engagement[object]
    rank: tuple[bool, int, bool, float, str]
    """Sort key, strongest first."""
    window_start: datetime
    window_end: datetime
    start: datetime
    end: datetime
    begun: bool
    """Active, by its specified or by its effective start, or called off: cannot be dropped."""

    @property
    def mrid(self) -> str:
        """The control's."""
        return self.engagement.control.mrid


@dataclass(slots=True, kw_only=True, eq=False)
class Hold:
    """A claim on one mode that has not been dropped."""

    claim: Claim
    end: datetime
    """When the mode's matter is closed for this control."""
    rival: Claim | None = None
    """Whose start ends it."""
    pieces: tuple[Piece, ...] = ()
    """When it is in force; more than one only where a control resumes."""

    @property
    def contends_until(self) -> datetime:
        """End of the specified time over which it stands against worse controls."""
        return self.claim.window_end if self.rival is None else min(self.claim.window_end, self.end)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loss:
    """A claim on a mode that is dropped before it begins."""

    claim: Claim
    rival: Claim | None
    """Who is better; None when only the server's mark says that somebody is."""


@dataclass(slots=True, kw_only=True, eq=False)
class Placement:
    """The outcome for one mode."""

    holds: list[Hold] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


def claim(
    engagement: Engagement[object], programs: Mapping[str, DerProgram], at: datetime
) -> Claim:
    """The engagement as a competitor, knowing what is known at `at`.

    Lower primacy is stronger; among equals one marked superseded is the weakest, then the newer
    one is stronger, then the lower mRID. A cancelled control that runs out yields to all others.
    """
    control, (start, end) = engagement.control, engagement.span()
    program = programs.get(control.program_id)
    return Claim(
        engagement=engagement,
        rank=(
            engagement.cancelled_at is not None,
            MAX_PRIMACY if program is None else program.primacy,
            control.status is ControlStatus.SUPERSEDED,
            -control.created_at.timestamp(),
            control.mrid,
        ),
        window_start=control.window.start,
        window_end=control.window.end or FOREVER,
        start=start,
        end=end,
        begun=(
            engagement.started
            or engagement.cancelled_at is not None
            or control.window.start <= at
            or start <= at
        ),
    )


def place(claims: Sequence[Claim], at: datetime, *, resume: bool) -> Placement:
    """Settle one mode among the claims on it at `at`; those of users who opted out hold nothing."""
    active = [c for c in claims if not c.engagement.opted_out]
    placement = Placement()
    if resume:
        placement.holds = [Hold(claim=c, end=c.end) for c in active]
        _join_successive(placement.holds)
        _layer(placement.holds, at)
    else:
        for group in _overlapping(active):
            _admit(group, placement)
        _join_successive(placement.holds)
        for hold in placement.holds:
            start = hold.claim.start
            hold.pieces = ((start, hold.end),) if start < hold.end else ()
    placement.holds += [Hold(claim=c, end=c.end) for c in claims if c.engagement.opted_out]
    return placement


def _overlapping(claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """Groups that no specified time ties together."""
    group: list[Claim] = []
    until = None
    for one in sorted(claims, key=lambda c: c.window_start):
        if until is not None and one.window_start >= until:
            yield group
            group, until = [], None
        group.append(one)
        until = one.window_end if until is None else max(until, one.window_end)
    if group:
        yield group


def _admit(group: list[Claim], placement: Placement) -> None:
    """Best first: each is dropped, or cut where the first of its betters begins (n, i)."""
    holds: list[Hold] = []
    group.sort(key=lambda c: c.rank)
    for one in group:
        rivals = [h.claim for h in holds if h.claim.start < h.end and _contend(one, h)]
        first = min(rivals, key=lambda rival: rival.start) if rivals else None
        if first is not None and not one.begun:
            placement.losses.append(Loss(claim=one, rival=rivals[0]))
        elif first is not None and first.start < one.end:
            holds.append(Hold(claim=one, end=first.start, rival=first))
        elif _superseded_unseen(one.engagement):
            placement.losses.append(Loss(claim=one, rival=None))
        else:
            holds.append(Hold(claim=one, end=one.end))
    placement.holds += holds


def _contend(one: Claim, hold: Hold) -> bool:
    return one.window_start < hold.contends_until and hold.claim.window_start < one.window_end


def _superseded_unseen(engagement: Engagement[object]) -> bool:
    """Marked superseded before it began here, by a control we do not know (any more)."""
    return engagement.control.status is ControlStatus.SUPERSEDED and not engagement.started


def _join_successive(holds: list[Hold]) -> None:
    """Let each control end where the next one effectively starts (o), and never later (p)."""
    running = sorted(
        (h for h in holds if h.claim.start < h.end), key=lambda h: h.claim.window_start
    )
    window_starts = [hold.claim.window_start for hold in running]
    earliest = [FOREVER] * (len(running) + 1)
    for index in range(len(running) - 1, -1, -1):
        earliest[index] = min(earliest[index + 1], running[index].claim.start)
    ends = [
        _joined(hold, window_starts, earliest, after=index + 1)
        for index, hold in enumerate(running)
    ]
    for hold, end in zip(running, ends, strict=True):
        hold.end = end


def _joined(
    hold: Hold, window_starts: list[datetime], earliest: list[datetime], *, after: int
) -> datetime:
    """The end of a hold, given the specified starts and the earliest start from each on."""
    until, end = hold.contends_until, hold.end
    first = bisect_left(window_starts, until, lo=after)
    uncut = hold.rival is None and hold.claim.engagement.cancelled_at is None
    if uncut and first < len(window_starts) and window_starts[first] == until:
        return earliest[first]
    return min(end, earliest[first])


def _layer(holds: list[Hold], at: datetime) -> None:
    """Best on top; a worse one is in force wherever no better one lies over it.

    Pieces before `at` do not count: who lay over them then may be over and forgotten now.
    """
    covered: list[Piece] = []
    for hold in sorted(holds, key=lambda h: h.claim.rank):
        pieces = [(hold.claim.start, hold.end)] if hold.claim.start < hold.end else []
        for start, end in covered:
            pieces = [part for piece in pieces for part in _without(piece, start, end)]
        hold.pieces = tuple(piece for piece in pieces if piece[1] > at)
        covered += pieces
        if not hold.pieces:
            hold.rival = _cover(hold, holds)


def _without(piece: Piece, start: datetime, end: datetime) -> Iterator[Piece]:
    if piece[0] < min(piece[1], start):
        yield piece[0], min(piece[1], start)
    if max(piece[0], end) < piece[1]:
        yield max(piece[0], end), piece[1]


def _cover(hold: Hold, holds: list[Hold]) -> Claim | None:
    """One of those that lie over all of it."""
    over = (h.claim for h in holds if h.pieces and h.claim.rank < hold.claim.rank)
    return next((c for c in over if c.start < hold.end and hold.claim.start < c.end), None)
