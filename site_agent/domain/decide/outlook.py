"""How much can be charged over the coming hours, as triage wants to know it.

Everything is taken to stay as it is now (building, PV, stubborn chargers), except limits that are
known to change and what batteries can give until they are empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from site_agent.domain.decide.battery import discharge_available_w, energy_above_reserve_wh
from site_agent.domain.decide.triage import Bottleneck, Outlook
from site_agent.domain.device import PHASES
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.protect.facts import Fact, facts_of
from site_agent.domain.protect.room import Room, aimed_w, fixed_loads, moment_of, site_room
from site_agent.domain.site import ROOT, SiteSnapshot

_NO_LIMIT = 1e12
_BATTERY_LASTS = timedelta(hours=8)
"""What batteries hold is counted on as if it were given evenly over a night."""

Ahead = Sequence[tuple[datetime, Envelope]]
"""From when on each envelope holds; the first one holds now."""


def outlook_of(snapshot: SiteSnapshot, ahead: Ahead, policy: ControlPolicy) -> Outlook:
    """The capacity to come under these envelopes."""
    facts = facts_of(snapshot.chargers, moment_of(snapshot, policy))
    room = site_room(snapshot, ahead[0][1], policy, facts)
    nodes = _distinct(_nodes(snapshot, ahead, room, facts))
    limits = [_power(snapshot, ahead, room, policy), *_load(snapshot, ahead, room, policy), *nodes]
    return Outlook(starts=[start for start, _ in ahead], bottlenecks=limits)


def _power(snapshot: SiteSnapshot, ahead: Ahead, room: Room, policy: ControlPolicy) -> Bottleneck:
    now_w = aimed_w(ahead[0][1].import_w, policy)
    free_w = room.power_w + _batteries_w(snapshot) - now_w
    return Bottleneck(
        cause=ahead[0][1].import_w.cause,
        capacity=[free_w + aimed_w(envelope.import_w, policy) for _, envelope in ahead],
        weights={spec.evse_id: 1.0 for spec in snapshot.model.chargers},
        elsewhere=1.0,
    )


def _load(
    snapshot: SiteSnapshot, ahead: Ahead, room: Room, policy: ControlPolicy
) -> Iterator[Bottleneck]:
    bounds = [envelope.load_w for _, envelope in ahead]
    known = [bound for bound in bounds if bound is not None]
    if not known:
        return
    stuck_w = 0.0
    if bounds[0] is not None and room.load_w is not None:
        stuck_w = aimed_w(bounds[0], policy) - room.load_w

    def capacity(bound: Bound | None) -> float:
        return _NO_LIMIT if bound is None else aimed_w(bound, policy) - stuck_w

    yield Bottleneck(
        cause=known[0].cause,
        capacity=[capacity(bound) for bound in bounds],
        weights={spec.evse_id: 1.0 for spec in snapshot.model.chargers},
        elsewhere=1.0,
    )


def _nodes(
    snapshot: SiteSnapshot, ahead: Ahead, room: Room, facts: Iterable[Fact]
) -> Iterator[Bottleneck]:
    model, stuck_a = snapshot.model, fixed_loads(snapshot.model, facts)
    below = _below(snapshot, {one.evse_id: one.w_per_a for one in facts})
    first = ahead[0][1].node_current_a
    for (node, phase), weights in below.items():
        now_a = room.root_a[phase] if node == ROOT else first[node].value
        free_a = now_a - (0.0 if node == ROOT else stuck_a.get((node, phase), 0.0))
        more_a = [envelope.node_current_a[node].value - first[node].value for _, envelope in ahead]
        yield Bottleneck(
            cause=first[node].cause,
            capacity=[free_a + more for more in more_a],
            weights=weights,
            elsewhere=1.0 / (len(PHASES) * model.voltage_v) if node == ROOT else 0.0,
        )


def _below(
    snapshot: SiteSnapshot, w_per_a: Mapping[str, float]
) -> Mapping[tuple[str, int], Mapping[str, float]]:
    """A per W of every charger on every phase of every node it hangs below."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for spec in snapshot.model.chargers:
        weight = 1.0 / w_per_a.get(spec.evse_id, spec.voltage_v * len(spec.phases))
        for node in path(snapshot.model, spec.node):
            for phase in spec.phases:
                found.setdefault((node, phase), {})[spec.evse_id] = weight
    return found


def _distinct(limits: Iterable[Bottleneck]) -> list[Bottleneck]:
    """Phases with the same chargers on them are one limit: the tightest of them."""
    tightest: dict[tuple[frozenset[str], str], Bottleneck] = {}
    for one in limits:
        key = (frozenset(one.weights), one.cause)
        if key not in tightest or min(one.capacity) < min(tightest[key].capacity):
            tightest[key] = one
    return list(tightest.values())


def _batteries_w(snapshot: SiteSnapshot) -> float:
    now, max_age = snapshot.at, snapshot.model.device_max_age
    hours = _BATTERY_LASTS / timedelta(hours=1)
    return sum(
        min(
            discharge_available_w(battery, now, max_age),
            energy_above_reserve_wh(battery, now, max_age) / hours,
        )
        for battery in snapshot.batteries
    )
