"""Builders of what a utility imposes on a site."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.time import Interval
from gateway.domain.operating_envelope import EnvelopeStep, OperatingEnvelope, SiteBounds

_MINUTE = timedelta(minutes=1)


def envelope(
    now: datetime,
    *limits: tuple[float, float, float],
    default_w: float | None = None,
    site_id: str = "depot-1",
) -> OperatingEnvelope:
    """Import limits `(from minute, to minute, W)`, then a default import limit for ever."""
    steps = [
        EnvelopeStep(
            interval=Interval(start=now + first * _MINUTE, end=now + last * _MINUTE),
            bounds=SiteBounds(import_limit_w=limit_w),
            cause=f"control {n}",
        )
        for n, (first, last, limit_w) in enumerate(limits, start=1)
    ]
    if default_w is not None:
        since = now + max((last for _, last, _ in limits), default=0.0) * _MINUTE
        steps.append(
            EnvelopeStep(
                interval=Interval(start=since, end=None),
                bounds=SiteBounds(import_limit_w=default_w),
                cause="the default of the program",
            )
        )
    return OperatingEnvelope(utility_id="u2", site_id=site_id, steps=tuple(steps))
