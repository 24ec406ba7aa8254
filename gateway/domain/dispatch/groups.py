"""Groups of the network: feeders and transformers whose sites together may give only so much.

Groups may overlap and nest (a transformer on a feeder); each is a row a interval of the problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.domain.dispatch.problem import Bounds, Index, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Sites behind one piece of the network."""

    name: str
    members: Index
    """Places of its sites in the problem."""
    most_w: Vector
    """[T] Most all of them may give together, W >= 0; infinity for no limit."""


def group_bounds(groups: Sequence[Group]) -> Bounds:
    """One row for each group and interval that has a limit.

    Raises:
        ValueError: a limit is negative or not a number.
    """
    rows = [(group, t) for group in groups for t in np.flatnonzero(np.isfinite(_checked(group)))]
    if not rows:
        return Bounds.none()
    sizes = [len(group.members) for group, _ in rows]
    return Bounds(
        row=np.repeat(np.arange(len(rows)), sizes),
        site=np.concatenate([group.members for group, _ in rows]).astype(np.intp),
        interval=np.repeat(np.array([t for _, t in rows], dtype=np.intp), sizes),
        coefficient=np.ones(sum(sizes)),
        most=np.array([group.most_w[t] for group, t in rows]),
    )


def _checked(group: Group) -> Vector:
    if np.isnan(group.most_w).any() or (group.most_w < 0).any():
        raise ValueError(f"group {group.name!r}: a limit must be >= 0 W")
    return group.most_w
