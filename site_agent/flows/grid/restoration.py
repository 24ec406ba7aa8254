"""Load that comes back after events and outages, in steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from site_agent.domain.decide.demand import steady_w
from site_agent.domain.grid.restore import Restoration, RestorePolicy, restoration, restoring
from site_agent.domain.protect.envelope import Envelope, Limit
from site_agent.domain.site import SiteSnapshot


class Returns:
    """At most one return is under way; a new limit ends it, and its own end begins another."""

    def __init__(self, site_id: str, policy: RestorePolicy) -> None:
        self._site_id = site_id
        self._policy = policy
        self._held = False
        self.under_way: Restoration | None = None
        """Kept over a restart by whoever keeps this (`as_json`, `from_json`)."""
        self.words = ""
        """What is under way; empty: nothing."""

    def begin(self, after: str, snapshot: SiteSnapshot) -> None:
        """Something that held load back has ended."""
        self.under_way = restoration(
            after,
            snapshot.at,
            base_w=_drawn_w(snapshot),
            whole_w=_whole_w(snapshot),
            seed=self._site_id,
            policy=self._policy,
        )

    def limits(self, snapshot: SiteSnapshot, envelope: Envelope, *, held: bool) -> Iterator[Limit]:
        """The limit of the return under way; `held`: the grid itself holds load back now."""
        holds = _holds_back(envelope, snapshot)
        if self._held and not holds and not held:
            self.begin("the event", snapshot)
        self._held = holds
        if holds or held:
            self.under_way = None
        self.words = ""
        if self.under_way is None:
            return
        needed_w = sum(steady_w(need, snapshot.at) for need in snapshot.needs)
        limit = restoring(self.under_way, snapshot.at, needed_w, self._policy)
        if limit is None:
            self.under_way = None
            return
        self.words = f"{limit.bound.cause}: {limit.bound.value / 1000:.0f} kW now"
        yield limit


def as_json(one: Restoration | None) -> dict[str, object] | None:
    """A return for the store."""
    if one is None:
        return None
    return {**asdict(one), "ended": one.ended.isoformat(), "begins": one.begins.isoformat()}


def from_json(found: dict[str, Any] | None) -> Restoration | None:
    """The same from the store."""
    if found is None:
        return None
    ended, begins = (datetime.fromisoformat(found[name]) for name in ("ended", "begins"))
    return Restoration(**{**found, "ended": ended, "begins": begins})


def _holds_back(envelope: Envelope, snapshot: SiteSnapshot) -> bool:
    """Whether an event lowers what the site may draw."""
    lower = envelope.import_w.value < snapshot.model.contract_limit_w
    return envelope.event and (lower or envelope.load_w is not None)


def _drawn_w(snapshot: SiteSnapshot) -> float:
    """Controllable load now, W; what is not known counts as nothing."""
    readings = [one.power_w for one in snapshot.chargers]
    readings += [one.power_w for one in snapshot.batteries]
    max_age = snapshot.model.device_max_age
    return sum(max(0.0, one.fresh(snapshot.at, max_age) or 0.0) for one in readings)


def _whole_w(snapshot: SiteSnapshot) -> float:
    """What chargers with vehicles, and batteries, could draw, W."""
    chargers = sum(
        one.spec.max_current_a * one.spec.voltage_v * len(one.spec.phases)
        for one in snapshot.chargers
        if one.plugged or one.transaction_id is not None
    )
    return chargers + sum(one.spec.max_charge_w for one in snapshot.batteries)
