"""Power against frequency: what the site gives when the grid lacks power, or takes of too much.

A straight line beyond a dead band, as IEEE 1547-2018 (6.5.2.7.2) has it for inverters:
`change = (deviation - dead band) / (nominal frequency x slope) x power`, here for the site as a
whole. Batteries answer first, as they do so within a second; then chargers, down to their least
current and never below it, and never where a vehicle would be late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import copysign, inf

from site_agent.domain.decide.battery import charge_available_w, discharge_available_w
from site_agent.domain.decide.control import Decision
from site_agent.domain.decide.generation import discharge_room_w
from site_agent.domain.device import PHASES, BatterySetpoint, BatteryState, ChargerSetpoint
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.circuit import add_loads, balanced_loads, charger_loads, path
from site_agent.domain.protect.estimate import Role, measured_a, role, watts_per_amp
from site_agent.domain.protect.room import aimed_w, moment_of
from site_agent.domain.site import SiteSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DroopPolicy:
    """The line and its reach."""

    power_w: float
    """What the site gives or takes at full response, W."""
    nominal_hz: float = 50.0
    dead_band_hz: float = 0.036
    """To either side; IEEE 1547-2018, table 24, category III."""
    slope: float = 0.05
    """Change of frequency per change of power, both per unit: 0.05 gives all of `power_w` at 2.5 Hz
    beyond the dead band of a grid of 50 Hz."""
    chargers: bool = True
    """Whether vehicles give way where batteries do not suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is asked of the site at a frequency."""

    change_w: float
    """Of its import: negative gives power to the grid, 0 is inside the dead band."""
    hertz: float

    @property
    def cause(self) -> str:
        """As a reason."""
        return f"answers the grid's frequency of {self.hertz:.2f} Hz"


def response(hertz: float, policy: DroopPolicy) -> Response:
    """What the line asks for, at most `power_w` either way."""
    deviation = hertz - policy.nominal_hz
    beyond = max(0.0, abs(deviation) - policy.dead_band_hz)
    share = min(1.0, beyond / (policy.nominal_hz * policy.slope))
    return Response(change_w=copysign(share * policy.power_w, deviation) + 0.0, hertz=hertz)


def answered(
    decision: Decision,
    snapshot: SiteSnapshot,
    asked: Response,
    droop: DroopPolicy,
    policy: ControlPolicy,
    *,
    by_themselves: frozenset[str] = frozenset(),
) -> Decision:
    """The decision with this response in it, as far as limits allow.

    Args:
        decision: What the site would do at nominal frequency.
        snapshot: What it was decided on.
        asked: What the frequency asks.
        droop: Whether chargers take part.
        policy: When a vehicle is pressed for time.
        by_themselves: Batteries whose inverters answer on their own.
    """
    if asked.change_w == 0:
        return decision
    moved = dict(_batteries(decision, snapshot, asked, policy, by_themselves))
    batteries = tuple(
        replace(one, power_w=one.power_w + moved[one.battery_id], cause=asked.cause)
        if moved.get(one.battery_id)
        else one
        for one in decision.batteries
    )
    missing_w = (
        -asked.change_w
        + sum(moved.values())
        - _by_themselves_w(snapshot, asked, droop, by_themselves)
    )
    chargers = decision.chargers
    if droop.chargers and missing_w > 0:
        lower = dict(_chargers(decision, snapshot, missing_w, policy))
        chargers = tuple(_lowered(one, lower, asked) for one in chargers)
    return replace(decision, batteries=batteries, chargers=chargers)


def _by_themselves_w(
    snapshot: SiteSnapshot, asked: Response, droop: DroopPolicy, by_themselves: frozenset[str]
) -> float:
    """What inverters give on their own, W: the same share of their power, if they have it."""
    share = abs(asked.change_w) / droop.power_w
    able_w = sum(
        discharge_available_w(one, snapshot.at, snapshot.model.device_max_age)
        for one in snapshot.batteries
        if one.spec.battery_id in by_themselves
    )
    return share * able_w


def _lowered(one: ChargerSetpoint, lower: Mapping[str, float], asked: Response) -> ChargerSetpoint:
    limit_a = lower.get(one.evse_id)
    return one if limit_a is None else replace(one, limit_a=limit_a, cause=asked.cause)


def _batteries(
    decision: Decision,
    snapshot: SiteSnapshot,
    asked: Response,
    policy: ControlPolicy,
    by_themselves: frozenset[str],
) -> Iterator[tuple[str, float]]:
    """By battery, how its setpoint changes, W; in proportion to what each can."""
    able = [
        (state, setpoint, _reach_w(state, setpoint, snapshot, asked.change_w))
        for state, setpoint in zip(snapshot.batteries, decision.batteries, strict=True)
        if state.spec.battery_id not in by_themselves
    ]
    total_w = sum(reach for _, _, reach in able)
    room_w = (_up_w if asked.change_w > 0 else _down_w)(decision, snapshot, policy)
    wanted_w = min(abs(asked.change_w), total_w, max(0.0, room_w))
    for state, _, reach_w in able:
        share_w = wanted_w * reach_w / total_w if total_w > 0 else 0.0
        if asked.change_w > 0:
            share_w = min(share_w, _node_room_w(state, decision, snapshot))
        yield state.spec.battery_id, copysign(share_w, asked.change_w)


def _reach_w(
    state: BatteryState, setpoint: BatterySetpoint, snapshot: SiteSnapshot, change_w: float
) -> float:
    """How far a battery can still go in that direction, W."""
    max_age = snapshot.model.device_max_age
    if change_w > 0:
        return max(0.0, charge_available_w(state, snapshot.at, max_age) - setpoint.power_w)
    return max(0.0, discharge_available_w(state, snapshot.at, max_age) + setpoint.power_w)


def _down_w(decision: Decision, snapshot: SiteSnapshot, policy: ControlPolicy) -> float:
    """How far batteries may lower the power at the PCC, W: limits on export and generation."""
    room_w, envelope = inf, decision.envelope
    if envelope.export_w is not None:
        power_w = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
        if power_w is None:
            return 0.0
        falling_w = sum(min(0.0, change) for change in _under_way_w(decision, snapshot))
        room_w = power_w + falling_w - envelope.export_w.value
    beside_w = discharge_room_w(snapshot, envelope, moment_of(snapshot, policy))
    if beside_w is not None:
        given_w = sum(max(0.0, -one.power_w) for one in decision.batteries)
        room_w = min(room_w, beside_w - given_w)
    return room_w


def _up_w(decision: Decision, snapshot: SiteSnapshot, policy: ControlPolicy) -> float:
    """How far batteries may raise it, W: chargers may yet take all that they are allowed."""
    power_w = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    if power_w is None:
        return 0.0
    rising_w = sum(max(0.0, change) for change in _under_way_w(decision, snapshot))
    allowed_w = decision.envelope
    room_w = aimed_w(allowed_w.import_w, policy) - power_w - rising_w
    if allowed_w.load_w is not None:
        now, max_age = snapshot.at, snapshot.model.device_max_age
        w_per_a = {c.spec.evse_id: watts_per_amp(c, now, max_age) for c in snapshot.chargers}
        load_w = sum(max(0.0, one.limit_a) * w_per_a[one.evse_id] for one in decision.chargers)
        load_w += sum(max(0.0, one.power_w) for one in decision.batteries)
        room_w = min(room_w, aimed_w(allowed_w.load_w, policy) - load_w)
    return room_w


def _under_way_w(decision: Decision, snapshot: SiteSnapshot) -> Iterator[float]:
    """How each battery and charger may yet move from what it is measured to do, W."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    for battery, told in zip(snapshot.batteries, decision.batteries, strict=True):
        yield told.power_w - (battery.power_w.fresh(now, max_age) or 0.0)
    for charger, limit in zip(snapshot.chargers, decision.chargers, strict=True):
        drawn_a = measured_a(charger, now, max_age) or 0.0
        yield (limit.limit_a - drawn_a) * watts_per_amp(charger, now, max_age)


