"""Where limits come from: the contract, the fuses, and what utilities ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from site_agent.domain.device import PHASES
from site_agent.domain.envelope import Bound, Limit, Side
from site_agent.domain.instruction import InForce, SiteInstruction, in_force
from site_agent.domain.site import SiteModel


def limits_at(
    model: SiteModel, instructions: Iterable[SiteInstruction], now: datetime
) -> list[Limit]:
    """Every limit on the site at `now`, standing ones first."""
    asked = in_force(instructions, now)
    return [*standing_limits(model), *(limit for one in asked for limit in _from_event(one))]


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


def _from_event(one: InForce) -> Iterator[Limit]:
    cause = _cause(one)
    for side, value in ((Side.IMPORT, one.bounds.import_w), (Side.EXPORT, one.bounds.export_w)):
        if value is not None:
            yield Limit(side=side, bound=Bound(value=value, cause=cause), event=True)


def _cause(one: InForce) -> str:
    name = f"event {one.instruction.event_id}"
    why = f": {one.instruction.cause}" if one.instruction.cause else ""
    return f"the fallback of {name}{why}" if one.fallback else f"{name}{why}"
