"""How evenly sites are asked, and how those asked more before are asked less now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.domain.dispatch.problem import Vector

MOST = 0.25
"""A site asked most before begins to be asked when others give a quarter of their offers."""
_STRENGTH = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one site was asked, of what it offered."""

    asked_wh: float
    offered_wh: float

    @property
    def share(self) -> float:
        """Part of its offer, 0 where it offered nothing."""
        return self.asked_wh / self.offered_wh if self.offered_wh > 0 else 0.0

    def __add__(self, other: Asked) -> Asked:
        return Asked(
            asked_wh=self.asked_wh + other.asked_wh, offered_wh=self.offered_wh + other.offered_wh
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """How evenly sites that offered something were asked, by the share of their offer."""

    sites: int
    jain: float
    """(sum s)^2 / (n sum s^2): 1 when all were asked the same share, 1/n when one gave all
    (Jain, Chiu and Hawe 1984)."""
    least: float
    """Smallest and largest share of an offer."""
    most: float


def fairness(asked: Sequence[Asked]) -> Fairness:
    """Of those that offered something; nobody asked at all is even."""
    shares = np.array([one.share for one in asked if one.offered_wh > 0])
    square = float(shares @ shares)
    jain = float(shares.sum()) ** 2 / (len(shares) * square) if square > 0 else 1.0
    return Fairness(
        sites=len(shares),
        jain=jain,
        least=float(shares.min(initial=1.0)) if len(shares) else 0.0,
        most=float(shares.max(initial=0.0)),
    )


def history_cost(history: Mapping[str, Asked], site_ids: Sequence[str]) -> Vector:
    """[N] The share of its offer by which each is asked less than others, 0 to `MOST`.

    How much more of its offer it was asked before than the average of all that have a history; a
    site without one is asked like the average, and so is one that was asked less: nobody is
    punished for having been spared.
    """
    known = [one for one in history.values() if one.offered_wh > 0]
    offered = sum(one.offered_wh for one in known)
    mean = sum(one.asked_wh for one in known) / offered if offered > 0 else 0.0
    shares = np.array(
        [history[s].share if s in history and history[s].offered_wh > 0 else mean for s in site_ids]
    )
    return np.clip(_STRENGTH * (shares - mean), 0.0, MOST)
