"""What binds the site as a whole, and each node of its circuit tree."""

from __future__ import annotations

from collections.abc import Iterator

from site_agent.domain.device import PHASES
from site_agent.domain.site import ROOT
from site_agent.domain.why.answer import Answer, Seen, Step, Subject, amps, kw
from site_agent.domain.why.index import Index
from site_agent.domain.why.limits import limits_in_force, root_a


def why_site(seen: Seen) -> Answer:
    """What the site draws, and what keeps it from more."""
    snapshot, decision = seen.snapshot, seen.decision
    power_w = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    limit_w = decision.envelope.import_w.value
    if power_w is None:
        draws = f"the site may draw {kw(limit_w)}"
    elif power_w < 0:
        draws = f"the site exports {kw(-power_w)}"
    else:
        draws = f"the site draws {kw(power_w)} of {kw(limit_w)}"
    return Answer(
        of=Subject.SITE,
        name=snapshot.model.site_id,
        at=snapshot.at,
        sentence=f"{draws}: {decision.binding}",
        binding=decision.binding,
        steps=tuple(_site_steps(seen)),
    )


def why_node(index: Index, node_id: str) -> Answer:
    """How much a circuit node carries, and whom it holds back."""
    seen = index.seen
    snapshot = seen.snapshot
    bound = seen.decision.envelope.node_current_a[node_id]
    loads = _phases(index, node_id)
    known = [one for one in loads if one is not None]
    carries = f"carries {amps(max(known))}" if known else "is not measured"
    held = [one.evse_id for one in seen.decision.chargers if one.bound_by == bound.cause]
    holds = f"it holds back {', '.join(held)}" if held else "it holds nobody back"
    return Answer(
        of=Subject.NODE,
        name=node_id,
        at=snapshot.at,
        sentence=f"{node_id} {carries} of {amps(bound.value)} a phase: {holds}",
        binding=bound.cause if held else "",
        steps=(
            Step(what="limit", text=f"{amps(bound.value)} a phase: {bound.cause}"),
            *(
                Step(what="room", text=f"L{phase}: {'not measured' if a is None else amps(a)}")
                for phase, a in zip(PHASES, loads, strict=True)
            ),
            *(Step(what="share", text=text) for text in _held(index, held)),
        ),
    )


def _site_steps(seen: Seen) -> Iterator[Step]:
    yield from limits_in_force(seen)
    if seen.mode:
        yield Step(what="mode", text=f"{seen.mode}: {seen.mode_why}")
    if seen.guided_by:
        yield Step(what="plan", text=f"guided by {seen.guided_by}")
    building_w = seen.decision.building_w
    if building_w is not None:
        does = "draws" if building_w >= 0 else "gives"
        yield Step(what="room", text=f"the building with its PV {does} {kw(abs(building_w))}")
    else:
        yield Step(what="room", text="the meter is stale: the building is taken at its largest")
    for side, words in seen.decision.unmet.items():
        yield Step(what="limit", text=f"{side.value}: {words}")


def _phases(index: Index, node_id: str) -> list[float | None]:
    if node_id == ROOT:
        return root_a(index.seen.snapshot)
    return [index.loads.get((node_id, phase), 0.0) for phase in PHASES]


def _held(index: Index, evse_ids: list[str]) -> Iterator[str]:
    told = index.limits
    for evse_id in evse_ids:
        yield f"{evse_id}: {amps(told[evse_id].limit_a)} a phase, {told[evse_id].cause}"
