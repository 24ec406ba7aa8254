"""What is expected of the hours ahead: limits that are known, and forecasts where there are any."""

from __future__ import annotations

from site_agent.domain.flexibility.ahead import Ahead, steady_ahead
from site_agent.domain.protect.envelope import combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.site import SiteModel
from site_agent.flows.control_loop import Cycle
from site_agent.flows.instructions import Instructions


class Outlook:
    """`flows.prospects.Look`: every event the site has accepted, with the building as it is now."""

    def __init__(self, model: SiteModel, instructions: Instructions) -> None:
        self._model = model
        self._instructions = instructions

    def __call__(self, cycle: Cycle) -> Ahead:
        """The hours ahead, as of a control cycle."""
        held = self._instructions.held
        return steady_ahead(
            cycle.snapshot,
            cycle.decision.building_w,
            lambda at: combine(limits_at(self._model, held, at, cycle.operator)),
            self._instructions.next_change,
        )
