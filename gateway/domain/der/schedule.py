"""What holds when: per mode the controls to come, and the default wherever none of them is.

Controls always lie over the defaults (IEEE 2030.5-2018, 10.2.3.3 t). Of several defaults that set a
mode, the one of the strongest program holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic

from contracts.time import Interval
from gateway.domain.der.control import DerDefault, DerProgram, Value, Value_co
from gateway.domain.der.engagement import FOREVER, Engagement
from gateway.domain.der.resolve import Hold
from gateway.domain.words import span

AsTight = Callable[[str, Value, Value], bool]
"""Of a mode, whether the first value binds at least as much as the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Generic[Value_co]):
    """One value of one mode over `[start, end)`."""

    interval: Interval
    value: Value_co
    program_id: str
    mrid: str | None
    """The control it comes from; None when it is the program's default."""
    cause: str
    """Why, for a person."""
    ramp: timedelta | None = None
    """Time over which to reach the value, where the control gives one."""
    began: datetime | None = None
    """When it comes or came into force, maybe before the schedule starts; None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Generic[Value_co]):
    """What is known to hold from `start` on, until something new is heard."""

    start: datetime
    modes: Mapping[str, tuple[Segment[Value_co], ...]] = field(default_factory=dict)
    """In order of time, without overlap; a gap, or no entry, means that nothing sets the mode.
    A default is the open-ended last segment."""

    def at(self, mode: str, instant: datetime) -> Segment[Value_co] | None:
        """What holds at an instant, or None when nothing sets the mode."""
        segments = self.modes.get(mode, ())
        return next((one for one in segments if instant in one.interval), None)

    def next_change(self, after: datetime) -> datetime | None:
        """When the next value begins or ends; None: never, as far as is known."""
        edges = (
            edge
            for segments in self.modes.values()
            for one in segments
            for edge in (one.interval.start, one.interval.end)
        )
        return min((edge for edge in edges if edge is not None and edge > after), default=None)

    def clip(self, window: Interval) -> Schedule[Value_co]:
        """The part inside a window, such as up to a horizon."""
        clipped = {mode: tuple(_clipped(found, window)) for mode, found in self.modes.items()}
        return Schedule(start=max(self.start, window.start), modes=clipped)


def make_schedule(
    engagements: Mapping[str, Engagement[Value]],
    holds: Mapping[str, Sequence[Hold]],
    defaults: Iterable[DerDefault[Value]],
    programs: Mapping[str, DerProgram],
    now: datetime,
) -> Schedule[Value]:
    """The schedule from `now` on, from who holds each mode and from the programs' defaults."""
    fallback, free_since = _fallback(defaults, programs), _free_since(engagements)
    held = {hold.claim.mrid for found in holds.values() for hold in found}
    causes = {mrid: _cause(engagements[mrid], programs) for mrid in held}
    modes: dict[str, tuple[Segment[Value], ...]] = {}
    for mode in sorted(holds.keys() | fallback.keys()):
        segments = [
            _controlled(
                engagements[hold.claim.mrid], mode, hold, piece, now, free_since.get(mode), causes
            )
            for hold in holds.get(mode, ())
            for piece in hold.pieces
            if piece[1] > now
        ]
        segments.sort(key=lambda one: one.interval.start)
        if mode in fallback:
            segments = list(_filled(segments, fallback[mode], now, free_since.get(mode)))
        if segments:
            modes[mode] = tuple(segments)
    return Schedule(start=now, modes=modes)


def coalesce(
    schedule: Schedule[Value], shortest: timedelta, as_tight: AsTight[Value] | None = None
) -> Schedule[Value]:
    """Let the next segment begin early over one that is shorter than `shortest`.

    Only where nothing is lost: the next one has the same value, or binds at least as much by the
    caller's `as_tight`. Every other segment stays, however short.
    """
    modes = {
        mode: tuple(_coalesced(mode, segments, shortest, as_tight))
        for mode, segments in schedule.modes.items()
    }
    return replace(schedule, modes=modes)


