"""What held each site where it is, by the words of its cause (`gateway.domain.dispatch.causes`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.domain.dispatch import SiteAllocation

_HELD = (
    ("not counted on: opted out", "opted out"),
    ("not counted on", "not available"),
    ("left out, asked", "left out for not delivering"),
    ("are promised to", "promised to another event"),
    (" has it until ", "another event goes first"),
    ("asked nothing: it offers nothing", "offers nothing"),
    ("asked nothing", "nothing is needed of it"),
    (": its energy", "energy"),
    (": the limit of its network group", "limit of the network group"),
    (": its lowest import", "lowest import"),
    (": it cannot come down faster", "ramp"),
    ("of it is sure", "what is sure of the offer"),
    ("all of the", "the whole offer"),
    ("fair share", "fair share"),
)
"""Part of a cause, and what it means; the first that is found counts."""


def bound_by(allocation: SiteAllocation) -> str:
    """`energy`, `ramp`, `the whole offer`, ...; `other` when none of these."""
    found = (name for part, name in _HELD if part in allocation.cause)
    return next(found, "other")


def summary(allocations: Iterable[SiteAllocation]) -> str:
    """`2 fair share, 1 energy`: how many sites each thing holds, most first."""
    counted = Counter(bound_by(one) for one in allocations)
    order = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {name}" for name, count in order)
