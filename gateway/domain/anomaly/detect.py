"""Every detector over one site."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gateway.domain.accounts.session import ChargingSession
from gateway.domain.anomaly import chargers, meter, response, site
from gateway.domain.anomaly.chargers import Trouble
from gateway.domain.anomaly.finding import Finding
from gateway.domain.anomaly.picture import Picture


def detect(
    picture: Picture, sessions: Sequence[ChargingSession], troubles: Sequence[Trouble]
) -> tuple[Finding, ...]:
    """What is wrong, by code, subject and time.

    `sessions`: of the last days, by start; `troubles`: notices raised within the picture's day.
    """
    found = [
        *meter.stuck(picture),
        *meter.spikes(picture),
        *meter.submeters(picture),
        *meter.register(picture),
        *response.response(picture),
        *site.silent(picture.grid, ~np.isnan(picture.pcc_w)),
        *chargers.ignores_limit(picture),
        *chargers.without_energy(sessions),
        *chargers.repeated_faults(troubles),
    ]
    return tuple(sorted(found, key=lambda one: (one.code, one.subject, one.evidence.start)))
