"""Where limits come from: contract, fuses, the network operator, and what utilities ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from site_agent.domain.device import PHASES
from site_agent.domain.instruction import Bounds, InForce, SiteInstruction, in_force
from site_agent.domain.protect.envelope import Bound, Limit, Side
from site_agent.domain.protect.telecontrol import Standing
from site_agent.domain.site import SiteModel


def limits_at(
    model: SiteModel,
    instructions: Iterable[SiteInstruction],
    now: datetime,
    operator: Iterable[Standing] = (),
) -> list[Limit]:
    """Every limit on the site at `now`: standing ones, the operator's, then events by `site_seq`.

    `operator`: what holds for each of its inputs at `now`.
    """
    asked = in_force(instructions, now)
    return [
        *standing_limits(model),
        *(limit for one in operator for limit in _from_operator(one)),
        *(limit for one in asked for limit in _from_event(one)),
    ]


def standing_limits(model: SiteModel) -> list[Limit]:
    """The limits that no event changes: contract, breakers and cables."""
    contract = Bound(value=model.contract_limit_w, cause="the connection contract")
    limits = [Limit(side=Side.IMPORT, bound=contract)]
    for node in model.nodes:
        rating = f"{node.limit_a:g} A a phase"
        amps = Bound(value=node.limit_a, cause=f"the fuse of {node.node_id} ({rating})")
        limits.append(Limit(side=Side.NODE, bound=amps, node=node.node_id))
        if node.parent is None:
            watts = Bound(value=node.limit_a * model.voltage_v * len(PHASES), cause=amps.cause)
            limits.append(Limit(side=Side.IMPORT, bound=watts))
    return limits


def _from_operator(one: Standing) -> Iterator[Limit]:
    for side, value, name in _asked(one.order.bounds):
        if value is not None:
            cause = f"the {one.spec.by}'s {name} ({one.spec.input_id}: {one.order.words})"
            yield Limit(side=side, bound=Bound(value=value, cause=cause))


def _from_event(one: InForce) -> Iterator[Limit]:
    event = not one.instruction.standing
    for side, value, name in _asked(one.bounds):
        if value is not None:
            yield Limit(side=side, bound=Bound(value=value, cause=_cause(one, name)), event=event)


def _asked(bounds: Bounds) -> Iterator[tuple[Side, float | None, str]]:
    """(side, W, what it is called); to cease is to draw and to generate nothing."""
    if bounds.energize is False:
        yield Side.LOAD, 0.0, "order to stop"
        yield Side.GENERATION, 0.0, "order to stop"
    yield Side.IMPORT, bounds.import_w, "import limit"
    yield Side.EXPORT, bounds.export_w, "export limit"
    yield Side.LOAD, bounds.load_w, "load limit"
    yield Side.GENERATION, bounds.generation_w, "generation limit"
    yield Side.STORAGE, bounds.storage_w, "storage target"


def _cause(one: InForce, name: str) -> str:
    event = f"{'envelope' if one.instruction.standing else 'event'} {one.instruction.event_id}"
    why = f": {one.instruction.cause}" if one.instruction.cause else ""
    return f"the {name} {'in the fallback of' if one.fallback else 'of'} {event}{why}"
