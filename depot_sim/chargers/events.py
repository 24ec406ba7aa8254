"""What happens at a charger, before any OCPP version puts it into words.

`durable` events survive a lost link and are told after it; the others are only worth telling now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from depot_sim.chargers.profiles import ChargingProfile


class Status(StrEnum):
    """State of an outlet, in the words of 1.6; 2.x splits it into two."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"


class EndReason(StrEnum):
    """Why a transaction ended; every version knows these words or maps them."""

    LOCAL = "Local"
    REMOTE = "Remote"
    EV_DISCONNECTED = "EVDisconnected"
    DE_AUTHORIZED = "DeAuthorized"
    POWER_LOSS = "PowerLoss"
    RESET = "Reset"
    SOFT_RESET = "SoftReset"
    UNLOCK = "UnlockCommand"


class Context(StrEnum):
    """Why a sample was taken (the words of every version)."""

    BEGIN = "Transaction.Begin"
    PERIODIC = "Sample.Periodic"
    END = "Transaction.End"
    TRIGGER = "Trigger"


class BootReason(StrEnum):
    """Why a charger greets (the words of 2.0.1; 1.6 has none)."""

    POWER_UP = "PowerUp"
    REMOTE_RESET = "RemoteReset"
    TRIGGERED = "Triggered"
    WATCHDOG = "Watchdog"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading of an outlet's meter; `currents_a` is per phase; discharge is negative."""

    at: datetime
    context: Context
    power_w: float
    register_wh: float
    currents_a: tuple[float, ...]
    voltage_v: float
    soc_pct: float | None
    export_wh: float = 0.0


@dataclass(slots=True, kw_only=True)
class Transaction:
    """A charging session. `ref` is the id both sides use: ours in 2.0.1, theirs in 1.6."""

    evse_id: int
    id_tag: str
    started_at: datetime
    start_wh: float
    ref: str | None
    remote_start_id: int | None = None
    tag_type: str = "ISO14443"
    """2.0.1's word for where the tag comes from."""
    group: str | None = None
    """Its parent id tag or group id token, once the central system has said it."""
    reservation_id: int | None = None
    cost: float | None = None
    """The running cost the central system has told, in its own currency."""
    told: int = 0
    """Messages told about it so far: the next 2.0.1 sequence number."""

    def next_seq(self) -> int:
        """The next sequence number."""
        self.told += 1
        return self.told - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Root of all events."""

    durable: ClassVar[bool] = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BootWanted(Event):
    """Somebody asked for a BootNotification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatDue(Event):
    """Time to show that we are alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartDue(Event):
    """A reset was answered and everything before it told: now go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Event):
    """An outlet shows a new status (or repeats it because somebody asked)."""

    evse_id: int
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationWanted(Event):
    """A tag is shown at an outlet: may it charge?"""

    evse_id: int
    id_tag: str
    tag_type: str = "ISO14443"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """A CALL already put into words; `then` takes its answer."""

    action: str
    payload: dict[str, Any]
    then: Callable[[dict[str, Any]], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityMessage(Message):
    """A security event: told later if it cannot be told now (A04.FR.02)."""

    durable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationOver(Event):
    """A reservation ended without being used or cancelled by the central system."""

    reservation_id: int
    reason: str
    """"Expired" or "Removed"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedExternally(Event):
    """Somebody other than the central system limits the station, or (None) no longer does."""

    profile: ChargingProfile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStarted(Event):
    """Energy may flow from now on."""

    durable: ClassVar[bool] = True
    transaction: Transaction
    status: Status
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionChanged(Event):
    """Charging went on, paused or resumed."""

    transaction: Transaction
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered(Event):
    """A sample of an outlet, inside its transaction if it has one."""

    evse_id: int
    transaction: Transaction | None
    status: Status
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEnded(Event):
    """No more energy; the register is final."""

    durable: ClassVar[bool] = True
    transaction: Transaction
    reason: EndReason
    sample: Sample
    earlier: tuple[Sample, ...] = ()
    """Samples of before that are told once more."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Everything the last message holds."""
        return (*self.earlier, self.sample)
