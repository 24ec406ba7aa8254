"""From what is seen of the grid to what counts: debounced, and back only once it is stable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from site_agent.domain.grid.outage import GridPolicy, Seen, Sight


class Grid(StrEnum):
    """What counts."""

    LIVE = "live"
    OUTAGE = "outage"
    RETURNING = "returning"
    """It is back, but not yet for long enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridState:
    """What counts, since when, and what is on its way."""

    grid: Grid = Grid.LIVE
    since: datetime | None = None
    """None: since before anybody looked."""
    words: str = ""
    """What showed it."""
    doubted_since: datetime | None = None
    """Since when the grid has been seen to be away, while it still counts as live."""
    doubtful: bool = False
    """Silence alone told of the outage."""


LIVE = GridState()


def step(state: GridState, seen: Seen, now: datetime, policy: GridPolicy) -> GridState:
    """The state after one more look. What is not known changes nothing, but proves nothing either.

    live -> outage once seen to be away for `down_after`; outage -> returning at the first sight of
    the grid; returning -> outage at the first sight of its absence; returning -> live after
    `stable_for` without a gap.
    """
    match state.grid:
        case Grid.LIVE:
            return _live(state, seen, now, policy)
        case Grid.OUTAGE:
            if seen.sight is Sight.LIVE:
                return replace(state, grid=Grid.RETURNING, since=now, words=seen.words)
            sure = seen.sight is Sight.DEAD and not seen.doubtful
            return replace(state, doubtful=False, words=seen.words) if sure else state
        case Grid.RETURNING:
            return _returning(state, seen, now, policy)


def taken_up(state: GridState, now: datetime) -> GridState:
    """A state from before a restart: what was not watched is not known to have been stable."""
    if state.grid is Grid.RETURNING:
        return replace(state, since=now)
    return replace(state, doubted_since=None)


def _live(state: GridState, seen: Seen, now: datetime, policy: GridPolicy) -> GridState:
    if seen.sight is not Sight.DEAD:
        return replace(state, doubted_since=None) if state.doubted_since else state
    since = state.doubted_since or now
    if now - since < (policy.silent_after if seen.doubtful else policy.down_after):
        return replace(state, doubted_since=since)
    return GridState(grid=Grid.OUTAGE, since=since, words=seen.words, doubtful=seen.doubtful)


def _returning(state: GridState, seen: Seen, now: datetime, policy: GridPolicy) -> GridState:
    if seen.sight is Sight.DEAD:
        away = replace(state, grid=Grid.OUTAGE, since=now, words=seen.words)
        return replace(away, doubtful=state.doubtful and seen.doubtful)
    if seen.sight is Sight.UNKNOWN or state.since is None:
        return replace(state, since=now)
    if now - state.since >= (policy.silent_stable_for if state.doubtful else policy.stable_for):
        return GridState(grid=Grid.LIVE, since=now, words=seen.words)
    return state
