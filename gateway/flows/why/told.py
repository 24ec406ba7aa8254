"""Instructions on the wire, as the domain explains them."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from contracts.site_link.messages import Fallback, InstructionStep
from contracts.time import Interval
from gateway.domain.operating_envelope import SiteBounds
from gateway.domain.why import Said, Told, ToldStep
from gateway.ports import StoredInstruction


def told_by(stored: StoredInstruction, now: datetime) -> Told:
    """With what the site had said of it by an instant."""
    one = stored.instruction
    words = sorted((s for s in stored.statuses if s.at <= now), key=lambda status: status.at)
    return Told(
        instruction_id=one.instruction_id,
        site_id=one.site_id,
        number=one.site_seq,
        event_key=stored.event_key,
        revision=stored.revision,
        issued_at=one.issued_at,
        expires_at=one.expires_at,
        cause=one.cause,
        steps=tuple(
            ToldStep(interval=Interval(start=s.start, end=s.end), bounds=_bounds(s))
            for s in one.steps
        ),
        fallback=_bounds(one.fallback),
        standing=one.standing,
        test=one.test,
        said=tuple(Said(at=s.at, state=s.state.value, reason=s.reason) for s in words),
    )


def _bounds(carried: InstructionStep | Fallback) -> SiteBounds:
    """Bounds by name: they are the same on the wire."""
    return SiteBounds(**{one.name: getattr(carried, one.name) for one in fields(SiteBounds)})