def _coalesced(
    mode: str,
    segments: Sequence[Segment[Value]],
    shortest: timedelta,
    as_tight: AsTight[Value] | None,
) -> Iterator[Segment[Value]]:
    waiting: Segment[Value] | None = None
    for one in segments:
        following = one
        if waiting is not None:
            covers = waiting.interval.end == one.interval.start and (
                one.value == waiting.value
                or (as_tight is not None and as_tight(mode, one.value, waiting.value))
            )
            if covers:
                following = _begun_early(one, waiting)
            else:
                yield waiting
        waiting = following if _shorter(following, shortest) else None
        if waiting is None:
            yield following
    if waiting is not None:
        yield waiting


def _shorter(segment: Segment[object], shortest: timedelta) -> bool:
    end = segment.interval.end
    return end is not None and segment.began is not None and end - segment.began < shortest


def _begun_early(one: Segment[Value], over: Segment[Value]) -> Segment[Value]:
    early = span(one.interval.start - over.interval.start)
    return replace(
        one,
        interval=Interval(start=over.interval.start, end=one.interval.end),
        began=over.began,
        cause=f"{one.cause}; {early} early, over a value too short to follow",
    )


def _fallback(
    defaults: Iterable[DerDefault[Value]], programs: Mapping[str, DerProgram]
) -> dict[str, Segment[Value]]:
    """Per mode, the default of the strongest program that has the mode, as if for ever."""
    known = [(programs[d.program_id], d) for d in defaults if d.program_id in programs]
    fallback: dict[str, Segment[Value]] = {}
    for program, default in sorted(known, key=lambda pair: (pair[0].primacy, pair[0].program_id)):
        for mode, value in default.modes.items():
            if mode not in fallback:
                fallback[mode] = Segment(
                    interval=_ALWAYS,
                    value=value,
                    program_id=program.program_id,
                    mrid=None,
                    cause=f"default of {program}",
                )
    return fallback


_ALWAYS = Interval(start=FOREVER, end=None)


def _filled(
    segments: Iterable[Segment[Value]],
    default: Segment[Value],
    now: datetime,
    free_since: datetime | None,
) -> Iterator[Segment[Value]]:
    """The controls' segments with the default in every gap and at the end."""
    free, began = now, free_since
    for one in segments:
        if free < one.interval.start:
            gap = Interval(start=free, end=one.interval.start)
            yield replace(default, interval=gap, began=began)
        yield one
        if one.interval.end is None:
            return
        free = began = one.interval.end
    yield replace(default, interval=Interval(start=free, end=None), began=began)


def _free_since(engagements: Mapping[str, Engagement[Value]]) -> dict[str, datetime]:
    """Per mode, when the last control let go of it."""
    latest: dict[str, datetime] = {}
    for engagement in engagements.values():
        for mode, standing in engagement.modes.items():
            if standing.held_from is not None and standing.ended_at is not None:
                latest[mode] = max(latest.get(mode, standing.ended_at), standing.ended_at)
    return latest


def _controlled(
    engagement: Engagement[Value],
    mode: str,
    hold: Hold,
    piece: tuple[datetime, datetime],
    now: datetime,
    free_since: datetime | None,
    causes: Mapping[str, str],
) -> Segment[Value]:
    control, (start, end) = engagement.control, piece
    cause = causes[control.mrid]
    if hold.rival is not None and engagement.cancelled_at is None:
        cause = f"{cause}, until control {hold.rival.mrid} takes over"
    return Segment(
        interval=Interval(start=max(start, now), end=None if end == FOREVER else end),
        value=control.modes[mode],
        program_id=control.program_id,
        mrid=control.mrid,
        cause=cause,
        ramp=control.ramp,
        began=max(start, free_since or start),
    )


def _cause(engagement: Engagement[object], programs: Mapping[str, DerProgram]) -> str:
    control, draws = engagement.control, engagement.draws
    words = [f"control {control.mrid} of {programs.get(control.program_id, control.program_id)}"]
    if control.window.start < engagement.first_seen:
        words.append("received late")
    if draws.start:
        side = "earlier" if draws.start < timedelta(0) else "later"
        words.append(f"{span(abs(draws.start))} {side} at random")
    if engagement.cancelled_at is not None:
        words.append(f"runs out because {engagement.cancel_reason}")
    return ", ".join(words)


def _clipped(segments: Iterable[Segment[Value]], window: Interval) -> Iterator[Segment[Value]]:
    for one in segments:
        inside = one.interval.intersection(window)
        if inside is not None:
            yield replace(one, interval=inside)
