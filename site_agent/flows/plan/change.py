"""What must change for a plan to be made anew at once, rather than in its own time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from site_agent.domain.instruction import Bounds, SiteInstruction
from site_agent.domain.protect.estimate import role
from site_agent.domain.protect.telecontrol import Standing
from site_agent.domain.site import SiteSnapshot

MORE_WH = 1_000.0
"""A vehicle that needs so much more than a moment ago has been told to."""

_Stay = tuple[str, str, datetime, int, str]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan rests on, as far as it does not change by itself."""

    stays: frozenset[_Stay]
    """EVSE, vehicle, departure, rank, and what may be done with the charger."""
    instructions: frozenset[tuple[str, str]]
    orders: tuple[tuple[str, Bounds], ...]
    devices: frozenset[str]
    """Batteries that answer."""
    required_wh: Mapping[str, float]

    def differs(self, before: Situation | None) -> bool:
        """Whether it is another situation than before."""
        if before is None:
            return True
        same = (
            self.stays == before.stays
            and self.instructions == before.instructions
            and self.orders == before.orders
            and self.devices == before.devices
        )
        return not same or self._needs_more(before)

    def _needs_more(self, before: Situation) -> bool:
        """A need only falls by itself."""
        return any(
            wh > before.required_wh.get(evse, wh) + MORE_WH for evse, wh in self.required_wh.items()
        )


def situation(
    snapshot: SiteSnapshot, instructions: Iterable[SiteInstruction], orders: Iterable[Standing]
) -> Situation:
    """The situation at an instant."""
    roles = {charger.spec.evse_id: role(charger).name for charger in snapshot.chargers}
    return Situation(
        stays=frozenset(
            (one.evse_id, one.vehicle_id, one.due, one.rank, roles.get(one.evse_id, ""))
            for one in snapshot.needs
        ),
        instructions=frozenset((one.instruction_id, one.event_id) for one in instructions),
        orders=tuple((one.spec.input_id, one.order.bounds) for one in orders),
        devices=frozenset(one.spec.battery_id for one in snapshot.batteries if one.online),
        required_wh={one.evse_id: one.required_wh for one in snapshot.needs},
    )
