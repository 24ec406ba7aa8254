"""A limit that binds, and how far it is used up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from site_agent.domain.device import PHASES, ChargerState
from site_agent.domain.protect.circuit import (
    PhaseLoads,
    add_loads,
    balanced_loads,
    charger_loads,
)
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.protect.estimate import Role, measured_a, role
from site_agent.domain.site import ROOT, SiteSnapshot
from site_agent.domain.why.answer import Seen, Step, amps, kw

FULL_SHARE = 0.97
"""A limit used to this share counts as used up: limits are aimed at from a margin below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A limit and what is given away or drawn under it, both in W or both in A a phase."""

    bound: Bound
    used: float | None
    """None: not measured now."""
    phase: int | None = None
    """The most loaded one, for a limit in A."""

    @property
    def full(self) -> bool:
        """Whether it is used up."""
        return self.used is not None and self.used >= FULL_SHARE * self.bound.value

    def words(self) -> str:
        """How far it is used, for people."""
        if self.phase is None:
            of = kw(self.bound.value)
            return f"{of}, not measured now" if self.used is None else f"{kw(self.used)} of {of}"
        of = amps(self.bound.value)
        if self.used is None:
            return f"{of} a phase, not measured now"
        return f"{amps(self.used)} of {of} on L{self.phase}"


def use_of(seen: Seen, cause: str, given: PhaseLoads) -> Use | None:
    """The limit with this cause and how far it is used; None: it is none of the envelope's.

    `given`: see `granted`. A node's use counts what its chargers may draw, since that is what was
    given away; at the root, what the meter shows.
    """
    envelope, snapshot = seen.decision.envelope, seen.snapshot
    for node, bound in envelope.node_current_a.items():
        if bound.cause and cause.startswith(bound.cause):
            used = root_a(snapshot) if node == ROOT else [given.get((node, p), 0.0) for p in PHASES]
            phase, most = max(
                zip(PHASES, used, strict=True),
                key=lambda pair: -1.0 if pair[1] is None else pair[1],
            )
            return Use(bound=bound, used=most, phase=phase)
    if envelope.import_w.cause and cause.startswith(envelope.import_w.cause):
        power = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
        return Use(bound=envelope.import_w, used=power)
    load = envelope.load_w
    if load is not None and cause.startswith(load.cause):
        return Use(bound=load, used=_load_w(seen))
    return None


def granted(seen: Seen) -> PhaseLoads:
    """What is given away to chargers, A by node and phase: limits, or what unruly ones draw."""
    snapshot = seen.snapshot
    told = {one.evse_id: one.limit_a for one in seen.decision.chargers}
    return charger_loads(
        snapshot.model,
        {
            one.spec.evse_id: told[one.spec.evse_id]
            if role(one) is Role.STEERED
            else _drawn_a(one, snapshot)
            for one in snapshot.chargers
        },
    )


def root_a(snapshot: SiteSnapshot) -> list[float | None]:
    """Current of each phase at the PCC, A: as measured, else an even share of the power."""
    model, now = snapshot.model, snapshot.at
    power = snapshot.pcc.power_w.fresh(now, model.meter_max_age)
    even = None if power is None else power / (len(PHASES) * model.voltage_v)
    measured = (one.fresh(now, model.meter_max_age) for one in snapshot.pcc.current_a)
    return [even if one is None else one for one in measured]


def node_loads(snapshot: SiteSnapshot) -> PhaseLoads:
    """Measured current by (node, phase) below the root, A: the sum of the devices on it.

    A silent device counts as one that draws nothing.
    """
    model, now = snapshot.model, snapshot.at
    drawn = {one.spec.evse_id: _drawn_a(one, snapshot) for one in snapshot.chargers}
    powers = [
        *((one.spec.node, one.power_w.fresh(now, model.device_max_age)) for one in snapshot.pv),
        *(
            (one.spec.node, one.power_w.fresh(now, model.device_max_age))
            for one in snapshot.batteries
        ),
    ]
    known = ((node, power) for node, power in powers if power is not None)
    return add_loads([charger_loads(model, drawn), balanced_loads(model, known)])


def limits_in_force(seen: Seen) -> Iterator[Step]:
    """Every limit of the site as a whole, each with its value and source."""
    envelope = seen.decision.envelope
    sides: Iterable[tuple[str, Bound | None]] = (
        ("import", envelope.import_w),
        ("export", envelope.export_w),
        ("load", envelope.load_w),
        ("generation", envelope.generation_w),
        ("storage", envelope.storage_w),
    )
    for side, bound in sides:
        if bound is not None:
            yield Step(what="limit", text=f"{side} {kw(abs(bound.value))}: {bound.cause}")


def _drawn_a(charger: ChargerState, snapshot: SiteSnapshot) -> float:
    return measured_a(charger, snapshot.at, snapshot.model.device_max_age) or 0.0


def _load_w(seen: Seen) -> float:
    snapshot = seen.snapshot
    max_age = snapshot.model.device_max_age
    chargers = sum(one.power_w.fresh(snapshot.at, max_age) or 0.0 for one in snapshot.chargers)
    stored = (one.power_w.fresh(snapshot.at, max_age) or 0.0 for one in snapshot.batteries)
    return chargers + sum(max(0.0, one) for one in stored)
