"""What the flows need from the outside, as small protocols in our own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from contracts.inverter import InverterFunction
from contracts.reading import Reading
from contracts.site_link.messages import (
    Instruction,
    InstructionAck,
    InstructionState,
    InstructionStatus,
    NumberedRow,
    Row,
)
from contracts.site_link.prices import Prices, PricesAck
from site_agent.domain.device import (
    BatterySetpoint,
    BatterySpec,
    BatteryState,
    ChargerSetpoint,
    ChargerSpec,
    ChargerState,
    MeterState,
    PvSetpoint,
    PvSpec,
    PvState,
)
from site_agent.domain.journal import Entry
from site_agent.domain.session import ChargingSession, MeterSample

# --- devices: every one keeps its newest state and runs its own polling or session ---------------


class Device(Protocol):
    """Anything with its own life: `run` polls or serves until cancelled and never gives up."""

    async def run(self) -> None:
        """Talk to the hardware until cancelled."""
        ...


@runtime_checkable
class Closing(Protocol):
    """A device that may keep its last setpoint for ever, unless it is ended in time."""

    async def close(self) -> None:
        """End the setpoint, if the device would keep it; before an orderly stop."""
        ...


class Meter(Device, Protocol):
    """The meter at the PCC or at a circuit node."""

    def state(self, now: datetime) -> MeterState:
        """The newest readings; their quality says how far they may be trusted."""
        ...


class Sensor(Device, Protocol):
    """Something measured beside the power: frequency, irradiance, a temperature, a contact."""

    def readings(self, now: datetime) -> Mapping[str, Reading]:
        """The newest readings, aged to `now`, by what they are: `frequency_hz`, `contact` ..."""
        ...


class Charger(Protocol):
    """One EVSE, whatever its protocol."""

    @property
    def spec(self) -> ChargerSpec:
        """What it is."""
        ...

    def state(self, now: datetime) -> ChargerState:
        """What is known of it."""
        ...

    async def set_limit(self, setpoint: ChargerSetpoint) -> None:
        """Returns when the charger has accepted the limit.

        Raises:
            TransientError: offline or silent; the loop tries again.
            PermanentError: refused in every form the charger knows.
        """
        ...


class Battery(Device, Protocol):
    """A stationary battery."""

    @property
    def spec(self) -> BatterySpec:
        """What it is."""
        ...

    def state(self, now: datetime) -> BatteryState:
        """What is known of it."""
        ...

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        """Write the setpoint as a lease; raises as `Charger.set_limit`."""
        ...


class PvInverter(Device, Protocol):
    """A PV inverter."""

    @property
    def spec(self) -> PvSpec:
        """What it is."""
        ...

    def state(self, now: datetime) -> PvState:
        """What is known of it."""
        ...

    async def set_limit(self, setpoint: PvSetpoint) -> None:
        """Write or release the curtailment as a lease; raises as `Charger.set_limit`."""
        ...


class AutonomousFunctions(Protocol):
    """What an inverter can do by itself; a battery or PV inverter may have it, or not."""

    async def hold(self, functions: Sequence[InverterFunction]) -> Mapping[str, str]:
        """Do exactly these (one for each `contracts.inverter.slot`), and nothing of ours else.

        Functions no longer named go back to what the inverter had before us, also over a restart
        of ours. Asking again renews the inverter's own timers; ask every 100 s.

        Returns:
            Why, by slot, for those it cannot do; these are left as the inverter had them.

        Raises:
            TransientError, ProtocolError: not all is done; the same again goes on from there.
            PermanentError: the inverter does not let go of what it had to end.
        """
        ...


class Wake(Protocol):
    """Handed to devices: something changed that the control loop should not wait a cycle for."""

    def __call__(self) -> None:
        """Run the next control cycle at once."""
        ...


# --- the link and the site's own store -----------------------------------------------------------


class Outbox(Protocol):
    """Rows on their way to the gateway; `(site_id, epoch, seq)` names each for ever."""

    @property
    def epoch(self) -> str:
        """Made with the database file; a new file is a new epoch."""
        ...

    def head(self) -> int:
        """The highest sequence number ever given (0: none)."""
        ...

    async def append(self, rows: Sequence[Row]) -> int:
        """Store rows; durable when it returns; the highest seq given."""
        ...

    async def unsent(self, after: int, limit: int) -> Sequence[NumberedRow]:
        """Rows with a higher seq, in order."""
        ...

    async def delete_through(self, seq: int) -> None:
        """The gateway has committed these."""
        ...

    async def wait_for_rows(self, after: int) -> None:
        """Return when a row with a higher seq exists."""
        ...


class InstructionHandler(Protocol):
    """Takes instructions from the link (implemented by `flows.orders.instructions`)."""

    def last_seq(self) -> int:
        """Highest `site_seq` stored."""
        ...

    async def receive(self, instruction: Instruction) -> InstructionAck:
        """Store it (or refuse it with a reason) before answering."""
        ...


class PriceHandler(Protocol):
    """Takes prices from the link (implemented by `flows.orders.market`)."""

    def prices_id(self) -> str | None:
        """The prices held, empty: none; None: this site takes no prices."""
        ...

    async def receive(self, prices: Prices) -> PricesAck:
        """Store them (or refuse them with a reason) before answering."""
        ...


class InstructionStore(Protocol):
    """Accepted instructions, so that a restart in mid-event changes nothing."""

    async def put(self, instruction: Instruction) -> None:
        """Durable when it returns; the same instruction again changes nothing.

        Raises:
            PermanentError: its `site_seq` or id belongs to a different instruction.
        """
        ...

    async def record(self, statuses: Sequence[InstructionStatus]) -> None:
        """Set the states and put the same rows into the outbox: both or neither."""
        ...

    async def of_event(self, event_id: str) -> Sequence[tuple[Instruction, InstructionState]]:
        """Every instruction of an event, finished ones too, by `site_seq`."""
        ...

    async def unfinished(self) -> Sequence[tuple[Instruction, InstructionState]]:
        """Every instruction not completed, expired, rejected or superseded, by `site_seq`."""
        ...

    async def last_seq(self) -> int:
        """Highest `site_seq` ever stored (0: none)."""
        ...


class SessionStore(Protocol):
    """Charging transactions and their samples, written before the charger is answered."""

    async def start(
        self,
        evse_id: str,
        id_tag: str | None,
        at: datetime,
        meter_wh: float | None,
        remote_id: str | None,
        *,
        ref: str | None = None,
        alone: bool = True,
        register_wh: float | None = None,
    ) -> int:
        """A new transaction; returns an id never given before (also over restarts).

        `meter_wh`: the register at its start, None when it was not told. `remote_id` names the
        start (in OCPP 2.0.1 the charger's own id); the same one again at this EVSE returns the same
        id. `ref`: the id both sides use on the wire, None: the one returned.

        `alone`: an EVSE has one transaction, so what was open there is presumed to have ended, at
        `register_wh` (None: `meter_wh`); what the charger may still say of that end replaces it.
        """
        ...

    async def stop(
        self, transaction_id: int, at: datetime, meter_wh: float | None, reason: str
    ) -> None:
        """The transaction has ended (idempotent)."""
        ...

    async def running(self, evse_id: str) -> ChargingSession | None:
        """The newest session still open at an EVSE, or None."""
        ...

    async def find(self, evse_id: str, ref: str) -> ChargingSession | None:
        """The newest session of an EVSE with this id on the wire, or None."""
        ...

    async def sessions(self, since: datetime, until: datetime) -> Sequence[ChargingSession]:
        """Sessions that ran at some time in `[since, until)`, by id; the newest 10,000."""
        ...

    def sampled(self, evse_id: str, transaction_id: int, samples: Sequence[MeterSample]) -> None:
        """Live samples of a transaction (0: of none); durable within about a second."""
        ...

    async def sampled_late(
        self,
        evse_id: str,
        transaction_id: int,
        samples: Sequence[MeterSample],
        behind: timedelta = timedelta(0),
    ) -> int:
        """Samples of the past: stored when it returns; how many were new.

        Each lands once. The session's energy is settled anew, and the gateway gets what it could
        not know: power at instants without a live sample, by our clock (`behind`: ours less the
        charger's).
        """
        ...


class CloudQueue(Protocol):
    """Messages of charging stations that their cloud CSMS has not heard yet."""

    async def put(self, station: str, seq: int, body: str, *, samples: bool) -> None:
        """Durable when it returns. `seq` ascends within a station; `samples`: may be thinned.

        Raises:
            TransientError: the disk is full.
        """
        ...

    async def waiting(self, station: str) -> Sequence[tuple[int, bool]]:
        """`(seq, samples)` of all that wait, in order."""
        ...

    async def body(self, station: str, seq: int) -> str | None:
        """One message, or None when there is none."""
        ...

    async def delete(self, station: str, seqs: Sequence[int]) -> None:
        """These have been heard, or left out."""
        ...


class RosterStore(Protocol):
    """What the fleet's systems have told, by vehicle."""

    async def all(self) -> Sequence[tuple[str, str]]:
        """`(vehicle_id, body)` of every vehicle."""
        ...

    async def put(self, rows: Mapping[str, str | None]) -> None:
        """Set bodies (None: forget the vehicle), all or none; durable when it returns.

        Raises:
            TransientError: the disk is full or the file is locked.
        """
        ...


class JournalStore(Protocol):
    """The decision journal: what has changed on the site, and why."""

    async def add(self, entries: Sequence[Entry]) -> None:
        """Durable when it returns.

        Raises:
            TransientError: the disk is full or the file is locked.
        """
        ...

    async def answered(self, subject: str, at: datetime) -> Entry | None:
        """The newest entry of a subject at or before `at` that holds an answer, or None."""
        ...

    async def page(self, subject: str | None, before: datetime, most: int) -> Sequence[Entry]:
        """The newest entries before an instant, of one subject or of all, newest first."""
        ...

    async def prune(self, now: datetime) -> int:
        """Delete some of what is too old or too much; how many entries went."""
        ...


class KeyValues(Protocol):
    """Small things worth remembering over a restart: learnt capabilities, raised notices."""

    async def get(self, key: str) -> str | None:
        """The value last put, or None."""
        ...

    async def put(self, key: str, value: str) -> None:
        """Durable when it returns."""
        ...


# --- people at the agent's own machine ------------------------------------------------------------


class Command(Protocol):
    """What a person may ask of the running agent; arguments and items are JSON objects."""

    def __call__(self, args: Mapping[str, object], /) -> AsyncGenerator[Mapping[str, object], None]:
        """Do it and tell what is found, item by item; ended early by `aclose`.

        Raises:
            GridyardError: it cannot be done; the person is told why.
        """
        ...
