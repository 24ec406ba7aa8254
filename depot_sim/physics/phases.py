"""Which of the three phases carries what."""

from __future__ import annotations

from collections.abc import Iterable

PhaseWatts = tuple[float, float, float]
"""Active power of L1, L2, L3 in W, import positive."""

NO_FLOW: PhaseWatts = (0.0, 0.0, 0.0)


def spread(power_w: float, phases: int, first_phase: int = 1) -> PhaseWatts:
    """`power_w` shared equally by `phases` phases (1..3), counted from `first_phase` (1..3)."""
    share_w = power_w / phases
    carrying = {(first_phase - 1 + step) % 3 for step in range(phases)}
    l1, l2, l3 = (share_w if phase in carrying else 0.0 for phase in range(3))
    return l1, l2, l3


def total(flows: Iterable[PhaseWatts]) -> PhaseWatts:
    """The plain sum, phase by phase."""
    l1 = l2 = l3 = 0.0
    for one, two, three in flows:
        l1, l2, l3 = l1 + one, l2 + two, l3 + three
    return l1, l2, l3
