"""Where energy came from and where it went, slot by slot.

The proportional rule: in every slot each source serves each use in the same proportion, as if all
were mixed in one pot. It is the rule of proportional sharing in tracing electricity (J. Bialek,
"Tracing the flow of electricity", IEE Proc. Gener. Transm. Distrib. 143(4), 1996) on one node.

Sources: import at the PCC, PV, batteries and vehicles that discharge. Uses: chargers, batteries
that charge, export, and the building: what is left, PCC less all that is metered below it. Where
more is metered below the PCC than comes in, the difference is a source of its own, UNMETERED: it
is never hidden in another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gateway.domain.accounts.grid import Numbers, SlotGrid


class Source(StrEnum):
    """Where energy comes from."""

    GRID = "grid"
    PV = "pv"
    BATTERY = "battery"
    VEHICLES = "vehicles"
    UNMETERED = "unmetered"


class Use(StrEnum):
    """Where it goes."""

    CHARGING = "charging"
    BUILDING = "building"
    STORAGE = "storage"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What was measured over the slots of a month, Wh a slot, all >= 0."""

    grid: SlotGrid
    import_wh: Numbers
    export_wh: Numbers
    pv_wh: Numbers
    charged_wh: Numbers
    """Into batteries."""
    discharged_wh: Numbers
    evse_wh: Mapping[str, Numbers]
    """Into vehicles, by EVSE."""
    from_evse_wh: Numbers
    """Out of vehicles, over all EVSEs."""
    soc_pct: Numbers
    """Mean state of charge of the batteries, 0-100; NaN where it is not known."""
    covered_s: Mapping[str, Numbers]
    """By point: for how much of each slot it was known."""

    @property
    def charging_wh(self) -> Numbers:
        """Into vehicles, over all EVSEs."""
        total = np.zeros(self.grid.count)
        for one in self.evse_wh.values():
            total = total + one
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Sources and uses of every slot; both sum to the same, and no entry is negative."""

    sources: Mapping[Source, Numbers]
    uses: Mapping[Use, Numbers]

    @property
    def total(self) -> Numbers:
        """All that flowed, Wh a slot."""
        total = np.zeros(len(self.uses[Use.CHARGING]))
        for one in self.uses.values():
            total = total + one
        return total

    def share(self, use: Use) -> Numbers:
        """Of everything that flowed in each slot, what went to a use, 0 to 1."""
        total, of = self.total, self.uses[use]
        return np.divide(of, total, out=np.zeros_like(of), where=total > 0)

    def flow_wh(self, source: Source, use: Use) -> Numbers:
        """Of a source, what went to a use, by the proportional rule."""
        return self.sources[source] * self.share(use)

    def mix_wh(self, use: Use) -> dict[Source, float]:
        """Over all slots, where the energy of a use came from, Wh; sums to the use."""
        return {source: float(self.flow_wh(source, use).sum()) for source in Source}


def balance(metered: Metered) -> Balance:
    """The books of every slot."""
    into = metered.import_wh + metered.pv_wh + metered.discharged_wh + metered.from_evse_wh
    known = metered.charging_wh + metered.charged_wh + metered.export_wh
    rest = into - known
    return Balance(
        sources={
            Source.GRID: metered.import_wh,
            Source.PV: metered.pv_wh,
            Source.BATTERY: metered.discharged_wh,
            Source.VEHICLES: metered.from_evse_wh,
            Source.UNMETERED: np.maximum(0.0, -rest),
        },
        uses={
            Use.CHARGING: metered.charging_wh,
            Use.BUILDING: np.maximum(0.0, rest),
            Use.STORAGE: metered.charged_wh,
            Use.EXPORT: metered.export_wh,
        },
    )
