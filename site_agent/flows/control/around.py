"""What else shapes a control cycle: the state of the grid, further limits, reflexes, the mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from contracts.inverter import InverterFunction
from site_agent.domain.decide.control import Decision
from site_agent.domain.mode import ModeNow
from site_agent.domain.protect.envelope import Envelope, Limit, combine
from site_agent.domain.site import SiteSnapshot

LimitSource = Callable[[SiteSnapshot, Envelope], Iterable[Limit]]
"""Further limits, given the envelope of contract, fuses, operator and events."""


def _same(snapshot: SiteSnapshot) -> SiteSnapshot:
    return snapshot


def _as_decided(snapshot: SiteSnapshot, decision: Decision) -> Decision:
    del snapshot
    return decision


def _unknown(snapshot: SiteSnapshot, decision: Decision) -> ModeNow | None:
    del snapshot, decision
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Everything of it, each quick and without I/O; asked every cycle."""

    picture: Callable[[SiteSnapshot], SiteSnapshot] = _same
    """The snapshot as the state of the grid makes it."""
    limits: Sequence[LimitSource] = field(default=())
    reflex: Callable[[SiteSnapshot, Decision], Decision] = _as_decided
    """Changes the decision for what cannot wait for the next one; asked between cycles too."""
    functions: Callable[[], Sequence[InverterFunction]] = tuple
    """What inverters of the site should do by themselves, beside what utilities ask."""
    mode: Callable[[SiteSnapshot, Decision], ModeNow | None] = _unknown

    def envelope(self, limits: Sequence[Limit], snapshot: SiteSnapshot) -> Envelope:
        """The intersection of these limits and all further ones."""
        base = combine(limits)
        more = [limit for source in self.limits for limit in source(snapshot, base)]
        return combine([*limits, *more]) if more else base


NOTHING = Around()
