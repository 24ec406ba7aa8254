"""What devices are (specs, from settings) and what is known of them at an instant (states)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.power import NOMINAL_VOLTAGE_V
from contracts.reading import Reading
from site_agent.domain.fleet.identity import Identity

PHASES = (1, 2, 3)


class Lapse(StrEnum):
    """Whether a setpoint ends by itself in the hardware when its writer dies."""

    DEVICE = "device"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState:
    """A meter at an instant; per-phase currents in order L1, L2, L3 (import positive)."""

    power_w: Reading
    current_a: tuple[Reading, Reading, Reading]
    import_wh: Reading
    export_wh: Reading | None = None
    """None: it has no such register."""
    voltage_v: Reading | None = None
    """The highest of its phases to neutral; None: it tells none."""
    frequency_hz: Reading | None = None
    """None: it tells none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSpec:
    """One EVSE. Currents are per phase."""

    evse_id: str
    node: str
    """The circuit node that feeds it."""
    phases: tuple[int, ...] = PHASES
    max_current_a: float = 32.0
    min_current_a: float = 6.0
    """Lowest current a vehicle may be offered, IEC 61851-1; below it only 0 is legal."""
    fail_safe_current_a: float = 6.0
    """What the charger falls back to by itself when the agent is gone."""
    max_discharge_a: float = 0.0
    """Most a vehicle may feed back through it, A per phase as a magnitude; 0: charging only."""
    voltage_v: float = NOMINAL_VOLTAGE_V
    lapses_after: timedelta | None = None
    """How long its limit lasts without us, where it lapses at all (`ChargerState.lapse`)."""
    dc: bool = False
    """It charges with direct current: the vehicle's DC rating counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerState:
    """One EVSE at an instant."""

    spec: ChargerSpec
    online: bool
    plugged: bool
    transaction_id: str | None
    """Set while a transaction runs."""
    id_tag: str | None
    power_w: Reading
    current_a: Reading
    """Highest of its phases."""
    energy_wh: Reading
    """Since the start of the transaction."""
    soc_pct: Reading
    confirmed_limit_a: float | None
    """The last limit the charger accepted, None when it has none of ours."""
    limit_in_force_since: datetime | None
    obeys: bool = True
    """False once measured current stays above the confirmed limit: count its measured worst."""
    pausable: bool = True
    """False once it has turned a limit of 0 A into its minimum: it is served first."""
    lapse: Lapse = Lapse.DEVICE
    """Whether it lets go of a limit of ours by itself and returns to its fail-safe share."""
    controllable: bool = True
    """False: it knows no limits and can only be stopped; with a vehicle it may draw its rating."""
    ceiling_a: float | None = None
    """Most that others allow it (a cloud CSMS, a limit set at the charger), A per phase."""
    ceiling_cause: str = ""
    """Why, where it is not others but the site itself (an island, a return in stages)."""
    follows_within: timedelta | None = None
    """How long it has been seen to take to follow a limit; None: not learnt yet."""
    coming_a: float | None = None
    """The highest limit that it may come to before it follows the newest, A per phase."""
    phases_used: int | None = None
    """Phases the vehicle has been seen to draw on; None: not known."""
    bidirectional: bool = False
    """Whether charger and vehicle can discharge now."""
    stuck: bool = False
    """Its vehicle has not resumed after a pause, whatever was tried: a person has to look."""
    outranked: bool = False
    """A profile that is not ours stands above ours."""
    outranked_by: str = ""
    """Which, as far as the charger says."""
    refused: bool = False
    """Its transaction runs on although the card was refused."""
    identity: Identity | None = None
    """Who is at the plug, as far as the charger has told."""

    @property
    def granted_a(self) -> float:
        """What it may draw, A per phase: the limit it has accepted, else its fail-safe share."""
        limit_a = self.confirmed_limit_a
        return self.spec.fail_safe_current_a if limit_a is None else limit_a


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySpec:
    """A stationary battery. Powers are magnitudes, W."""

    battery_id: str
    node: str
    capacity_wh: float
    max_charge_w: float
    max_discharge_w: float
    reserve_soc_pct: float = 10.0
    efficiency: float = 1.0
    """Share of the energy in its cells that comes out."""
    lapse: Lapse = Lapse.UNKNOWN
    lapses_after: timedelta | None = None
    """How long its setpoint lasts without us, where it lapses at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState:
    """A battery at an instant; charging positive."""

    spec: BatterySpec
    online: bool
    power_w: Reading
    soc_pct: Reading
    confirmed_w: float | None = None
    """The last setpoint it accepted, filled in by the control loop; None when it has none."""
    in_force_since: datetime | None = None
    """Since when it has been asked for about this."""
    obeys: bool = True
    """False while it is known to give less than asked; `spec` then says what it has given."""
    temperature_c: Reading | None = None
    """Of its cells; None: it does not tell."""
    health_pct: Reading | None = None
    """State of health: what it can still hold, of its capacity when new; None: it does not tell."""
    local: bool = False
    """Somebody at the device has taken command: it takes no setpoints from us."""
    islanded: bool | None = None
    """Whether it says that it forms a grid of its own, cut off from the public one; None: it does
    not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PvSpec:
    """A PV inverter. `rated_w` is a magnitude."""

    pv_id: str
    node: str
    rated_w: float
    lapse: Lapse = Lapse.UNKNOWN
    lapses_after: timedelta | None = None
    """As for a battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PvState:
    """A PV inverter at an instant; generation negative."""

    spec: PvSpec
    online: bool
    power_w: Reading
    takes_limits: bool = True
    """False while it accepts none: it may make its rating."""
    obeys: bool = True
    """False while it makes more than the limit it has accepted."""
    local: bool = False
    """As `BatteryState.local`."""
    limited_w: float | None = None
    """The limit it has accepted, a magnitude, filled in by the control loop; None: none."""
    limited_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSetpoint:
    """A limit for one EVSE with the causes that bound it; A per phase, 0 or >= min_current_a.

    Negative: discharge with this current, where `ChargerState.bidirectional` says it can.
    """

    evse_id: str
    limit_a: float
    cause: str
    bound_by: str = ""
    """Cause of the limit that keeps it from more; empty: no limit of the site does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySetpoint:
    """Power for one battery, W, charging positive."""

    battery_id: str
    power_w: float
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PvSetpoint:
    """Most a PV inverter may generate, W as a magnitude; None releases it."""

    pv_id: str
    limit_w: float | None
    cause: str
