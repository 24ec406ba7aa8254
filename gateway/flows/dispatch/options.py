"""How dispatch behaves, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.delivery.course import DeliveryRules
from gateway.domain.delivery.restoration import RestorationRules
from gateway.domain.portfolio import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOptions:
    """How dispatch behaves; the defaults suit sites that report every few seconds."""

    check_every: timedelta = timedelta(seconds=10)
    lead: timedelta = timedelta(minutes=15)
    """Plans for events further ahead change only for a reason, not at every check."""
    horizon: timedelta = timedelta(hours=4)
    """How far an event without an end is planned ahead."""
    grace: timedelta = timedelta(minutes=1)
    """How long after event and recovery an instruction is still kept by the site."""
    deadband_w: float = 500.0
    deadband_share: float = 0.02
    """Limits that move by less than this, or this share of the site's connection, stay."""
    stale_after: timedelta = timedelta(seconds=30)
    """A site whose load is older than this is not counted on."""
    warm_up: timedelta = timedelta(minutes=10)
    """Right after our own start, values this old still count: the sites had nobody to talk to."""
    undelivered_after: timedelta = timedelta(seconds=15)
    """A site that has not taken its instruction for this long is not counted on."""
    many_sites: int = 200
    """Splitting over so many takes long enough to hold everything else up: it gets a thread."""
    untold_share: float = 0.01
    """Changes below the deadband stay untold only up to this part of the target together."""
    delivery: DeliveryRules | None = None
    """How delivery is measured, corrected and remembered; None: not at all."""
    restoration: RestorationRules | None = None
    """How sites come back after an event; None: all at once."""

    def deadband(self, site: Site) -> float:
        """Smallest change of a limit worth an instruction, W."""
        return max(self.deadband_w, self.deadband_share * site.import_limit_w)
