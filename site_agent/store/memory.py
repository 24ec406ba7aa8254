"""In-memory twins of the stores, for tests and simulation; they obey the same contract."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.site_link.messages import (
    Instruction,
    InstructionState,
    InstructionStatus,
    Measurement,
    Notice,
    NumberedRow,
    Row,
    Severity,
)
from site_agent.domain.session import (
    PRESUMED,
    ChargingSession,
    EnergyCount,
    MeterSample,
    energy_of,
    presumption,
)
from site_agent.store.instructions import FINISHED
from site_agent.store.outbox import GAP_CODE, GAP_SUBJECT, MAX_ROWS
from site_agent.store.samples import COVER, measurement

_NOTHING = EnergyCount(energy_wh=None, quality=Quality.OFFLINE)


class MemoryOutbox:
    """`site_agent.ports.Outbox`; when full it drops the oldest measurements, and says so."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.epoch = uuid.uuid4().hex
        self.rows: list[NumberedRow] = []
        self._max_rows = max_rows
        self._head = 0
        self._gap = False
        self._arrival = asyncio.Event()

    def head(self) -> int:
        """The highest sequence number ever given (0: none)."""
        return self._head

    async def append(self, rows: Sequence[Row]) -> int:
        """Store rows; the highest seq given."""
        self.put(rows)
        return self._head

    def put(self, rows: Sequence[Row]) -> None:
        """As `append`, at once."""
        for row in rows:
            self._head += 1
            self.rows.append(NumberedRow(seq=self._head, row=row))
        surplus = len(self.rows) - self._max_rows
        if rows and surplus > 0:
            self._drop(max(surplus + 1, self._max_rows // 4), rows[-1].at)
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def unsent(self, after: int, limit: int) -> Sequence[NumberedRow]:
        """Rows with a higher seq, in order."""
        return [numbered for numbered in self.rows if numbered.seq > after][:limit]

    async def delete_through(self, seq: int) -> None:
        """The gateway has committed these."""
        last = self.rows[-1].row.at if self.rows else None
        self.rows = [numbered for numbered in self.rows if numbered.seq > seq]
        if self._gap and last and len(self.rows) <= self._max_rows // 2:
            self._gap = False
            self.put([_gap(last, raised=False, text="the outbox has drained")])

    async def wait_for_rows(self, after: int) -> None:
        """Return when a row with a higher seq exists."""
        while self._head <= after:
            await self._arrival.wait()

    def _drop(self, count: int, at: datetime) -> None:
        measured = [numbered for numbered in self.rows if isinstance(numbered.row, Measurement)]
        doomed = {numbered.seq for numbered in measured[:count]}
        if doomed:
            self._gap = True
            self.rows = [numbered for numbered in self.rows if numbered.seq not in doomed]
            self.put([_gap(at, raised=True, text=f"{len(doomed)} measurements were dropped")])


class MemoryInstructions:
    """`site_agent.ports.InstructionStore`."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox
        self._held: dict[int, tuple[Instruction, InstructionState]] = {}

    async def put(self, instruction: Instruction) -> None:
        """The same instruction again changes nothing; a different one under its name is refused."""
        for held, _ in self._held.values():
            same = (
                held.instruction_id == instruction.instruction_id
                or held.site_seq == instruction.site_seq
            )
            if same and held != instruction:
                raise PermanentError(f"{instruction.instruction_id}: already used")
        self._held.setdefault(instruction.site_seq, (instruction, InstructionState.STORED))

    async def record(self, statuses: Sequence[InstructionStatus]) -> None:
        """Set the states and put the same rows into the outbox."""
        for status in statuses:
            for seq, (instruction, _) in self._held.items():
                if instruction.instruction_id == status.instruction_id:
                    self._held[seq] = (instruction, status.state)
        self._outbox.put(statuses)

    async def of_event(self, event_id: str) -> Sequence[tuple[Instruction, InstructionState]]:
        """Every instruction of an event, finished ones too, by `site_seq`."""
        return [held for held in self._in_order() if held[0].event_id == event_id]

    async def unfinished(self) -> Sequence[tuple[Instruction, InstructionState]]:
        """Every instruction not completed, expired, rejected or superseded, by `site_seq`."""
        return [held for held in self._in_order() if held[1] not in FINISHED]

    async def last_seq(self) -> int:
        """Highest `site_seq` ever stored (0: none)."""
        return max(self._held, default=0)

    def _in_order(self) -> list[tuple[Instruction, InstructionState]]:
        return [self._held[seq] for seq in sorted(self._held)]


class MemorySessions:
    """`site_agent.ports.SessionStore`."""

    def __init__(self, outbox: MemoryOutbox | None = None) -> None:
        self._outbox = outbox or MemoryOutbox()
        self._ids = itertools.count(1)
        self._sessions: dict[int, ChargingSession] = {}
        self._stops: dict[int, tuple[float | None, bool]] = {}
        self._remote: dict[tuple[str, str], int] = {}
        self._samples: dict[tuple[str, int], dict[datetime, MeterSample]] = defaultdict(dict)
        self._late: dict[tuple[str, int], set[datetime]] = defaultdict(set)

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
        """A new transaction; the same `remote_id` again returns the same id."""
        if remote_id is not None and (evse_id, remote_id) in self._remote:
            return self._completed(self._remote[evse_id, remote_id], id_tag, at, meter_wh)
        still_open = [
            s for s in self._sessions.values() if (s.evse_id, s.ended_at) == (evse_id, None)
        ]
        for session in still_open if alone else []:
            closing_wh = meter_wh if register_wh is None else register_wh
            self._end(session, at, closing_wh, PRESUMED, presumed=True)
        taken = {session.ref for session in self._sessions.values()}
        number = next(n for n in self._ids if ref is not None or str(n) not in taken)
        self._sessions[number] = ChargingSession(
            transaction_id=number,
            evse_id=evse_id,
            ref=ref or str(number),
            id_tag=id_tag,
            started_at=at,
            start_wh=meter_wh,
            ended_at=None,
            reason=None,
            energy=_NOTHING,
        )
        if remote_id is not None:
            self._remote[evse_id, remote_id] = number
        return number

    def _completed(
        self, number: int, id_tag: str | None, at: datetime, meter_wh: float | None
    ) -> int:
        session = self._sessions[number]
        if session.start_wh is None and meter_wh is not None:
            self._sessions[number] = replace(
                session, started_at=at, start_wh=meter_wh, id_tag=session.id_tag or id_tag
            )
        return number

    async def stop(
        self, transaction_id: int, at: datetime, meter_wh: float | None, reason: str
    ) -> None:
        """The transaction has ended (idempotent; what the charger says replaces a presumption)."""
        session = self._sessions.get(transaction_id)
        if session is None:
            return
        if session.ended_at is None or self._stops[transaction_id][1]:
            self._end(session, at, meter_wh, reason, presumed=False)

    def _end(
        self,
        session: ChargingSession,
        at: datetime,
        meter_wh: float | None,
        reason: str,
        *,
        presumed: bool,
    ) -> None:
        self._stops[session.transaction_id] = (meter_wh, presumed)
        self._sessions[session.transaction_id] = replace(session, ended_at=at, reason=reason)

    async def running(self, evse_id: str) -> ChargingSession | None:
        """The newest session still open at an EVSE, or None."""
        found = [s for s in self._counted() if s.evse_id == evse_id and s.ended_at is None]
        return found[-1] if found else None

    async def find(self, evse_id: str, ref: str) -> ChargingSession | None:
        """The newest session of an EVSE with this id on the wire, or None."""
        found = [s for s in self._counted() if (s.evse_id, s.ref) == (evse_id, ref)]
        return found[-1] if found else None

    async def sessions(self, since: datetime, until: datetime) -> Sequence[ChargingSession]:
        """Sessions that ran at some time in `[since, until)`, by id."""
        return [
            session
            for session in self._counted()
            if session.started_at < until and (session.ended_at is None or session.ended_at > since)
        ]

    def sampled(self, evse_id: str, transaction_id: int, samples: Sequence[MeterSample]) -> None:
        """Live samples of a transaction."""
        held = self._samples[evse_id, transaction_id]
        for sample in samples:
            held[sample.at] = _merged(held.get(sample.at), sample)

    async def sampled_late(
        self,
        evse_id: str,
        transaction_id: int,
        samples: Sequence[MeterSample],
        behind: timedelta = timedelta(0),
    ) -> int:
        """Samples of the past; how many were new."""
        place = (evse_id, transaction_id)
        held, late, new = self._samples[place], self._late[place], 0
        for sample in samples:
            before = held.get(sample.at)
            told = before is not None and before.power_w is not None
            live = (at for at in held if at not in late)
            covered = any(sample.at - COVER < at <= sample.at for at in live)
            if sample.power_w is not None and transaction_id and not told and not covered:
                self._outbox.put([measurement(evse_id, sample, behind)])
            if before is None:
                new += 1
                late.add(sample.at)
            held[sample.at] = _merged(before, sample)
        return new

    def _counted(self) -> list[ChargingSession]:
        return [replace(s, energy=self._energy(s)) for s in self._sessions.values()]

    def _energy(self, session: ChargingSession) -> EnergyCount:
        stop_wh, presumed = self._stops.get(session.transaction_id, (None, False))
        until = None if presumed else session.ended_at
        held = self._samples[session.evse_id, session.transaction_id]
        told = [held[at].register_wh for at in sorted(held) if until is None or at <= until]
        energy = energy_of(session.start_wh, (wh for wh in told if wh is not None), stop_wh)
        return presumption(energy) if presumed else energy


class MemoryCloudQueue:
    """`site_agent.ports.CloudQueue`."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], tuple[bool, str]] = {}

    async def put(self, station: str, seq: int, body: str, *, samples: bool) -> None:
        """Keep a message."""
        self._held[station, seq] = (samples, body)

    async def waiting(self, station: str) -> Sequence[tuple[int, bool]]:
        """`(seq, samples)` of all that wait, in order."""
        return [
            (seq, held[0]) for (name, seq), held in sorted(self._held.items()) if name == station
        ]

    async def body(self, station: str, seq: int) -> str | None:
        """One message, or None when there is none."""
        found = self._held.get((station, seq))
        return None if found is None else found[1]

    async def delete(self, station: str, seqs: Sequence[int]) -> None:
        """These have been heard, or left out."""
        for seq in seqs:
            self._held.pop((station, seq), None)


class MemoryKeyValues:
    """`site_agent.ports.KeyValues`."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        """The value last put, or None."""
        return self._values.get(key)

    async def put(self, key: str, value: str) -> None:
        """Kept as long as this object."""
        self._values[key] = value


def _merged(before: MeterSample | None, sample: MeterSample) -> MeterSample:
    """What was told first stands; the second may add what it lacked."""
    if before is None:
        return sample
    names = ("power_w", "current_a", "register_wh", "soc_pct")
    missing = {n: getattr(sample, n) for n in names if getattr(before, n) is None}
    return replace(before, **missing)


def _gap(at: datetime, *, raised: bool, text: str) -> Notice:
    return Notice(
        at=at,
        code=GAP_CODE,
        subject=GAP_SUBJECT,
        severity=Severity.WARNING,
        raised=raised,
        text=text,
    )
