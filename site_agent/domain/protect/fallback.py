"""What holds when something is gone: the meter, a device, or the agent itself.

- **PCC meter stale**: nothing is extrapolated. Chargers share what the limits leave beside
  `max_building_w`, the largest load the building can have; batteries stand still; PV counts as 0.
- **A charger silent**: its last limit stays reserved (see `estimate.worst_a`).
- **The link down**: the accepted instruction runs to its expiry, fallback included, then the
  standing limits remain.
- **The agent dead**: each device ends its setpoint by itself. A charger's TxProfile runs out and
  its resting TxDefaultProfile, the fail-safe share, remains; one that never lets go of a limit is
  given only what the site could bear for ever (see `lasting`). A battery or PV inverter whose lapse
  is `device` reverts (battery to 0 W, PV released). One that cannot lapse, or might not, keeps its
  last setpoint, so a battery counts with its full charging power in `unattended_load_a`.
"""

from __future__ import annotations

from site_agent.domain.device import PHASES, Lapse
from site_agent.domain.protect.circuit import PhaseLoads, add_loads, balanced_loads, charger_loads
from site_agent.domain.site import ROOT, SiteModel


def building_worst_a(model: SiteModel) -> float:
    """Current on each phase at the PCC when the building draws its most, A."""
    return model.max_building_w / (len(PHASES) * model.voltage_v)


def unattended_load_a(model: SiteModel) -> PhaseLoads:
    """The largest load of every node and phase with no agent alive, A."""
    fail_safe = {spec.evse_id: spec.fail_safe_current_a for spec in model.chargers}
    return add_loads(
        [
            charger_loads(model, fail_safe),
            balanced_loads(model, stuck_batteries(model)),
            balanced_loads(model, [(ROOT, model.max_building_w)]),
        ]
    )


def unattended_import_w(model: SiteModel) -> float:
    """The largest import of the site with no agent alive, W."""
    chargers = sum(s.fail_safe_current_a * s.voltage_v * len(s.phases) for s in model.chargers)
    stuck_w = sum(power for _, power in stuck_batteries(model))
    return chargers + stuck_w + model.max_building_w


def stuck_batteries(model: SiteModel) -> list[tuple[str, float]]:
    """`(node, W)` of every battery that may go on charging with no agent alive."""
    return [(b.node, b.max_charge_w) for b in model.batteries if b.lapse is not Lapse.DEVICE]
