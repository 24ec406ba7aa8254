"""Which register says what: the map that is promised to control centres.

Addresses are those on the wire, counted from 0. Numbers of two registers have the high word first.
Registers are only ever added, and `VERSION` counts up then; none is moved or given another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.reading import Quality
from contracts.site_link import points

VERSION = 1

NO_WORD = 0xFFFF
"""A u16 without a value; as a limit: free."""
NO_LONG = 0xFFFF_FFFF
"""A u32 without a value; as a limit: free."""
NO_VALUE = 0x8000_0000
"""An i32 measurement without a value."""

QUALITIES = {quality: code for code, quality in enumerate(Quality)}
"""0 good, 1 estimated, 2 stale, 3 invalid, 4 offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A register, or two, outside the measurements."""

    address: int
    kind: str
    """u16 or u32."""
    meaning: str

    @property
    def size(self) -> int:
        """Registers it takes."""
        return 2 if self.kind == "u32" else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A measurement: i32 value, u16 quality, u16 age in s."""

    point: str
    unit: str
    """What the number counts, such as W or 0.1 %."""
    scale: float
    """The number is the value times this."""
    meaning: str


EXPORT_LIMIT_W = "export_limit_w"
"""Not a point of the site link: the tightest export limit in force, by the load convention."""

IDENTITY = 0
IDENTITY_FIELDS = (
    Field(address=0, kind="u16", meaning="version of this map"),
    Field(address=1, kind="u16", meaning="counts control cycles, from 0 again after 65535"),
    Field(address=2, kind="u16", meaning="age of the last control cycle, s"),
    Field(address=3, kind="u16", meaning="1: limits may be written here, 0: they may not"),
    Field(address=4, kind="u32", meaning="instant of the last control cycle, s since 1970 (UTC)"),
)

MEASUREMENTS = 100
MEASUREMENT_SIZE = 4
SPOTS = (
    Spot(point=points.PCC_POWER_W, unit="W", scale=1, meaning="power of the site, import positive"),
    Spot(
        point=points.SITE_LIMIT_W, unit="W", scale=1, meaning="the tightest import limit in force"
    ),
    Spot(
        point=EXPORT_LIMIT_W,
        unit="W",
        scale=1,
        meaning="the tightest export limit in force (0 or negative); no value: none",
    ),
    Spot(point=points.BUILDING_POWER_W, unit="W", scale=1, meaning="building and PV together"),
    Spot(point=points.CHARGING_POWER_W, unit="W", scale=1, meaning="all chargers"),
    Spot(
        point=points.BATTERY_POWER_W, unit="W", scale=1, meaning="all batteries, charging positive"
    ),
    Spot(point=points.BATTERY_SOC_PCT, unit="0.1 %", scale=10, meaning="state of charge over them"),
    Spot(point=points.PV_POWER_W, unit="W", scale=1, meaning="all PV inverters (0 or negative)"),
    Spot(
        point=points.LOAD_POWER_W,
        unit="W",
        scale=1,
        meaning="chargers and charging batteries: what a load limit bounds",
    ),
    Spot(
        point=points.GENERATION_POWER_W,
        unit="W",
        scale=1,
        meaning="PV and discharging batteries: what a generation limit bounds (0 or negative)",
    ),
    Spot(
        point=points.FLEX_DOWN_W,
        unit="W",
        scale=1,
        meaning="how far the import could be lowered and held for an hour",
    ),
    Spot(
        point=points.PCC_IMPORT_WH, unit="100 Wh", scale=0.01, meaning="register of imported energy"
    ),
    Spot(point=points.CHARGERS_TOTAL, unit="1", scale=1, meaning="chargers there are"),
    Spot(point=points.CHARGERS_ONLINE, unit="1", scale=1, meaning="chargers that answer"),
    Spot(point=points.VEHICLES_CHARGING, unit="1", scale=1, meaning="vehicles that charge"),
)

LIMITS = 200
LIMIT_FIELDS = (
    Field(address=200, kind="u32", meaning="import limit, W"),
    Field(address=202, kind="u32", meaning="export limit, W (a magnitude)"),
    Field(address=204, kind="u32", meaning="load limit, W: chargers and charging batteries"),
    Field(address=206, kind="u32", meaning="generation limit, W (a magnitude)"),
    Field(address=208, kind="u16", meaning="export limit, 0.1 % of the input's `of_w`"),
    Field(address=209, kind="u16", meaning="generation limit, 0.1 % of the input's `of_w`"),
    Field(address=210, kind="u16", meaning="watchdog: write anything to renew the lease"),
)
LIMITS_SIZE = 11

STATE = 220
STATE_FIELDS = (
    Field(
        address=220,
        kind="u16",
        meaning="what holds: 0 nothing was ever written, so the fail-safe; 1 what is written; "
        "2 no longer renewed, still kept; 3 no longer kept: the fail-safe",
    ),
    Field(address=221, kind="u16", meaning="s until that changes unless renewed; 65535: never"),
    Field(address=222, kind="u16", meaning="lease, s"),
    Field(address=223, kind="u16", meaning="how long it is kept after that, s"),
    Field(
        address=224,
        kind="u16",
        meaning="which limits hold: bit 0 import, 1 export, 2 load, 3 generation",
    ),
)
"""Only where limits may be written, as are the limits."""