def _node_room_w(state: BatteryState, decision: Decision, snapshot: SiteSnapshot) -> float:
    """What the nodes below the PCC leave a battery beside everything at what it is allowed, W."""
    model, places = snapshot.model, {one.battery_id: one.node for one in snapshot.model.batteries}
    loads = add_loads(
        [
            charger_loads(model, {one.evse_id: one.limit_a for one in decision.chargers}),
            balanced_loads(
                model, [(places[one.battery_id], one.power_w) for one in decision.batteries]
            ),
        ]
    )
    limits = {node.node_id: node.limit_a for node in model.nodes if node.parent is not None}
    rooms = (
        limits[node] - max(loads.get((node, phase), 0.0) for phase in PHASES)
        for node in path(model, state.spec.node)
        if node in limits
    )
    least_a = min(rooms, default=inf)
    return max(0.0, least_a * len(PHASES) * model.voltage_v)


def _chargers(
    decision: Decision, snapshot: SiteSnapshot, missing_w: float, policy: ControlPolicy
) -> Iterator[tuple[str, float]]:
    """New limits by EVSE, A: who has most time to spare gives way first, down to its least."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    needs = {need.evse_id: need for need in snapshot.needs}
    told = {one.evse_id: one.limit_a for one in decision.chargers}

    def spare_s(evse_id: str) -> float:
        need = needs.get(evse_id)
        if need is None or need.required_wh <= 0:
            return inf
        return (need.laxity(now) - policy.wish_reserve).total_seconds()

    steered = [one for one in snapshot.chargers if role(one) is Role.STEERED]
    for charger in sorted(steered, key=lambda one: (-spare_s(one.spec.evse_id), one.spec.evse_id)):
        name, w_per_a = charger.spec.evse_id, watts_per_amp(charger, now, max_age)
        drawn_a = min(told[name], measured_a(charger, now, max_age) or 0.0)
        free_a = drawn_a - charger.spec.min_current_a
        if missing_w <= 0 or free_a <= 0 or spare_s(name) <= 0:
            continue
        given_a = min(free_a, missing_w / w_per_a)
        missing_w -= given_a * w_per_a
        yield name, drawn_a - given_a
