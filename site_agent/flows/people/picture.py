"""A control cycle with what else people ask about: the fleet, its prospects, the mode."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from site_agent.domain.fleet.readiness import Outlook, Readiness
from site_agent.domain.why.answer import Prospect, Seen, kwh
from site_agent.flows.control.control_loop import Cycle

_ENERGY = re.compile(r"\b(\d+) Wh\b")
_WORDS = {
    Outlook.READY: "ready",
    Outlook.ON_TRACK: "on track",
    Outlook.AT_RISK: "at risk",
    Outlook.WILL_MISS: "will not be ready",
}


class Pictures:
    """Makes pictures; everything is asked anew for each."""

    def __init__(
        self,
        fleet: Callable[[], Iterable[str]],
        prospects: Callable[[], Iterable[Readiness]],
    ) -> None:
        """What a picture is made of.

        Args:
            fleet: Ids of the vehicles the site knows.
            prospects: How it looks for each vehicle, as judged last.
        """
        self._fleet = fleet
        self._prospects = prospects

    def __call__(self, cycle: Cycle) -> Seen:
        """The picture of a cycle."""
        mode = cycle.mode
        return Seen(
            snapshot=cycle.snapshot,
            decision=cycle.decision,
            fleet=frozenset(self._fleet()),
            prospects=tuple(_prospect(one) for one in self._prospects()),
            mode="" if mode is None else mode.mode.value,
            mode_why="" if mode is None else mode.why,
            guided_by=cycle.guidance.source,
        )


def _prospect(one: Readiness) -> Prospect:
    words = _WORDS[one.outlook]
    reason = _ENERGY.sub(lambda found: kwh(float(found[1])), one.reason)
    told = "" if reason in ("", words) else f": {reason}"
    return Prospect(
        vehicle_id=one.need.vehicle_id,
        evse_id=one.need.evse_id if one.here else "",
        on_track=one.outlook in (Outlook.READY, Outlook.ON_TRACK),
        words=f"{words}{told}",
        helps=one.helps,
    )
