"""What else binds a split, beyond what sites offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from gateway.domain.dispatch.fairness import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimit:
    """Sites behind one piece of the network, which may change only so much together."""

    name: str
    sites: frozenset[str]
    reduction_w: float = inf
    """Most they are asked together, W >= 0."""
    lowest_w: float = -inf
    """Their baselines together, less what they are asked, stay above this, W (negative: export)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A site that gives at least so much or nothing."""

    least_w: float = inf
    """W > 0; infinity: all of its offer or nothing."""
    least_run: timedelta = timedelta(0)
    """How long it is asked at least, once it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Everything that binds besides offers."""

    groups: tuple[GroupLimit, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)
    """By site."""
    given_w: Mapping[str, float] = field(default_factory=dict)
    """What each site is asked just now, W: from there a ramp begins."""
    on_for: Mapping[str, timedelta] = field(default_factory=dict)
    """How long each site has been asked something without a break."""
    history: Mapping[str, Asked] = field(default_factory=dict)
    """What each was asked and offered in earlier events of the season."""
    ends_known: bool = True
    """False: nobody knows how long the event lasts, so energy is spent by laxity."""
