"""Why a vehicle charges or does not, and whether it will be ready."""

from __future__ import annotations

from site_agent.domain.why.answer import Answer, Prospect, Step, Subject
from site_agent.domain.why.charger import doing, why_charger
from site_agent.domain.why.index import Index


def why_vehicle(index: Index, vehicle_id: str) -> Answer:
    """Why this vehicle of the fleet (or one that is plugged in) does what it does now."""
    need, prospect = index.vehicles.get(vehicle_id), index.prospects.get(vehicle_id)
    at = index.seen.snapshot.at
    ready = () if prospect is None else (Step(what="ready", text=_outlook(prospect)),)
    late = "" if prospect is None or prospect.on_track else f"; {_outlook(prospect)}"
    if need is None:
        where = "it is at no charger of this site, or has not been recognised there"
        return Answer(
            of=Subject.VEHICLE,
            name=vehicle_id,
            at=at,
            sentence=f"{vehicle_id} does not charge: {where}{late}",
            binding="",
            steps=ready,
        )
    charger = why_charger(index, need.evse_id)
    return Answer(
        of=Subject.VEHICLE,
        name=vehicle_id,
        at=at,
        sentence=f"{vehicle_id} at {need.evse_id} {doing(index, need.evse_id)}{late}",
        binding=charger.binding,
        steps=(*charger.steps, *ready),
    )


def _outlook(prospect: Prospect) -> str:
    return f"{prospect.words}; {prospect.helps}" if prospect.helps else prospect.words
