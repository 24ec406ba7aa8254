"""Ways to run the depot: the agent's own, and what is run elsewhere, under the same protections.

All but `uncontrolled` go through the agent's `decide`, so that they keep every limit alike and
differ only in whom they serve. `first-come` and `edf` tell it that nobody needs anything and give
each vehicle a rank instead: `decide` then fills them in that order, each in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.decide.triage import Triage
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.site import SiteSnapshot

Guide = Callable[[SiteSnapshot, Envelope], Guidance]
_LATER = 1 << 20
"""Beyond every rank that is drawn: who needs nothing more comes after all who do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to run a depot."""

    name: str
    about: str
    controls: bool = True
    """False: chargers give what vehicles take."""
    listed: bool = True
    """Whether people have a yard list."""
    order: Callable[[VehicleNeed, Mapping[str, datetime]], float] | None = None
    """Served in this order, each in full before the next; None: as `decide` allocates."""
    guided: str = ""
    """Who guides it: `rules` or `plan`; empty: nobody."""


def _came(need: VehicleNeed, since: Mapping[str, datetime]) -> float:
    return since[need.evse_id].timestamp()


def _leaves(need: VehicleNeed, since: Mapping[str, datetime]) -> float:
    del since
    return need.departure.timestamp()


STRATEGIES: Mapping[str, Strategy] = {
    one.name: one
    for one in (
        Strategy(
            name="uncontrolled",
            about="every vehicle at once with all it takes, no limit",
            controls=False,
            listed=False,
        ),
        Strategy(
            name="first-come",
            about="in order of plugging in, each in full, under the limits",
            listed=False,
            order=_came,
        ),
        Strategy(
            name="edf",
            about="earliest departure first, under the limits, by the yard list",
            order=_leaves,
        ),
        Strategy(name="llf", about="the agent's allocation, by the yard list"),
        Strategy(
            name="rules",
            about="the agent under the rules of a site that has written none",
            guided="rules",
        ),
        Strategy(name="plan", about="the agent under its plan of the coming day", guided="plan"),
    )
}


def decided(
    strategy: Strategy,
    snapshot: SiteSnapshot,
    envelope: Envelope,
    policy: ControlPolicy,
    since: Mapping[str, datetime],
    guide: Guide | None = None,
    triage: Triage | None = None,
) -> Decision:
    """What this strategy has the devices do; `since`: when each EVSE's vehicle was plugged in."""
    if strategy.order is not None:
        snapshot = _ordered(strategy.order, snapshot, since)
    guidance = NO_GUIDANCE if guide is None else guide(snapshot, envelope)
    return decide(snapshot, envelope, policy, guidance, triage)


def _ordered(
    order: Callable[[VehicleNeed, Mapping[str, datetime]], float],
    snapshot: SiteSnapshot,
    since: Mapping[str, datetime],
) -> SiteSnapshot:
    first = sorted(snapshot.needs, key=lambda need: (order(need, since), need.evse_id))
    needs = tuple(
        replace(need, required_wh=0.0, rank=place if need.required_wh > 0 else place + _LATER)
        for place, need in enumerate(first)
    )
    return replace(snapshot, needs=needs)
