"""How far measurements may be apart before one of them is wrong: the same for site and gateway.

The site agent judges second by second (`site_agent.domain.trust`), the gateway by the minutes that
are stored (`gateway.domain.anomaly`). Shares are of the import limit of the contract.
"""

from __future__ import annotations

from typing import Final

LEVEL_SHARE: Final = 0.02
"""What the meter may miss of what devices tell, beside `TOLD_ERROR`."""
TOLD_ERROR: Final = 0.05
"""What devices may be off by: meters in chargers are of class B at best."""
PROOF_SHARE: Final = 0.02
"""A move of the devices this large shows at the meter; less is lost in the building's noise."""
ENERGY_ERROR: Final = 0.15
"""How far a register may be off the integral of sampled power."""
ENERGY_SHARE: Final = 0.01
"""... and of the contract, for meters that round their power coarsely."""


def level_slack_w(
    contract_w: float,
    told_w: float,
    *,
    level_share: float = LEVEL_SHARE,
    told_error: float = TOLD_ERROR,
) -> float:
    """By how much devices may seem to draw more than the meter shows, W, before that is a fault.

    `told_w`: what devices draw and make, both as magnitudes, W.
    """
    return level_share * contract_w + told_error * told_w


def energy_slack_wh(
    contract_w: float,
    energy_wh: float,
    hours: float,
    *,
    energy_error: float = ENERGY_ERROR,
    energy_share: float = ENERGY_SHARE,
) -> float:
    """By how much a register may be off an energy that was summed up over so many hours, Wh."""
    return energy_error * abs(energy_wh) + energy_share * contract_w * hours
