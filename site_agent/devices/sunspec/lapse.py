"""Whether a reversion timer was really taken, from what it reads after it was written."""

from __future__ import annotations

from site_agent.domain.device import Lapse

_REARMED = 2 / 3
_SLACK = 1.33
"""A timer this much longer than asked is still the one asked for (units, rounding, scan time)."""


def proven_lapse(
    configured: Lapse, asked_s: float, timer_s: float | None, remaining_s: float | None = None
) -> Lapse:
    """What the device has shown of its lapse; `configured` NONE is an operator who knows better.

    `remaining_s` below two thirds right after a write means that writing does not re-arm the
    timer, which the definitions leave open (sunspec/models issue 215).
    """
    if configured is Lapse.NONE or not timer_s:
        return Lapse.NONE
    if timer_s > asked_s * _SLACK:
        return Lapse.UNKNOWN
    if remaining_s is not None and remaining_s < asked_s * _REARMED:
        return Lapse.UNKNOWN
    return Lapse.DEVICE
