"""A battery management system on CAN as a source of points.

It speaks by itself, several frames a second, and only says what the battery may do. **When the
agent dies** nothing happens to it; a battery that wants a keep-alive frame opens its contactors
some time after the last one. When it falls silent its points turn STALE, and the battery it belongs
to is told to stand still (`site_agent.devices.bms`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import LinkDownError, ProtocolError
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.devices.can.bus import BusSettings, CanBus, check, open_bus
from site_agent.devices.can.database import FrameId, SignalDatabase
from site_agent.devices.can.signals import (
    BATTERY_MAP,
    LIMITS,
    PERMITS,
    Limits,
    SignalMap,
    value_of,
)
from site_agent.devices.freshness import Freshness
from site_agent.devices.points.board import PointBoard

SILENT_AFTER_S = 3.0
"""Inverters stop when the limits are older (Safiery manual, CAN bus protocol)."""
KEEP_ALIVE: FrameId = (0x305, False)
KEEP_ALIVE_EVERY_S = 1.0
_KEEP_ALIVE_DATA = bytes(8)
_COLLECT_EVERY_S = 0.05
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_LIMITS = (*LIMITS, *PERMITS)

_log = structlog.get_logger(__name__)


class CanSource:
    """A `Source` that listens to one bus.

    Raises:
        ConfigError: the map names what the database has not got, or there is no such interface.
    """

    def __init__(
        self,
        settings: BusSettings,
        *,
        name: str,
        clock: Clock,
        database: SignalDatabase | None = None,
        signals: SignalMap = BATTERY_MAP,
        keep_alive: bool = False,
        max_age_s: float = SILENT_AFTER_S,
    ) -> None:
        self._settings = settings
        self._name = name
        self._clock = clock
        self._database = SignalDatabase.load() if database is None else database
        self._map = signals
        signals.check(self._database)
        check(settings)
        self._keep_alive = keep_alive
        self._max_age = timedelta(seconds=max_age_s)
        age = Freshness(stale_after=self._max_age, lost_after=3 * self._max_age)
        self._board = PointBoard(signals.points, clock.now(), dict.fromkeys(signals.points, age))
        self._limits = Limits()
        self._limits_at: dict[str, datetime] = {}
        self._heard_at = clock.now() - 2 * self._max_age
        self._faults: dict[int, float] = {}
        self._backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        self._told_lost = False
        self.refused_frames = 0
        """Frames with a known identifier that could not be read."""

    @property
    def board(self) -> PointBoard:
        """Its newest readings."""
        return self._board

    @property
    def answers(self) -> bool:
        """Whether it has spoken lately."""
        return self._clock.now() - self._heard_at <= self._max_age

    async def run(self) -> None:
        """Listen until cancelled; a bus that goes away is opened again."""
        while True:
            try:
                await self._listen()
            except* LinkDownError as group:
                self._lost(str(group.exceptions[0]))
            await self._clock.sleep(self._backoff.next_s())

    def _lost(self, why: str) -> None:
        """Tell it once, and again only after the bus has spoken."""
        if not self._told_lost:
            self._told_lost = True
            _log.warning("CAN bus lost", device=self._name, why=why)

    async def _listen(self) -> None:
        wanted = self._database.frames_of(self._map.signals)
        async with open_bus(self._settings, wanted) as bus:
            await first_of(self._collect(bus), self._live(bus))

    async def _collect(self, bus: CanBus) -> None:
        while True:
            frames = await bus.newest()
            self._backoff.reset()
            self._told_lost = False
            for frame, data in frames.items():
                self._take(frame, data)
            await self._clock.sleep(_COLLECT_EVERY_S)  # so that a flood does not hold up others

    async def _live(self, bus: CanBus) -> None:
        """Tell the battery that somebody is there, where it asks for that."""
        if not self._keep_alive:
            await asyncio.Event().wait()
        while True:
            await bus.send(KEEP_ALIVE, _KEEP_ALIVE_DATA)
            await self._clock.sleep(KEEP_ALIVE_EVERY_S)

    def _take(self, frame: FrameId, data: bytes) -> None:
        try:
            told = self._database.decode(frame, data)
        except ProtocolError as error:
            self._refuse(error)
            return
        now = self._clock.now()
        self._heard_at = now
        for name, rule in self._map.rules.items():
            value = value_of(rule, told)
            if value is not None and name in _LIMITS:
                self._limits = self._limits.heard(name, value)
                self._limits_at[name] = now
            elif value is not None:
                self._board.put(name, value, now)
        self._tell_fault(told, now)
        self._tell_powers()

    def _tell_fault(self, told: dict[str, float], now: datetime) -> None:
        """A fault stands until the frame that told it says otherwise, however long it is away."""
        new = {place: value_of(rule, told) for place, rule in enumerate(self._map.faults)}
        known = {place: value for place, value in new.items() if value is not None}
        self._faults |= known
        stands = max(self._faults.values(), default=0.0)
        if known or stands:
            self._board.put("fault", stands, now)

    def _tell_powers(self) -> None:
        """A power is as old as the current it is made of, however new all else is."""
        if "max_charge_power" not in self._board.points:
            return
        volts = self._board.fresh("dc_voltage", self._clock.now())
        for point, current, watts in (
            ("max_charge_power", "charge_current", self._limits.charge_w(volts)),
            ("max_discharge_power", "discharge_current", self._limits.discharge_w(volts)),
        ):
            if watts is not None and current in self._limits_at:
                self._board.put(point, watts, self._limits_at[current])

    def _refuse(self, error: ProtocolError) -> None:
        self.refused_frames += 1
        if self.refused_frames.bit_count() == 1:
            _log.warning(
                "CAN frame refused",
                device=self._name,
                why=str(error),
                so_far=self.refused_frames,
            )
