"""When our own instructions moved sites' loads before an event: no baseline must follow that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from contracts.site_link.messages import InstructionState
from contracts.time import Interval
from gateway.domain.curves import merged
from gateway.ports import Ledger, StoredEvent, StoredInstruction

_NEAR = timedelta(days=1)
"""Events that touched the day before may still have held sites before this one."""


async def moved_before(
    ledger: Ledger,
    stored: StoredEvent,
    events: Sequence[StoredEvent],
    mine: Sequence[StoredInstruction],
) -> Mapping[str, tuple[Interval, ...]]:
    """By site, when it was held before an event starts: for this event (`mine`) or one near it."""
    start = stored.event.window.start
    near = Interval(start=start - _NEAR, end=start)
    keys = {one.event.key for one in events if one.event.window.overlaps(near)}
    others = sorted(keys - {stored.event.key})
    told = [one for key in others for one in await ledger.instructions(key)]
    return moved([*mine, *told], start)


def moved(
    instructions: Iterable[StoredInstruction], until: datetime
) -> Mapping[str, tuple[Interval, ...]]:
    """By site, times before `until` over which an instruction in force held it to anything.

    Early curtailment, pre-charge and the return in steps after an earlier event alike. What a site
    refused did not move it.
    """
    by_event: dict[tuple[str, str], list[StoredInstruction]] = {}
    for one in sorted(instructions, key=lambda one: one.instruction.site_seq):
        refused = any(status.state is InstructionState.REJECTED for status in one.statuses)
        if one.instruction.issued_at < until and not refused:
            key = (one.instruction.site_id, one.instruction.event_id)
            by_event.setdefault(key, []).append(one)
    held: dict[str, list[Interval]] = {}
    for (site_id, _), every in by_event.items():
        held.setdefault(site_id, []).extend(_held(every, until))
    return {site_id: merged(pieces) for site_id, pieces in held.items() if pieces}


def _held(every: Sequence[StoredInstruction], until: datetime) -> Iterator[Interval]:
    """Of one event and site, in order: each holds until the next was issued."""
    ends = [one.instruction.issued_at for one in every[1:]] + [until]
    for one, end in zip(every, ends, strict=True):
        told = one.instruction
        over = min(end, until, told.expires_at)
        if over <= told.issued_at:
            continue
        force = Interval(start=told.issued_at, end=over)
        for step in told.steps:
            piece = Interval(start=step.start, end=step.end).intersection(force)
            if piece is not None:
                yield piece
