"""What a rule consists of: when it holds, and what it then asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from site_agent.domain.mode import Mode
from site_agent.domain.price import Level

EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))
WEEKEND = EVERY_DAY - WORKDAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From one local clock time to another, `[start, end)`; over midnight where end <= start."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Conditions; all that are given must hold. What is not known does not hold."""

    windows: tuple[Window, ...] = ()
    """One of these; none: at any time."""
    days: frozenset[int] = EVERY_DAY
    """Days of the week, Monday 0; a window over midnight belongs to the day it begins on."""
    months: frozenset[int] = frozenset()
    """1 to 12; empty: in every month."""
    price_above: float | None = None
    """Per kWh, in the site's currency."""
    price_below: float | None = None
    price: Level | None = None
    """Where the price stands within its day (`domain.price`)."""
    soc_below_pct: float | None = None
    """Of all batteries together, by capacity."""
    soc_above_pct: float | None = None
    building_above_w: float | None = None
    """What the site draws beside chargers and batteries, PV included."""
    building_below_w: float | None = None
    surplus_above_w: float | None = None
    """What would be exported without batteries and vehicles, W as a magnitude."""
    event: bool | None = None
    """Whether a utility's event is in force."""
    mode: frozenset[Mode] = frozenset()
    """One of these modes; empty: any."""
    vehicles: frozenset[str] = frozenset()
    """Vehicles that `Then.vehicles` is about; empty: all."""
    ranks: frozenset[int] = frozenset()
    """Their ranks; empty: all."""
    spare_above_h: float | None = None
    """Only vehicles with more spare time before their departure, h."""


class StorageDo(StrEnum):
    """What batteries should do."""

    HOLD = "hold"
    CHARGE = "charge"
    """From anywhere."""
    STORE = "charge from surplus"
    """With what would be exported else, and with nothing of the grid."""
    DISCHARGE = "discharge"
    """As far as the site draws power: never into the grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageWish:
    """What all batteries together should do."""

    do: StorageDo
    power_w: float | None = None
    """At most, a magnitude; None: as much as they can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleWish:
    """What vehicles should do: charge with at most `most_w` each; 0: wait; None: charge now."""

    most_w: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What a rule asks for; powers in W, export as a magnitude."""

    battery: StorageWish | None = None
    vehicles: VehicleWish | None = None
    import_below_w: float | None = None
    """A wish: gives way to vehicles that would be late."""
    import_limit_w: float | None = None
    """A limit: nothing but a tighter one overrides it."""
    export_limit_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule."""

    name: str
    when: When = field(default_factory=When)
    then: Then
